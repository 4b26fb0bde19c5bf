import Foundation
import GPT2Model

enum Export: Command {
  static let description = CommandDescription(
    name: "export", summary: "a model's weights in another format",
    options: [
      .model,
      Option("--format", value: "F", help: "safetensors"),
      Option(
        "--out", value: "PATH",
        help: "a folder for config.json, weights and vocabulary, or a .safetensors file"),
    ])

  static func run(_ arguments: Arguments, _ console: Console) throws -> ExitCode {
    guard let model = arguments.string("--model") else {
      throw UsageError("--model: found nothing, expected a model")
    }
    guard try arguments.choice("--format", of: ["safetensors"]) != nil else {
      throw UsageError("--format: found nothing, expected safetensors")
    }
    guard let out = arguments.string("--out"), !out.isEmpty else {
      throw UsageError("--out: found nothing, expected a folder or a .safetensors file")
    }
    let choice = try ModelChoice(model, for: .measuring, Project(), console)
    try choice.open().exportSafetensors(to: out)
    if !out.hasSuffix(".safetensors"), let source = choice.source.tokenizerFolder {
      for name in ["vocab.json", "merges.txt"] { try copy(name, from: source, to: out) }
    }
    console.note("\(out): written")
    return .done
  }

  private static func copy(_ name: String, from source: String, to target: String) throws {
    let (from, to) = (source + "/" + name, target + "/" + name)
    guard FileManager.default.fileExists(atPath: from), from != to else { return }
    do {
      try Data(contentsOf: URL(fileURLWithPath: from))
        .write(to: URL(fileURLWithPath: to), options: .atomic)
    } catch {
      throw ModelError.unwritable(path: to, reason: (error as NSError).localizedDescription)
    }
  }
}
