import Files
import Record

/// From which share on a change counts, metric by metric.
public struct Thresholds: Sendable, Equatable {
  private var shares: [Metric: Double]

  /// Shares, 0.05 for 5 %, held within 0...1. Loads of one build differ by more than any other time.
  public init(speeds: Double = 0.05, memory: Double = 0.02, load: Double = 0.2) {
    shares = [.peakMemory: memory, .warmLoad: load]
    for metric in Metric.compared where metric.isSpeed { shares[metric] = speeds }
    shares = shares.mapValues { min(max($0, 0), 1) }
  }

  /// Of the interleaved comparison, where nobody names others.
  public static let interleaved = Thresholds(speeds: 0.02, memory: 0.02, load: 0.25)

  /// The change of a metric that the interleaved comparison calls none: all below a threshold that one named. The
  /// default is but what short runs can tell apart, so of a speed more than half of it, plainly seen, is not called
  /// none.
  func tolerance(_ metric: Metric) -> Double {
    metric.isSpeed && self[metric] == Self.interleaved[metric] ? self[metric] / 2 : self[metric]
  }

  /// `5%` for every metric but the load's time, `decode=2%` for one; `5%,decode=2%,memory=1%` for both, what is
  /// named winning. A metric that nothing is said of keeps its share of `defaults`.
  public init(parsing text: String, defaults: Thresholds = Thresholds()) throws(OptionError) {
    var named: [Metric: Double] = [:]
    var general: Double?
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      let words = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
      guard words.count == 2 else {
        guard general == nil else {
          throw OptionError(found: text, expected: "one share for all metrics, the others as decode=2%")
        }
        general = try Self.share(words[0])
        continue
      }
      guard let metric = Metric.compared.first(where: { $0.word == words[0] }) else {
        let known = Metric.compared.map(\.word)
        throw OptionError(
          found: words[0],
          expected: "one of \(known.joined(separator: ", "))"
            + NearestName.advice(for: words[0], among: known))
      }
      guard named[metric] == nil else { throw OptionError(found: text, expected: "\(metric.word) once") }
      named[metric] = try Self.share(words[1])
    }
    shares = defaults.shares
    if let general {
      for metric in Metric.compared where metric != .warmLoad { shares[metric] = general }
    }
    shares.merge(named) { $1 }
  }

  /// As a record of an interleaved comparison has them. A metric that its build did not know has decode's share.
  init(recorded text: String) throws(OptionError) {
    let known = try Thresholds(parsing: text)
    try self.init(parsing: text, defaults: Thresholds(speeds: known[.decodeRate]))
  }

  /// Processes that do the same differ by some hundred KiB, by where the system places their pages: a change of peak
  /// memory, in MiB, counts from 1 MiB on at the least.
  func ofMemory(base: Double, head: Double) -> Double { max(self[.peakMemory], min(1, 1 / max(base, head))) }
  subscript(metric: Metric) -> Double { shares[metric] ?? 0 }

  /// `5 %, memory 2 %, load 20 %`: the speeds' share first where they have one.
  public var words: String {
    let speeds = Set(Metric.compared.filter(\.isSpeed).map { self[$0] })
    let common = speeds.count == 1 ? speeds.first.map { [Self.percent($0)] } ?? [] : []
    let others = Metric.compared.filter { common.isEmpty || !$0.isSpeed }
      .map { "\($0.word) \(Self.percent(self[$0]))" }
    return (common + others).joined(separator: ", ")
  }

  /// Every metric with its share, as `init(parsing:)` takes it.
  public var text: String { Metric.compared.map { "\($0.word)=\(self[$0])" }.joined(separator: ",") }

  private static func percent(_ share: Double) -> String { NumberText.plain(share * 100) + " %" }

  /// `5%` or `0.05`.
  private static func share(_ text: String) throws(OptionError) -> Double {
    let isPercent = text.hasSuffix("%")
    guard let number = Double(isPercent ? String(text.dropLast()) : text), number >= 0,
      case let share = isPercent ? number / 100 : number, share < 1
    else { throw OptionError(found: text, expected: "a share such as 5% or 0.05, below 100%") }
    return share
  }
}

public struct OptionError: Error, Equatable, Sendable {
  public let found: String
  public let expected: String
}

/// Which rows of a comparison are wanted: terms separated by commas, each of words separated by blanks, such as
/// `packed decode,memory`. A row is kept where one term has all of its words in the row's label, upper and lower case
/// alike. A word may be a part of one of the label's, but no number is a part of another: `t1` is not in `t16`.
public struct RowFilter: Sendable, Equatable {
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

  func keeps(_ label: String) -> Bool {
    let label = label.lowercased()
    return terms.contains { $0.allSatisfy { Self.isPart($0, of: label) } }
  }

  private static func isPart(_ word: String, of label: String) -> Bool {
    label.ranges(of: word).contains { range in
      let before = label[..<range.lowerBound].last
      let after = label[range.upperBound...].first
      let cutsAtStart = before?.isNumber == true && word.first?.isNumber == true
      let cutsAtEnd = after?.isNumber == true && word.last?.isNumber == true
      return !cutsAtStart && !cutsAtEnd
    }
  }

  func matchesNone(of labels: [String]) -> OptionError {
    OptionError(found: text, expected: "words of one of these rows: \(labels.joined(separator: ", "))")
  }

  /// `packed f32 t2 tg32 @ d64 decode`; without a test for what belongs to the whole process.
  static func label(_ contestant: MeasuredVariant, _ test: Test?, _ metric: Metric) -> String {
    [contestant.variant, contestant.weights, "t\(contestant.threads)", test?.name, metric.word]
      .compactMap { $0 }.filter { !$0.isEmpty }.joined(separator: " ")
  }
}
