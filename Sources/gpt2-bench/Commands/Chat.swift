import Chat
import Foundation
import GPT2Kernels
import Measurement
import Record

enum Chat: Command {
  static let description = CommandDescription(
    name: "chat", summary: "continues what you type, turn by turn; /help lists its commands",
    examples: [
      ("GPT-2 where it has been downloaded, else the tiny model", "gpt2-bench chat"),
      ("speakers that take turns", "gpt2-bench chat --mode dialogue --temperature 0.7"),
    ],
    options: [.textModel, .variant, .kv, .threads, count, topK] + shared + [mode])

  private static let count = Option(
    "-n", value: "N", in: .effort, default: "\(ChatSettings.defaultCount)",
    help: "the most new tokens of an answer")
  private static let topK = Option(
    "--top-k", value: "K", in: .choice, default: "\(ChatSettings.defaultTopK)",
    help: "draw from the K most likely tokens, 0 for all")
  private static let mode = Option(
    "--mode", value: "M", in: .subject, choices: ChatMode.allCases.map(\.rawValue),
    default: ChatMode.complete.rawValue,
    help: "complete: all of it is one text; dialogue: speakers take turns; see /help")

  /// Those of `generate` that mean the same here.
  private static let shared = GenerationOptions.options.filter {
    ["--temperature", "--top-p", "--min-p", "--repetition-penalty", "--seed", "--stop"].contains($0.names[0])
  }.map {
    $0.names[0] == "--temperature" ? $0.defaulting(to: "\(ChatSettings.defaultTemperature)") : $0
  }

  static func run(_ arguments: Arguments, _ console: Console) throws -> ExitCode {
    let settings = try ChatSettings(arguments)
    let mode = try arguments.choice("--mode", of: ChatMode.allCases) ?? .complete
    let variant = try arguments.variant()
    let threads = try arguments.threads()
    let loading = ContinuousClock.now
    let host = Host(console: console)
    let model = try host.load(arguments.string("--model"), variant, threads: threads)
    let milliseconds = (ContinuousClock.now - loading) / .milliseconds(1)
    console.note(
      "\(model.name), \(variant.name)" + String(format: ", loaded in %.1f ms", milliseconds)
        + "; /help lists commands")
    StandardStream.surviveClosedPipes()
    try ChatSession(model, settings, mode: mode, threads: threads, host, console).run()
    return .done
  }

  private struct Host: ChatHost {
    let console: Console

    func load(_ name: String?, _ variant: Variant, threads: Int) throws -> LoadedModel {
      let choice = try ModelChoice(name, for: .text, Project(), console)
      return try LoadedModel(
        choice.name, choice.checkpoint, choice.tokenizer(), ends: choice.ends(), variant, threads: threads)
    }

    func variant(named name: String) throws -> Variant { try Arguments.variant(name, "variant") }

    var memory: (resident: Int?, peak: Int?) {
      (ProcessMemory.residentBytes(), ProcessMemory.peakResidentBytes())
    }

    var machine: (cores: Int, cpu: String?, system: String) {
      let facts = Machine.current()
      return (facts.logicalCores, facts.cpu, facts.system)
    }
  }
}

extension Console: ChatConsole {
  var hasFailed: Bool { StandardStream.failure != nil }
}

extension ChatSettings {
  /// - Throws: `UsageError` for a value that makes no sense, `EngineError` for an empty stop.
  init(_ arguments: Arguments) throws {
    let temperature = try arguments.number("--temperature").map { Float($0) } ?? Self.defaultTemperature
    // All tokens of a vocabulary are at most as many as there are numbers.
    let topK = try arguments.integer("--top-k", in: 0...Int.max) ?? Self.defaultTopK
    let sampling = try arguments.sampling(temperature: temperature, topK: topK == 0 ? nil : topK)
    let count = try arguments.integer("-n", in: 1...Int.max) ?? Self.defaultCount
    try self.init(sampling, maximumNewTokens: count, stops: arguments.stops())
  }
}
