enum Help: Command {
  static let description = CommandDescription(
    name: "help", summary: "shows what a subcommand does, as its --help",
    operands: "[SUBCOMMAND]", operandCount: 0...1,
    examples: [
      ("the subcommands", "gpt2-bench help"),
      ("one of them", "gpt2-bench help compare"),
    ],
    options: [])

  static func run(_ arguments: Arguments, _ console: Console) throws -> ExitCode {
    let text = try arguments.operands.first.map { try Main.command($0).description.help } ?? Main.overview
    console.write(text)
    return .done
  }
}
