import CSystem
import Files
import Foundation
import Record

@main
enum Main {
  static var commands: [any Command.Type] {
    [
      All.self, Run.self, Matmul.self, Ops.self, Check.self, Profiling.self, Compare.self, Explain.self,
      Report.self, Generate.self, Chat.self, Train.self, Perplexity.self, Tokenize.self, Logits.self,
      Export.self, List.self, Info.self, Completions.self, Help.self, WorkerCommand.self,
    ]
  }

  static var visibleCommands: [CommandDescription] { commands.map { $0.description }.filter { !$0.isHidden } }

  /// The command of that name.
  ///
  /// - Throws: `UsageError` that names the nearest one.
  static func command(_ name: String) throws -> any Command.Type {
    if let command = commands.first(where: { $0.description.name == name }) { return command }
    guard !name.hasPrefix("-") else {
      throw UsageError(
        "found '\(name.safeLine(limit: 200))', expected a subcommand before options"
          + NearestName.advice(for: name, among: ownOptions.map(\.name)))
    }
    throw UsageError(unknown: "subcommand", name, among: visibleCommands.map(\.name))
  }

  /// Options that stand in a subcommand's place.
  static let ownOptions: [(name: String, help: String)] = [
    ("--help", "show this text"), ("--version", "show the version and the build"),
  ]

  static func main() {
    // A file that may not grow further is an error of writing it.
    signal(SIGXFSZ, SIG_IGN)
    if let missing = csystem_missing_cpu_extension() {
      let build = String(cString: csystem_cpu_flag())
      let message =
        "this CPU has no \(String(cString: missing)), which this build (\(build)) uses; "
        + "build on this machine, or set GPT2_BENCH_MARCH"
      exit(fail(message, .error).rawValue)
    }
    csystem_bus_errors_catch("gpt2-bench: ")
    var code: ExitCode
    do { code = run(try Arguments.words(CommandLine.unsafeArgv, count: CommandLine.argc)) } catch {
      code = fail("\(error)", .usage)
    }
    // A reader that went away had enough.
    if code == .done, !StandardStream.isClosed, let failure = StandardStream.failure {
      code = fail("standard output: cannot be written: \(failure)", .error)
    }
    exit(code.rawValue)
  }

  static func run(_ words: [String]) -> ExitCode {
    guard let name = words.first else {
      StandardStream.error.write(overview)
      return .usage
    }
    if ["--help", "-h"].contains(name) {
      StandardStream.output.write(overview)
      return .done
    }
    if name == "--version" {
      StandardStream.output.write(Build.current(try? Project()).text)
      return .done
    }
    let command: any Command.Type
    do { command = try self.command(name) } catch { return fail("\(error)", .usage) }
    var defaults: (path: String, words: [String])?
    do {
      let given = Array(words.dropFirst())
      var arguments = try Arguments(given, of: command.description)
      if arguments.flag("--help") {
        StandardStream.output.write(command.description.help)
        return .done
      }
      if !command.description.isHidden, let file = try DefaultsFile(arguments) {
        let own = try file.words(for: command.description, besides: arguments)
        if !own.isEmpty { defaults = (file.path, own) }
        arguments = try Arguments(own + given, of: command.description)
      }
      let console = Console(
        quiet: arguments.flag("--quiet"), progress: !arguments.flag("--no-progress"),
        color: !arguments.flag("--no-color"), verbose: arguments.flag("--verbose"))
      return try command.run(arguments, console)
    } catch {
      let origin = defaults.map { " (with \($0.words.joined(separator: " ")) of \($0.path))" } ?? ""
      return fail("\(name): \(error)\(error is UsageError ? origin : "")", ExitCode(for: error))
    }
  }

  private static func fail(_ message: String, _ code: ExitCode) -> ExitCode {
    StandardStream.error.line("gpt2-bench: \(message)".safeLine(limit: 2000))
    return code
  }

  /// What `--help` shows without a subcommand.
  static var overview: String {
    let rows = visibleCommands.map { ($0.name, $0.summary) }
    let options = ownOptions.map { ($0.name, $0.help) }
    let indent = HelpText.indent(of: rows + options)
    return HelpText.joined([
      [HelpText.wrapped("How fast GPT-2 runs on this CPU, why, and whether a change made it slower.")],
      ["usage: gpt2-bench SUBCOMMAND [options]"], HelpText.examples(examples),
      ["Subcommands:"] + HelpText.columns(rows, indent: indent),
      ["Options:"] + HelpText.columns(options, indent: indent),
      ["'gpt2-bench help SUBCOMMAND' shows a subcommand's options."],
    ])
  }

  private static let examples: [CommandDescription.Example] = [
    ("check and measure every variant, a few minutes", "gpt2-bench all"),
    ("text from a tiny model", "gpt2-bench generate \"ROMEO:\" --seed 1"),
    ("what is the machine, and what is this build?", "gpt2-bench info"),
  ]
}
