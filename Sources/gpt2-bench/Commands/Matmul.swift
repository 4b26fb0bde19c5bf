import Foundation
import GPT2Engine
import Measurement
import Reporting

enum Matmul: Command {
  static let description = CommandDescription(
    name: "matmul", summary: "checks and times every kernel on matrix products",
    options: [
      Option(
        "--size", value: "[Mx]KxN,…", help: "rows, inputs and outputs; M = 1 and 64 where it is not given"),
      .variants, .threadList, .repetitions, MeasuringOptions.budget, .seed,
      Option("--format", value: "F", help: "as of report (default: a table for the terminal)"), .outFile,
      MeasuringOptions.timeout,
    ])

  private static let defaultRows = [1, 64]
  private static let repetitions = 10
  private static let budgetSeconds = 2.0

  static func run(_ arguments: Arguments, _ console: Console) throws -> ExitCode {
    guard let size = arguments.string("--size") else {
      throw UsageError("--size: found nothing, expected [Mx]KxN, for example 768x3072")
    }
    let shapes = try shapes(size)
    let options = try MeasuringOptions(arguments)
    let format = try arguments.recordFormat(of: RecordFormat.all(of: .gemm))
    let budget = options.budgetSeconds ?? budgetSeconds
    let out = arguments.string("--out")
    try Output.refuseUnwritable(out)
    try refuseTooLarge(shapes, contestants: options.contestants.count)
    let plan = BenchPlan(
      kind: .gemm, model: nil, modelDescription: nil, contestants: options.contestants,
      cells: shapes.map(GemmCells.make),
      settings: Settings(
        suite: nil, repetitions: options.repetitions ?? repetitions, cellBudgetSeconds: budget,
        seed: options.seed, warmup: GemmCells.warmup),
      cellCapSeconds: 10 * budget, timeoutSeconds: options.timeoutSeconds,
      warnings: [GemmRotation.warning(.current())].compactMap { $0 })
    let bench = Bench(
      plan, project: try Project(), console: console, command: commandWords(), started: Date(),
      onChange: { _ in })
    try bench.run { contestant in
      try shapes.flatMap { shape in
        let request = CheckRequest(references: [], scope: .full, oraclePrompts: [], gemm: shape)
        return CheckRows.rows(of: try contestant.check(request), request, contestant.plan)
      }
    }
    if format == nil, out == nil {
      let table = TerminalTable(bench.record, colour: console.usesColor, width: console.width ?? 100)
      console.print(table.text)
    } else {
      try Output.put((format ?? .markdown).text(of: bench.record), out, console)
    }
    return bench.record.runExitCode
  }

  /// `768x3072` is K × N with the default rows, `64x768x3072` is M × K × N.
  static func shapes(_ text: String) throws -> [GemmShape] {
    var shapes: [GemmShape] = []
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      let numbers = part.split(separator: "x", omittingEmptySubsequences: false).map { Int($0) }
      guard (2...3).contains(numbers.count),
        numbers.allSatisfy({ $0.map { (1...largestSize).contains($0) } ?? false })
      else {
        throw UsageError(
          "--size", found: String(part),
          expected: "[Mx]KxN with sizes from 1 to \(largestSize), for example 768x3072 or 64x768x3072")
      }
      let sizes = numbers.compactMap { $0 }
      let rows = sizes.count == 3 ? [sizes[0]] : defaultRows
      for m in rows {
        let shape = GemmShape(m: m, k: sizes[sizes.count - 2], n: sizes[sizes.count - 1])
        if !shapes.contains(shape) { shapes.append(shape) }
      }
    }
    return shapes
  }

  private static let largestSize = 1 << 20

  /// All workers keep all shapes, since the rounds interleave them.
  static func refuseTooLarge(_ shapes: [GemmShape], contestants: Int) throws {
    let bytes = shapes.map { Double(3 * 4 * $0.k * $0.n + 4 * $0.m * ($0.k + $0.n)) }
    try MemoryLimit.check(
      bytes.reduce(Double(GemmRotation.bytes(.current())), +) * Double(contestants),
      for: "--size: all shapes, in each of \(contestants) workers at once, need")
  }
}
