/// A subcommand: what it takes, and what it does.
protocol Command {
  static var description: CommandDescription { get }

  static func run(_ arguments: Arguments, _ console: Console) throws -> ExitCode
}

/// All that the command line knows of a subcommand.
struct CommandDescription: Sendable {
  /// A line that people can type, and what it does.
  typealias Example = (does: String, line: String)

  let name: String
  /// What it does, in a sentence without its capital and its full stop.
  let summary: String
  /// Operands as the usage line shows them, for example `[PROMPT]`.
  var operands = ""
  var operandCount = 0...0
  /// The words that an operand may be; empty where it may be anything.
  var operandWords: [String] = []
  var examples: [Example] = []
  let options: [Option]
  /// Commands that people do not call are left out of the overview.
  var isHidden = false

  static let common = [
    Option("--quiet", in: .general, help: "print no progress and no remarks on standard error"),
    Option("--no-progress", in: .general, help: "print no progress"),
    Option(
      "--verbose", in: .general, help: "show on a terminal also how results came about, as files have it"),
    DefaultsFile.option,
    Option(
      "--no-color", in: .general, help: "print no colour; the environment variable NO_COLOR does the same"),
    Option("--help", "-h", in: .general, help: "show this text"),
  ]

  var allOptions: [Option] { options + Self.common }
}
