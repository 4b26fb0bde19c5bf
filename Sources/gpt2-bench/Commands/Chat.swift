import Foundation
import GPT2Engine
import GPT2Kernels

enum Chat: Command {
  static let description = CommandDescription(
    name: "chat", summary: "goes on with what you type, turn by turn; /help lists its commands",
    options: [
      .model, .variant, .threads,
      Option("-n", value: "N", help: "new tokens of an answer at most (default \(ChatSettings.defaultCount))"),
      Option(
        "--temperature", value: "T",
        help: "0 is greedy; below 1 bolder, above 1 wilder (default \(ChatSettings.defaultTemperature))"),
      Option(
        "--top-k", value: "K",
        help: "draw from the K most likely tokens, 0 for all (default \(ChatSettings.defaultTopK))"),
    ]
      + GenerationOptions.options.filter {
        ["--top-p", "--min-p", "--repetition-penalty", "--seed", "--stop"].contains($0.names[0])
      } + [
        Option(
          "--mode", value: "M",
          help: "complete: all is one text (default); dialogue: lines of speakers; see /help")
      ])

  static func run(_ arguments: Arguments, _ console: Console) throws -> ExitCode {
    let settings = try ChatSettings(arguments)
    let mode = try arguments.choice("--mode", of: ChatMode.allCases.map(\.rawValue))
    let variant = try arguments.variant()
    let threads = try arguments.integer("-t", in: Threads.range) ?? Threads.available
    let loading = ContinuousClock.now
    let model = try LoadedModel(arguments.string("--model"), variant, threads: threads, console)
    let milliseconds = (ContinuousClock.now - loading) / .milliseconds(1)
    console.note(
      String(format: "%@, %@, loaded in %.1f ms; /help lists commands", model.name, variant.name, milliseconds))
    StandardStream.surviveClosedPipes()
    let terminal = Terminal()
    let session = try ChatSession(
      model, settings, mode: mode.flatMap(ChatMode.init) ?? .complete, threads: threads,
      terminal.map { TerminalDisplay($0, console) } ?? PipeDisplay(console), console)
    if let terminal {
      defer { terminal.restore() }
      let history = HistoryFile(environment: ProcessInfo.processInfo.environment)
      session.run(EditedLines(terminal, prompt: "> ", file: history, complete: ChatCommand.complete))
    } else {
      session.run(StreamLines.standardInput())
    }
    return .done
  }
}
