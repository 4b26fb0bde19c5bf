import GPT2Engine
import GPT2Model

enum Logits: Command {
  static let description = CommandDescription(
    name: "logits", summary: "writes the logits of token ids as a float32 .npy file (positions, vocabulary)",
    examples: [
      (
        "the logits of three positions",
        "gpt2-bench logits --ids \"1 2 3\" --model weights/tiny --out logits.npy"
      ),
      ("the last position's, by the oracle", "gpt2-bench logits --ids 1 --last --variant naive --out l.npy"),
    ],
    options: [
      .ids.defaulting(to: "none, they must be given"), .model, .variant, .kv, .threads,
      Option("--last", help: "write only the logits of the last position"),
      Option("--out", value: "FILE.npy", default: "none, it must be given", help: "the file to write"),
    ])

  static func run(_ arguments: Arguments, _ console: Console) throws -> ExitCode {
    let ids = try arguments.required("--ids", arguments.ids("--ids"), expected: "token ids such as \"1 2 3\"")
    let out = try arguments.required("--out", arguments.string("--out"), expected: "a path for the .npy file")
    try Output.refuseUnwritable(out)
    let variant = try arguments.variant()
    let threads = try arguments.threads()
    let choice = try ModelChoice(arguments.string("--model"), for: .measuring, Project(), console)
    let engine = try Engine(choice.checkpoint, variant: variant, threads: threads)
    let logits = try arguments.flag("--last") ? lastLogits(of: ids, engine) : engine.logits(of: ids)
    try logits.checkFinite(from: ids.count - logits.rows)
    try logits.write(to: out)
    console.note("\(out): \(logits.rows) × \(logits.columns) logits of \(variant.name)")
    return .done
  }

  private static func lastLogits(of ids: [Int], _ engine: Engine) throws -> NPY {
    let sequence = try engine.makeSequence()
    try sequence.append(ids)
    let logits = try engine.step([sequence])
    let row = logits.values(ofRow: 0)
    return NPY(rows: 1, columns: logits.columns, values: Array(row))
  }
}
