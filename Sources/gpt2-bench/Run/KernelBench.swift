import Foundation
import GPT2Engine
import Measurement
import Record
import Reporting

/// What `matmul` and `ops` share: kernels measured alone, from the first worker to the table.
struct KernelBench {
  static let options: [Option] = [
    .variants, .threadList, .repetitions, MeasuringOptions.budget, .seed,
    Option(
      "--format", value: "F", help: "one of the formats of 'report' (default: a table for the terminal)"),
    .outFile,
    MeasuringOptions.timeout,
  ]

  private static let repetitions = 10
  private static let budgetSeconds = 2.0

  private let kind: Record.Kind
  private let shapes: [OperationShape]
  private let console: Console
  private let options: MeasuringOptions
  private let format: RecordFormat?
  private let out: String?

  /// - Parameter sizeOptions: what on the command line the shapes come from, for errors.
  init(
    _ kind: Record.Kind, _ shapes: [OperationShape], sizedBy sizeOptions: String, _ arguments: Arguments,
    _ console: Console
  ) throws {
    (self.kind, self.shapes, self.console) = (kind, shapes, console)
    options = try MeasuringOptions(arguments)
    format = try arguments.recordFormat(of: RecordFormat.all(of: kind))
    out = arguments.string("--out")
    try Output.refuseUnwritable(out)
    try Self.refuseTooLarge(shapes, contestants: options.contestants.count, sizedBy: sizeOptions)
  }

  func run() throws -> ExitCode {
    let budget = options.budgetSeconds ?? Self.budgetSeconds
    let plan = BenchPlan(
      kind: kind, model: nil, modelDescription: nil, contestants: options.contestants,
      cells: shapes.map(OperationCells.make),
      settings: Settings(
        suite: nil, repetitions: options.repetitions ?? Self.repetitions, cellBudgetSeconds: budget,
        seed: options.seed, warmup: kind == .matmul ? OperationCells.matmulWarmup : OperationCells.warmup),
      cellCapSeconds: 10 * budget, timeoutSeconds: options.timeoutSeconds,
      warnings: [StreamedMemory.warning].compactMap { $0 })
    let bench = Bench(plan, project: try Project(), console: console, started: Date())
    try bench.run { worker in try shapes.flatMap { try worker.check(CheckRequest(operation: $0)) } }
    if format == nil, out == nil {
      let table = TerminalTable(bench.record, colour: console.usesColor, width: console.width ?? 100)
      console.print(table.text)
    } else {
      try Output.put((format ?? .markdown).text(of: bench.record), out, console)
    }
    return bench.record.runExitCode
  }

  /// All workers keep all shapes, since the rounds interleave them.
  static func refuseTooLarge(
    _ shapes: [OperationShape], contestants: Int, sizedBy sizeOptions: String
  ) throws {
    let streamed = StreamedMemory.bytes
    let bytes = try shapes.map { try $0.modelOperation.bytes(streamedBytes: streamed) }
    try MemoryLimit.check(
      bytes.reduce(Double(streamed), +) * Double(contestants),
      for: "\(sizeOptions): all shapes, in each of \(contestants) workers at once, need")
  }
}
