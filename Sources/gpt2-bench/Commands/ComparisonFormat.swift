import Record
import Reporting

/// The forms in which a comparison can be shown.
enum ComparisonFormat: String, CaseIterable {
  case markdown = "md"
  case csv
  case json
  case gitHub = "github"
  case gitHubAction = "github-action"
  case bencher = "bmf"

  static let option = Option(
    "--format", value: "F",
    help: allCases.map(\.rawValue).joined(separator: ", ")
      + " (default md); github: annotations on standard output beside --out, else on standard error")

  /// - Parameter head: the record of the head. Services that follow figures over time want those of one build, so
  ///   their formats hold the head's, all of them.
  func text(of comparison: Comparison, head: Record) throws -> String {
    switch self {
    case .markdown: comparison.markdown
    case .csv: comparison.csv
    case .json: try comparison.json
    case .gitHub: comparison.gitHubComment
    case .gitHubAction: try BenchmarkActionReport(head).json
    case .bencher: try BencherReport(head).json
    }
  }

  /// Writes the comparison to the file where one is named, otherwise to standard output. GitHub Actions reads
  /// annotations from a step's standard output: there they go where the comment has a file of its own.
  func put(_ comparison: Comparison, head: Record, to path: String?, _ console: Console) throws {
    try Output.put(text(of: comparison, head: head), path, console)
    guard self == .gitHub else { return }
    for line in comparison.gitHubAnnotations {
      if path == nil { console.warn(line) } else { console.print(line) }
    }
  }
}

extension Arguments {
  func comparisonFormat() throws -> ComparisonFormat {
    try choice("--format", of: ComparisonFormat.allCases.map(\.rawValue)).flatMap(ComparisonFormat.init)
      ?? .markdown
  }
}
