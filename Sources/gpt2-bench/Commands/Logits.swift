import GPT2Engine
import GPT2Model

enum Logits: Command {
  static let description = CommandDescription(
    name: "logits", summary: "the logits of token ids, as a float32 .npy file (positions, vocabulary)",
    options: [
      .ids, .model, .variant, .threads,
      Option("--last", help: "only the last position's"),
      Option("--out", value: "FILE.npy", help: "the file to write"),
    ])

  static func run(_ arguments: Arguments, _ console: Console) throws -> ExitCode {
    guard let ids = try arguments.ids("--ids") else {
      throw UsageError("--ids: found nothing, expected token ids such as \"1 2 3\"")
    }
    guard let out = arguments.string("--out") else {
      throw UsageError("--out: found nothing, expected a path for the .npy file")
    }
    try Output.refuseUnwritable(out)
    let variant = try arguments.variant()
    let threads = try arguments.integer("-t", in: Threads.range) ?? Threads.available
    let choice = try ModelChoice(arguments.string("--model"), for: .measuring, Project(), console)
    let engine = try Engine(choice.open(), variant: variant, threads: threads)
    let logits = try arguments.flag("--last") ? lastLogits(of: ids, engine) : engine.logits(of: ids)
    try logits.write(to: out)
    console.note("\(out): \(logits.rows) × \(logits.columns) logits of \(variant.name)")
    return .done
  }

  private static func lastLogits(of ids: [Int], _ engine: Engine) throws -> NPY {
    let sequence = try engine.makeSequence()
    try sequence.append(ids)
    let logits = try engine.step([sequence])
    let row = UnsafeBufferPointer(start: logits.row(0), count: logits.columns)
    return NPY(rows: 1, columns: logits.columns, values: Array(row))
  }
}
