import Record

/// Which rows of a comparison are wanted: terms separated by commas, each of words separated by blanks. A row is kept
/// where one term has all of its words in the row's label, upper and lower case alike. A word may be a part of one of the
/// label's, but no number is a part of another: `t1` is not in `t16`.
///
/// `packed decode,memory` keeps the decode rows of `packed`, and every row of peak memory.
public struct RowFilter: Sendable, Equatable {
  /// As it was typed.
  public let text: String
  private let terms: [[String]]

  /// - Throws: `OptionError` for a term without a word.
  public init(parsing text: String) throws(OptionError) {
    self.text = text
    terms = text.lowercased().split(separator: ",", omittingEmptySubsequences: false).map { term in
      term.split(whereSeparator: \.isWhitespace).map(String.init)
    }
    guard !terms.contains([]) else {
      throw OptionError(found: text, expected: "words of a row's label, such as \"packed decode,memory\"")
    }
  }

  /// - Parameter label: see `label(_:_:_:)`.
  func keeps(_ label: String) -> Bool {
    let label = label.lowercased()
    return terms.contains { $0.allSatisfy { Self.isPart($0, of: label) } }
  }

  private static func isPart(_ word: String, of label: String) -> Bool {
    label.ranges(of: word).contains { range in
      let before = label[..<range.lowerBound].last
      let behind = label[range.upperBound...].first
      let cutsInFront = before?.isNumber == true && word.first?.isNumber == true
      let cutsBehind = behind?.isNumber == true && word.last?.isNumber == true
      return !cutsInFront && !cutsBehind
    }
  }

  /// For a filter that keeps none of the rows that there are.
  func matchesNone(of labels: [String]) -> OptionError {
    OptionError(found: text, expected: "words of one of these rows: \(labels.joined(separator: ", "))")
  }

  /// `packed f32 t2 tg32 @ d64 decode`; without a test for what belongs to the whole process.
  static func label(_ contestant: Contestant, _ test: Test?, _ metric: Metric) -> String {
    [contestant.variant, contestant.weights, "t\(contestant.threads)", test?.name, metric.word]
      .compactMap { $0 }.filter { !$0.isEmpty }.joined(separator: " ")
  }
}

extension ComparisonRow {
  /// What a filter looks at.
  var label: String { RowFilter.label(contestant, test, metric) }
}
