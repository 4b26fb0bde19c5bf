import Foundation
import GPT2Engine
import GPT2Kernels
import GPT2Model

/// A prompt, checked against the model, and how it is to be continued.
struct GenerationRequest {
  let prompt: [Int]
  let parameters: GenerationParameters
  private let checkpoint: Checkpoint
  private let tokenizer: Tokenizer?
  /// Text to print before the continuation.
  private let echo: String?
  private let printsIDs: Bool

  /// - Throws: where anything of it cannot be, before weights are prepared.
  init(_ arguments: Arguments, _ options: GenerationOptions, _ console: Console) throws {
    let ids = try arguments.ids("--ids")
    printsIDs = arguments.flag("--print-ids")
    if ids != nil, !arguments.operands.isEmpty {
      throw UsageError("--ids: found a text prompt beside it, expected one of the two")
    }
    let choice = try ModelChoice(arguments.string("--model"), for: .text, Project(), console)
    checkpoint = try choice.open()
    tokenizer = try choice.tokenizer(of: checkpoint.configuration)
    guard tokenizer != nil || printsIDs else {
      throw UsageError("\(choice.source.name) has no tokenizer, expected --ids and --print-ids")
    }
    guard tokenizer != nil || options.stops.isEmpty else {
      throw UsageError("--stop: \(choice.source.name) has no tokenizer, expected one to make text of tokens")
    }
    let text = arguments.operands.first == "-" ? Self.standardInput() : arguments.operands.first
    echo = ids == nil && !printsIDs ? text : nil
    prompt = try ids ?? Self.prompt(text, tokenizer, choice)
    let configuration = checkpoint.configuration
    let count = try Self.count(options.count, behind: prompt, context: configuration.context)
    if let id = prompt.first(where: { $0 >= configuration.vocabulary }) {
      throw EngineError.tokenOutsideVocabulary(id: id, vocabulary: configuration.vocabulary)
    }
    parameters = GenerationParameters(
      sampling: options.sampling, maximumNewTokens: count, stops: options.stops,
      endsAtEndOfText: options.endsAtEndOfText)
  }

  private static func standardInput() -> String {
    String(decoding: FileHandle.standardInput.readDataToEndOfFile(), as: UTF8.self)
  }

  private static func prompt(
    _ text: String?, _ tokenizer: Tokenizer?, _ choice: ModelChoice
  ) throws -> [Int] {
    guard let tokenizer else { throw UsageError("\(choice.source.name) has no tokenizer, expected --ids") }
    if let text { return try tokenizer.encode(text) }
    guard let endOfText = tokenizer.endOfText else {
      throw UsageError(
        "the vocabulary has no \(Tokenizer.endOfTextSpelling) to start from, expected a prompt")
    }
    return [endOfText]
  }

  private static func count(_ asked: Int?, behind prompt: [Int], context: Int) throws -> Int {
    guard !prompt.isEmpty else { throw EngineError.emptyPrompt }
    let room = context - prompt.count
    if let asked, asked > room {
      throw UsageError(
        "-n", found: "\(asked)",
        expected: "at most \(max(room, 0)) behind a prompt of \(prompt.count) tokens in a context of "
          + "\(context)")
    }
    guard room > 0 else { throw EngineError.contextExceeded(tokens: prompt.count + 1, context: context) }
    return asked ?? min(GenerationOptions.defaultCount, room)
  }

  /// Prints the prompt and its continuation by a variant, each piece as soon as it is there, and a line's end.
  ///
  /// Ends early where the user wants to end, and where nobody takes the text any more.
  func perform(_ variant: Variant, threads: Int, _ console: Console) throws -> TimedGeneration {
    let loading = ContinuousClock.now
    let engine = try Engine(checkpoint, variant: variant, threads: threads)
    console.note(String(format: "loaded in %.1f ms", (ContinuousClock.now - loading) / .milliseconds(1)))
    if let echo { console.write(echo) }
    var generation = TimedGeneration(self, engine)
    do {
      generation.ending = try Generator(engine, tokenizer: tokenizer).generate(prompt: prompt, parameters) {
        step in
        if let token = step.token { generation.add(token) }
        if printsIDs {
          if let token = step.token {
            console.write(generation.output.ids.count == 1 ? "\(token)" : " \(token)")
          }
        } else if !step.text.isEmpty {
          console.write(step.text)
        }
        return !Interruption.shared.isCancelled && StandardStream.failure == nil
      }
    } catch {
      // What was printed is a line of its own.
      console.write("\n")
      throw error
    }
    console.write("\n")
    return generation
  }
}
