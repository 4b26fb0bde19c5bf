import Foundation
import Record
import Reporting

/// Suites and records for runs of a second or two.
enum Suites {
  static let tiny = """
    {"summary": "tiny", "prefill": [8], "decode": [{"tokens": 4, "depth": 2}], "repetitions": 3,
     "cellBudgetSeconds": 1}
    """

  /// One test of which there can be samples for a day.
  static let endless = """
    {"summary": "endless", "prefill": [64], "decode": [], "repetitions": 1000000, "cellBudgetSeconds": 86400}
    """

  /// A shorter one, for less than a second.
  static let short = """
    {"summary": "short", "prefill": [8], "decode": [], "repetitions": 1000000, "cellBudgetSeconds": 0.8}
    """
}

extension Record {
  /// The same run with every time multiplied, and samples that hardly differ: 0.1 % from one to the next.
  func steady(slowedBy factor: Double) -> Record {
    var copy = self
    for index in copy.cells.indices {
      guard let first = copy.cells[index].samples.first else { continue }
      copy.cells[index].samples = (0..<10).map {
        first.scaled(by: factor * (1 + Double($0) / 1000), round: $0)
      }
    }
    return copy
  }

  func write(to path: String) throws {
    try encode().write(to: URL(fileURLWithPath: path))
  }
}

extension Sample {
  fileprivate func scaled(by factor: Double, round: Int) -> Sample {
    func scale(_ time: Int) -> Int { Int(Double(time) * factor) }
    return Sample(
      round: round, sequence: round, elapsedNanoseconds: elapsedNanoseconds * factor, iterations: iterations,
      prefillNanoseconds: prefillNanoseconds.map(scale), tokenNanoseconds: tokenNanoseconds.map(scale))
  }
}

/// The rows of a CSV file whose fields need no quotes, each by its columns' names.
struct CSVRows: Sequence {
  let columns: [String]
  private let rows: [[String: String]]

  init(_ text: String) throws {
    let lines = text.split(whereSeparator: \.isNewline).map {
      $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    }
    columns = lines.first ?? []
    let names = columns
    rows = lines.dropFirst().map { Dictionary(zip(names, $0)) { first, _ in first } }
  }

  var count: Int { rows.count }

  func makeIterator() -> some IteratorProtocol<[String: String]> { rows.makeIterator() }
}
