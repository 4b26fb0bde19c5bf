import Foundation
import GPT2Engine
import Measurement
import Record
import Reporting

/// What `matmul` and `ops` share: kernels measured alone, from the first worker to the table.
enum KernelBench {
  static func options(of kind: Record.Kind) -> [Option] {
    [
      .variants, .threadList, .repetitions.defaulting(to: "\(repetitions)"),
      MeasuringOptions.budget.defaulting(to: "\(Int(budgetSeconds))"), MeasuringOptions.warmup, .seed,
      RecordFormat.option(of: kind).defaulting(to: "a table for the terminal, md in a file"), .outFile,
      MeasuringOptions.timeout,
    ]
  }

  private static let repetitions = 10
  private static let budgetSeconds = 2.0

  /// - Parameter sizeOptions: what on the command line the shapes come from, for errors.
  static func run(
    _ kind: Record.Kind, _ shapes: [OperationShape], sizedBy sizeOptions: String, _ arguments: Arguments,
    _ console: Console
  ) throws -> ExitCode {
    let options = try MeasuringOptions(arguments)
    let format = try arguments.choice("--format", of: RecordFormat.all(of: kind))
    let out = arguments.string("--out")
    try Output.refuseUnwritable(out)
    try refuseTooLarge(shapes, contestants: options.contestants.count, sizedBy: sizeOptions)
    let budget = options.budgetSeconds ?? budgetSeconds
    let plan = BenchPlan(
      command: arguments.command, kind: kind, model: nil, contestants: options.contestants,
      cells: shapes.map(OperationCells.make),
      settings: Settings(
        suite: nil, repetitions: options.repetitions ?? repetitions, cellBudgetSeconds: budget,
        seed: options.seed,
        warmup: options.warmupWords(
          usual: kind == .matmul ? OperationCells.matmulWarmup : OperationCells.warmup)),
      warmups: options.warmups,
      cellCapSeconds: 10 * budget, timeoutSeconds: options.timeoutSeconds,
      warnings: [StreamedMemory.warning].compactMap { $0 })
    let bench = Bench(plan, project: try Project(), console: console, started: Date())
    try bench.run { worker in try shapes.flatMap { try worker.check(CheckRequest(operation: $0)) } }
    try Output.put(bench.record, as: format, out, console) {
      TerminalTable(bench.record, colour: $0, width: $1, isVerbose: console.isVerbose).text
    }
    return bench.record.runExitCode
  }

  /// All workers keep all shapes, since the rounds interleave them.
  static func refuseTooLarge(
    _ shapes: [OperationShape], contestants: Int, sizedBy sizeOptions: String
  ) throws {
    let streamed = StreamedMemory.bytes
    let bytes = shapes.map { $0.bytes(streamedBytes: streamed) }
    try MemoryLimit.check(
      bytes.reduce(Double(streamed), +) * Double(contestants),
      for: "\(sizeOptions): all shapes, in each of \(contestants) workers at once, need")
  }
}
