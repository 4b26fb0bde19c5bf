import Record
import Reporting

enum Compare: Command {
  static let description = CommandDescription(
    name: "compare",
    summary: "two records, or two builds in turns: a verdict for each row; exits 3 on a regression",
    operands: "[BASE HEAD]", operandCount: 0...2,
    options: [
      .maxRegression, .rows, ComparisonFormat.option, .outFile,
    ] + CompareBuilds.options)

  /// What was compared, and the head's run.
  typealias Outcome = (comparison: Comparison, head: Record)

  static func run(_ arguments: Arguments, _ console: Console) throws -> ExitCode {
    let format = try arguments.comparisonFormat()
    let out = arguments.string("--out")
    try Output.refuseUnwritable(out)
    let outcome: Outcome
    if let base = arguments.string("--against") {
      guard arguments.operands.isEmpty else {
        throw UsageError("--against: found records beside it, expected one of the two")
      }
      outcome = try CompareBuilds(arguments, console).run(against: base)
      try format.put(outcome.comparison, head: outcome.head, to: out, console)
      guard outcome.head.isComplete else { return .interrupted }
    } else {
      outcome = try ofRecords(arguments)
      try format.put(outcome.comparison, head: outcome.head, to: out, console)
    }
    return ExitCode(rawValue: outcome.comparison.exitCode) ?? .error
  }

  private static func ofRecords(_ arguments: Arguments) throws -> Outcome {
    guard arguments.operands.count == 2 else {
      throw UsageError(
        "found \(arguments.operands.isEmpty ? "no operand" : "1 operand"), expected two records, BASE and HEAD, or --against PATH"
      )
    }
    for option in CompareBuilds.options where option.names.contains(where: arguments.flag) {
      throw UsageError("\(option.names[0]): found two records, expected --against beside it")
    }
    let thresholds = try arguments.thresholds()
    let filter = try arguments.rowFilter()
    let (base, head) = (arguments.operands[0], arguments.operands[1])
    let records = (base: try Record.read(path: base), head: try Record.read(path: head))
    guard let filter else {
      let comparison = Comparison(
        base: records.base, head: records.head, thresholds: thresholds, baseLabel: base, headLabel: head)
      return (comparison, records.head)
    }
    let comparison = try arguments.value(of: .rows) {
      try Comparison(
        base: records.base, head: records.head, thresholds: thresholds, filter: filter, baseLabel: base,
        headLabel: head)
    }
    return (comparison, records.head)
  }
}
