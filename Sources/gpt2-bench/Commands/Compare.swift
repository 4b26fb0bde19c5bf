import Reporting

enum Compare: Command {
  static let description = CommandDescription(
    name: "compare", summary: "two records: ratio with confidence interval per row; exits 3 on a regression",
    operands: "BASE HEAD", operandCount: 2...2,
    options: [
      .maxRegression, .rows, ComparisonFormat.option, .outFile,
    ])

  static func run(_ arguments: Arguments, _ console: Console) throws -> ExitCode {
    let thresholds = try arguments.thresholds()
    let filter = try arguments.rowFilter()
    let format = try arguments.comparisonFormat()
    let (base, head) = (arguments.operands[0], arguments.operands[1])
    let records = (base: try Record.read(path: base), head: try Record.read(path: head))
    let comparison =
      if let filter {
        try arguments.value(of: Option.rows) {
          try Comparison(
            base: records.base, head: records.head, thresholds: thresholds, filter: filter, baseLabel: base,
            headLabel: head)
        }
      } else {
        Comparison(
          base: records.base, head: records.head, thresholds: thresholds, baseLabel: base, headLabel: head)
      }
    try format.put(comparison, head: records.head, to: arguments.string("--out"), console)
    return ExitCode(rawValue: comparison.exitCode) ?? .error
  }
}
