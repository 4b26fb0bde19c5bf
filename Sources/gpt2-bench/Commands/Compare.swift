import Reporting

enum Compare: Command {
  static let description = CommandDescription(
    name: "compare",
    summary: "two records, or two builds in turns: a verdict for each row; exits 3 on a regression",
    operands: "[BASE HEAD]", operandCount: 0...2,
    options: [
      .maxRegression, .rows, Option("--format", value: "F", help: "md (default), csv or json"), .outFile,
    ] + CompareBuilds.options)

  static func run(_ arguments: Arguments, _ console: Console) throws -> ExitCode {
    let format = try arguments.choice("--format", of: ["md", "csv", "json"]) ?? "md"
    let out = arguments.string("--out")
    try Output.refuseUnwritable(out)
    var wasInterrupted = false
    let comparison: Comparison
    if let base = arguments.string("--against") {
      guard arguments.operands.isEmpty else {
        throw UsageError("--against: found records beside it, expected one of the two")
      }
      (comparison, wasInterrupted) = try CompareBuilds(arguments, console).run(against: base)
    } else {
      comparison = try ofRecords(arguments)
    }
    let text =
      switch format {
      case "csv": comparison.csv
      case "json": try comparison.json
      default: comparison.markdown
      }
    try Output.put(text, out, console)
    return wasInterrupted ? .interrupted : ExitCode(rawValue: comparison.exitCode) ?? .error
  }

  private static func ofRecords(_ arguments: Arguments) throws -> Comparison {
    guard arguments.operands.count == 2 else {
      throw UsageError(
        "found \(arguments.operands.count) operands, expected two records, BASE and HEAD, or --against PATH")
    }
    for option in CompareBuilds.options where option.names.contains(where: arguments.flag) {
      throw UsageError("\(option.names[0]): found two records, expected --against beside it")
    }
    let thresholds = try arguments.thresholds()
    let (base, head) = (arguments.operands[0], arguments.operands[1])
    let records = (base: try Record.read(path: base), head: try Record.read(path: head))
    guard let filter = try arguments.rowFilter() else {
      return Comparison(
        base: records.base, head: records.head, thresholds: thresholds, baseLabel: base, headLabel: head)
    }
    return try arguments.value(of: .rows) {
      try Comparison(
        base: records.base, head: records.head, thresholds: thresholds, filter: filter, baseLabel: base,
        headLabel: head)
    }
  }
}
