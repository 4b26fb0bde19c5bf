import CSystem
import Foundation
import GPT2Engine
import GPT2Model

@main
enum Main {
  static var commands: [any Command.Type] {
    [
      All.self, Run.self, Matmul.self, Ops.self, Check.self, Profiling.self, Compare.self, Explain.self,
      Report.self, Generate.self, Chat.self, Perplexity.self, Tokenize.self, Logits.self, Export.self,
      List.self, Info.self, WorkerCommand.self,
    ]
  }

  static func main() {
    if let missing = csystem_missing_cpu_extension() {
      let build = String(cString: csystem_cpu_flag())
      let message =
        "this CPU has no \(String(cString: missing)), which this build (\(build)) uses; "
        + "build on this machine, or set GPT2_BENCH_MARCH"
      exit(fail(message, .error).rawValue)
    }
    var code = run(Array(CommandLine.arguments.dropFirst()))
    // A reader that went away had enough.
    if code == .done, !StandardStream.isClosed, let failure = StandardStream.failure {
      code = fail("standard output: cannot be written: \(failure)", .error)
    }
    exit(code.rawValue)
  }

  /// - Parameter words: the command line without the program's name.
  static func run(_ words: [String]) -> ExitCode {
    guard let name = words.first else {
      StandardStream.error.write(overview)
      return .usage
    }
    if ["--help", "-h", "help"].contains(name) {
      StandardStream.output.write(overview)
      return .done
    }
    guard let command = command(named: name) else {
      let known = commands.map { $0.description }.filter { !$0.isHidden }.map(\.name)
      return fail("unknown subcommand '\(name)', expected one of \(known.joined(separator: ", "))", .usage)
    }
    do {
      let arguments = try Arguments(Array(words.dropFirst()), of: command.description)
      if arguments.flag("--help") {
        StandardStream.output.write(command.description.help)
        return .done
      }
      let console = Console(
        quiet: arguments.flag("--quiet"), progress: !arguments.flag("--no-progress"),
        color: !arguments.flag("--no-color"))
      return try command.run(arguments, console)
    } catch {
      return fail("\(name): \(error)", exitCode(for: error))
    }
  }

  private static func command(named name: String) -> (any Command.Type)? {
    for command in commands where command.description.name == name { return command }
    return nil
  }

  /// What is wrong on the command line exits 2, what is wrong with a file, a model or the machine exits 1.
  static func exitCode(for error: any Error) -> ExitCode {
    switch error {
    case is UsageError: .usage
    case let error as ModelError:
      switch error {
      case .unknownModel, .configuration: .usage
      default: .error
      }
    case let error as EngineError:
      switch error {
      // A token of the model's that the vocabulary lacks is the files' fault, not the command line's.
      case .outOfMemory, .tokenWithoutText: .error
      default: .usage
      }
    case let error as TokenizerError:
      switch error {
      case .idOutsideVocabulary: .usage
      default: .error
      }
    default: .error
    }
  }

  private static func fail(_ message: String, _ code: ExitCode) -> ExitCode {
    StandardStream.error.write("gpt2-bench: \(message)\n")
    return code
  }

  private static var overview: String {
    let visible = commands.map { $0.description }.filter { !$0.isHidden }
    let width = visible.map(\.name.count).max() ?? 0
    let lines = visible.map { "  \($0.name.padding(to: width))  \($0.summary)" }
    return """
      How fast GPT-2 runs on this CPU, why, and whether a change made it slower.

      usage: gpt2-bench SUBCOMMAND [options]

      \(lines.joined(separator: "\n"))

      'gpt2-bench SUBCOMMAND --help' shows a subcommand's options.

      """
  }
}
