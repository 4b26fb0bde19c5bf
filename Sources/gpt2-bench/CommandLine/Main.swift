import CSystem
import Files
import Foundation
import Reporting

@main
enum Main {
  static var commands: [any Command.Type] {
    [
      All.self, Run.self, Matmul.self, Ops.self, Check.self, Profiling.self, Compare.self, Explain.self,
      Report.self, Generate.self, Chat.self, Perplexity.self, Tokenize.self, Logits.self, Export.self,
      List.self, Info.self, WorkerCommand.self,
    ]
  }

  private static var visibleCommands: [CommandDescription] {
    commands.map { $0.description }.filter { !$0.isHidden }
  }

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
    if ["--help", "-h", "help"].contains(name) {
      StandardStream.output.write(overview)
      return .done
    }
    guard let command = commands.first(where: { $0.description.name == name }) else {
      let known = visibleCommands.map(\.name)
      return fail(
        "unknown subcommand '\(name.safeLine(limit: 200))', expected one of \(known.joined(separator: ", "))",
        .usage)
    }
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
        color: !arguments.flag("--no-color"))
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

  private static var overview: String {
    let lines = alignedColumns(visibleCommands.map { ["  " + $0.name, $0.summary] })
    return """
      How fast GPT-2 runs on this CPU, why, and whether a change made it slower.

      usage: gpt2-bench SUBCOMMAND [options]

      \(lines.joined(separator: "\n"))

      'gpt2-bench SUBCOMMAND --help' shows a subcommand's options.

      """
  }
}
