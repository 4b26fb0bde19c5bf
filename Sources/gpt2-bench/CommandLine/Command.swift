import Reporting

protocol Command {
  static var description: CommandDescription { get }

  static func run(_ arguments: Arguments, _ console: Console) throws -> ExitCode
}

struct CommandDescription: Sendable {
  let name: String
  let summary: String
  /// Operands as the usage line shows them, for example `[PROMPT]`.
  var operands = ""
  var operandCount = 0...0
  let options: [Option]
  /// Commands that people do not call are left out of the overview.
  var isHidden = false

  static let common = [
    Option("--quiet", help: "print no progress and no remarks on standard error"),
    Option("--no-progress", help: "print no progress"),
    Option("--no-color", help: "print no colour; the environment variable NO_COLOR does the same"),
    DefaultsFile.option,
    Option("--help", "-h", help: "show this text"),
  ]

  var allOptions: [Option] { options + Self.common }

  var usage: String {
    let words = ["gpt2-bench", name, operands, "[options]"].filter { !$0.isEmpty }
    return words.joined(separator: " ")
  }

  var help: String {
    let lines = alignedColumns(allOptions.map { ["  " + $0.synopsis, $0.help] })
    return "\(summary)\n\nusage: \(usage)\n\n\(lines.joined(separator: "\n"))\n"
  }
}

struct Option: Sendable {
  let names: [String]
  /// What stands after the name in the help; nil for a flag.
  let value: String?
  let isRepeatable: Bool
  private let words: @Sendable () -> String

  /// - Parameter help: made when it is shown: finding the defaults that it tells takes time.
  init(
    _ names: String..., value: String? = nil, isRepeatable: Bool = false,
    help: @autoclosure @escaping @Sendable () -> String
  ) { (self.names, self.value, self.isRepeatable, words) = (names, value, isRepeatable, help) }

  var help: String { words() }

  var synopsis: String { names.joined(separator: ", ") + (value.map { " " + $0 } ?? "") }
}

extension Option {
  static let model = Option(
    "--model", value: "M",
    help: "synthetic:NAME, a folder with a model, or a file: safetensors, llm.c's or seed")
  static let variants = Option(
    "--variants", value: "A,B", help: "variants to run, or all (see 'gpt2-bench list variants')")
  static let variant = Option(
    "--variant", value: "V", help: "the variant that runs (default \(Defaults.variant))")
  static let threadList = Option(
    "-t", "--threads", value: "N,…", help: "thread counts for threaded variants (default: all cores)")
  static let threads = Option("-t", "--threads", value: "N", help: "threads (default: all cores)")
  static let repetitions = Option(
    "-r", "--repetitions", value: "N", help: "samples wanted of each cell: one variant on one test")
  static let ids = Option("--ids", value: "\"1 2 3\"", help: "token ids instead of text")
  static let seed = Option("--seed", value: "S", help: "seed of the random numbers")
  static let reference = Option(
    "--reference", value: "DIR", help: "a reference case, or a folder of them (default: the project's)")
  static let outFolder = Option(
    "--out", value: "DIR", help: "folder for the reports (default: a new one in reports/)")
}
