import Foundation
import GPT2Engine
import GPT2Model
import Measurement

enum Generate: Command {
  static let description = CommandDescription(
    name: "generate", summary: "continues a prompt, streaming", operands: "[PROMPT]", operandCount: 0...1,
    options: [
      .model, .variant, .threads,
      Option("-n", value: "N", help: "new tokens (default \(defaultCount), or what the context leaves)"),
      Option("--temperature", value: "T", help: "0 is greedy, the default; 1 with --top-k or --top-p"),
      Option("--top-k", value: "K", help: "draw from the K most likely tokens"),
      Option("--top-p", value: "P", help: "draw from the most likely tokens that reach probability P"),
      .seed, .ids,
      Option("--print-ids", help: "print the new ids, separated by spaces, instead of the text"),
    ])

  private static let defaultCount = 128

  static func run(_ arguments: Arguments, _ console: Console) throws -> ExitCode {
    let sampling = try sampling(arguments)
    let variant = try arguments.variant()
    let threads = try arguments.integer("-t", in: Threads.range) ?? Threads.available
    let asked = try arguments.integer("-n", in: 1...Int.max)
    let ids = try arguments.ids("--ids")
    if ids != nil, !arguments.operands.isEmpty {
      throw UsageError("--ids: found a text prompt beside it, expected one of the two")
    }
    let choice = try ModelChoice(arguments.string("--model"), for: .text, Project(), console)
    let checkpoint = try choice.open()
    let tokenizer = try choice.tokenizer(of: checkpoint.configuration)
    guard tokenizer != nil || arguments.flag("--print-ids") else {
      throw UsageError("\(choice.source.name) has no tokenizer, expected --ids and --print-ids")
    }
    let prompt = try ids ?? textPrompt(arguments, tokenizer, choice)
    guard !prompt.isEmpty else { throw EngineError.emptyPrompt }
    let context = checkpoint.configuration.context
    if let asked, asked > context - prompt.count {
      throw UsageError(
        "-n", found: "\(asked)",
        expected: "at most \(max(context - prompt.count, 0)) behind a prompt of "
          + "\(prompt.count) tokens in a context of \(context)")
    }
    let count = asked ?? min(defaultCount, context - prompt.count)
    guard count > 0 else {
      throw EngineError.contextExceeded(tokens: prompt.count + 1, context: context)
    }
    if let id = prompt.first(where: { $0 >= checkpoint.configuration.vocabulary }) {
      throw EngineError.tokenOutsideVocabulary(id: id, vocabulary: checkpoint.configuration.vocabulary)
    }
    let loading = ContinuousClock.now
    let engine = try Engine(checkpoint, variant: variant, threads: threads)
    console.note(String(format: "loaded in %.1f ms", (ContinuousClock.now - loading) / .milliseconds(1)))
    let printer = Printer(
      console, arguments.flag("--print-ids") ? nil : tokenizer.map(StreamingDecoder.init))
    let request = Request(
      prompt: prompt, echo: ids == nil ? arguments.operands.first : nil, count: count,
      endOfText: tokenizer?.endOfText, sampling: sampling)
    try generate(request, with: engine, printer, console)
    return .done
  }

  private struct Request {
    let prompt: [Int]
    /// Text to print before the continuation.
    let echo: String?
    let count: Int
    let endOfText: Int?
    let sampling: SamplingParameters
  }

  private static func generate(
    _ request: Request, with engine: Engine, _ printer: Printer, _ console: Console
  ) throws {
    if let echo = request.echo { printer.echo(echo) }
    var times: [ContinuousClock.Instant] = []
    var failure: (any Error)?
    let start = ContinuousClock.now
    var generator = Generator(engine, sampling: request.sampling)
    try generator.generate(
      prompt: request.prompt, count: request.count, endOfText: request.endOfText
    ) { id in
      times.append(.now)
      do { try printer.print(id) } catch { failure = error }
      return failure == nil
    }
    printer.finish()
    // An id of the model's that the vocabulary lacks is the files' fault, not the command line's.
    if let failure { throw RunError("\(failure)") }
    console.note(statistics(request, start: start, times: times, engine))
  }

  /// TTFT without loading, the time and rate of the tokens behind the first, and the most memory that was resident.
  private static func statistics(
    _ request: Request, start: ContinuousClock.Instant, times: [ContinuousClock.Instant], _ engine: Engine
  ) -> String {
    var text =
      "\(request.prompt.count) + \(times.count) tokens, \(engine.variant.name), \(engine.threads) thread"
      + (engine.threads == 1 ? "" : "s")
    if let first = times.first {
      text += String(format: ", TTFT %.1f ms", (first - start) / .milliseconds(1))
      if let last = times.last, times.count > 1 {
        let perToken = (last - first) / .milliseconds(1) / Double(times.count - 1)
        text += String(format: ", TPOT %.2f ms, %.1f tok/s", perToken, 1000 / perToken)
      }
    }
    if let peak = ProcessMemory.peakResidentBytes() {
      text += String(format: ", peak memory %.1f MiB", Double(peak) / 1_048_576)
    }
    if request.sampling.temperature > 0 { text += ", seed \(request.sampling.seed)" }
    return text
  }

  private static func textPrompt(
    _ arguments: Arguments, _ tokenizer: Tokenizer?, _ choice: ModelChoice
  ) throws -> [Int] {
    guard let tokenizer else {
      throw UsageError("\(choice.source.name) has no tokenizer, expected --ids")
    }
    if let text = arguments.operands.first { return try tokenizer.encode(text) }
    guard let endOfText = tokenizer.endOfText else {
      throw UsageError(
        "the vocabulary has no \(Tokenizer.endOfTextSpelling) to start from, expected a prompt")
    }
    return [endOfText]
  }

  private static func sampling(_ arguments: Arguments) throws -> SamplingParameters {
    let topK = try arguments.integer("--top-k", in: 1...Int.max)
    let topP = try arguments.number("--top-p")
    let temperature = try arguments.number("--temperature")
    let draws = topK != nil || topP != nil || arguments.flag("--seed")
    let seed = try arguments.unsigned("--seed") ?? .random(in: 0...UInt64(UInt32.max))
    return try SamplingParameters(
      temperature: Float(temperature ?? (draws ? 1 : 0)), topK: topK, topP: Float(topP ?? 1), seed: seed)
  }
}

/// Prints tokens as they come: text as soon as whole characters exist, or ids.
private final class Printer {
  private let console: Console
  private var decoder: StreamingDecoder?
  private var isFirst = true

  /// - Parameter decoder: nil to print ids.
  init(_ console: Console, _ decoder: StreamingDecoder?) {
    self.console = console
    self.decoder = decoder
  }

  func echo(_ prompt: String) {
    if decoder != nil { console.write(prompt) }
  }

  func print(_ id: Int) throws {
    if let text = try decoder?.push(id) {
      console.write(text)
    } else {
      console.write(isFirst ? "\(id)" : " \(id)")
    }
    isFirst = false
  }

  func finish() { console.write((decoder?.finish() ?? "") + "\n") }
}
