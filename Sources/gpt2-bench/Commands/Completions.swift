enum Completions: Command {
  static let description = CommandDescription(
    name: "completions", summary: "prints a shell's completions of subcommands, options and values",
    operands: Shell.allCases.map(\.rawValue).joined(separator: "|"), operandCount: 1...1,
    operandWords: Shell.allCases.map(\.rawValue),
    examples: [
      ("in bash, for this session", "source <(gpt2-bench completions bash)"),
      ("in fish, for good", "gpt2-bench completions fish >~/.config/fish/completions/gpt2-bench.fish"),
    ],
    options: [])

  static func run(_ arguments: Arguments, _ console: Console) throws -> ExitCode {
    let word = arguments.operands[0]
    guard let shell = Shell(rawValue: word) else {
      throw UsageError("shell", found: word, oneOf: Shell.allCases.map(\.rawValue))
    }
    console.write(shell.script(Main.visibleCommands))
    return .done
  }
}
