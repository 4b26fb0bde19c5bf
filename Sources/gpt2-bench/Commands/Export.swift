import GPT2Model

enum Export: Command {
  static let description = CommandDescription(
    name: "export", summary: "a model's weights and vocabulary in another format",
    options: [
      .model,
      Option("--format", value: "F", help: formats.joined(separator: ", ")),
      Option(
        "--out", value: "PATH",
        help: "a folder, or a file: .safetensors (with no vocabulary), or .bin with its vocabulary beside it"),
    ])

  private static let formats = ExportFormat.allCases.map(\.rawValue)

  static func run(_ arguments: Arguments, _ console: Console) throws -> ExitCode {
    guard let model = arguments.string("--model") else {
      throw UsageError("--model: found nothing, expected a model")
    }
    guard let format = try arguments.choice("--format", of: formats).flatMap(ExportFormat.init(rawValue:))
    else {
      throw UsageError("--format: found nothing, expected \(formats.joined(separator: ", "))")
    }
    guard let out = arguments.string("--out"), !out.isEmpty else {
      throw UsageError("--out: found nothing, expected a folder or a file")
    }
    let choice = try ModelChoice(model, for: .measuring, Project(), console)
    let written = try format.write(choice.open(), of: choice.source, to: out)
    for file in written { console.note("\(file): written") }
    return .done
  }
}
