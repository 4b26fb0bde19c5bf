import Foundation
import GPT2Engine
import GPT2Kernels

enum Chat: Command {
  static let description = CommandDescription(
    name: "chat", summary: "goes on with what you type, turn by turn; /help lists its commands",
    options: [.model, .variant, .threads, count, temperature, topK] + shared + [mode])

  private static let count = Option(
    "-n", value: "N", help: "new tokens of an answer at most (default \(ChatSettings.defaultCount))")
  private static let temperature = Option(
    "--temperature", value: "T",
    help: "0 is greedy; lower keeps to the likely (default \(ChatSettings.defaultTemperature))")
  private static let topK = Option(
    "--top-k", value: "K",
    help: "draw from the K most likely tokens, 0 for all (default \(ChatSettings.defaultTopK))")
  private static let mode = Option(
    "--mode", value: "M", help: "complete: all is one text (default); dialogue: lines of speakers; see /help")

  /// Those of `generate` that mean the same here.
  private static let shared = GenerationOptions.options.filter {
    ["--top-p", "--min-p", "--repetition-penalty", "--seed", "--stop"].contains($0.names[0])
  }

  static func run(_ arguments: Arguments, _ console: Console) throws -> ExitCode {
    let settings = try ChatSettings(arguments)
    let mode = try arguments.choice("--mode", of: ChatMode.allCases) ?? .complete
    let variant = try arguments.variant()
    let threads = try arguments.threads()
    let loading = ContinuousClock.now
    let model = try LoadedModel(arguments.string("--model"), variant, threads: threads, console)
    let milliseconds = (ContinuousClock.now - loading) / .milliseconds(1)
    console.note(
      "\(model.name), \(variant.name)" + String(format: ", loaded in %.1f ms", milliseconds)
        + "; /help lists commands")
    StandardStream.surviveClosedPipes()
    let environment = ProcessInfo.processInfo.environment
    func session(_ display: any ChatDisplay) throws -> ChatSession {
      try ChatSession(model, settings, mode: mode, threads: threads, display, console)
    }
    if let terminal = Terminal(environment: environment) {
      defer { terminal.restore() }
      try session(TerminalDisplay(terminal, console)).run(
        EditedLines(
          terminal, prompt: "> ", file: HistoryFile(environment: environment), complete: ChatCommand.complete)
      )
    } else {
      try session(PipeDisplay(console)).run(StreamLines.standardInput())
    }
    return .done
  }
}
