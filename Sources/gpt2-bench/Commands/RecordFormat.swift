import Record
import Reporting

/// The forms in which a record can be shown.
enum RecordFormat: String, CaseIterable {
  case markdown = "md"
  case csv
  case json
  case html
  case gitHub = "github"
  case gitHubAction = "github-action"
  case bencher = "bmf"
  case llamaBench = "llama-bench"
  case llamaBenchSQL = "llama-bench-sql"

  /// Those that can show a record of this kind: llama-bench has no tests of matrix products and other operations.
  static func all(of kind: Record.Kind) -> [RecordFormat] {
    allCases.filter { kind == .endToEnd || ![.llamaBench, .llamaBenchSQL].contains($0) }
  }

  /// - Throws: `RunError` where the format cannot show a record of its kind.
  func text(of record: Record) throws -> String {
    guard Self.all(of: record.kind).contains(self) else {
      throw RunError(
        "--format \(rawValue): found a record of kind \(record.kind.rawValue), "
          + "expected \(Record.Kind.endToEnd.rawValue)")
    }
    return try contents(of: record)
  }

  private func contents(of record: Record) throws -> String {
    switch self {
    case .markdown: MarkdownReport(record).text
    case .html: HTMLReport(record).text
    case .csv: record.cells.isEmpty ? ProfileCSV(record).text : CSVReport(record).results
    case .json: String(decoding: try record.encode(), as: UTF8.self)
    case .gitHub: MarkdownReport.gitHubComment(record)
    case .gitHubAction: try BenchmarkActionReport(record).json
    case .bencher: try BencherReport(record).json
    case .llamaBench: LlamaBenchReport(record).csv
    case .llamaBenchSQL: LlamaBenchReport(record).sql
    }
  }
}

extension Arguments {
  /// The form that `--format` names; nil where it is not given.
  func recordFormat(of formats: [RecordFormat]) throws -> RecordFormat? {
    try choice("--format", of: formats.map(\.rawValue)).flatMap(RecordFormat.init)
  }
}
