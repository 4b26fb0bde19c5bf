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
    let sequence = try engine.makeSequence()
    guard !ids.isEmpty else { throw EngineError.emptyPrompt }
    try sequence.append(ids)
    var values: [Float] = []
    if arguments.flag("--last") {
      let logits = try engine.step([sequence])
      values = Array(UnsafeBufferPointer(start: logits.row(0), count: logits.columns))
    } else {
      values.reserveCapacity(ids.count * engine.configuration.vocabulary)
      try engine.stepThroughPositions(of: sequence) { _, logits in values += logits }
    }
    let columns = engine.configuration.vocabulary
    try NPY(rows: values.count / columns, columns: columns, values: values).write(to: out)
    console.note("\(out): \(values.count / columns) × \(columns) logits of \(variant.name)")
    return .done
  }
}
