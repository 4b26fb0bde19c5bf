import Chat
import Foundation
import GPT2Engine
import GPT2Kernels
import GPT2Model
import Measurement
import Reporting

enum Generate: Command {
  static let description = CommandDescription(
    name: "generate",
    summary: "continues a prompt and prints the text as it comes; --variants runs several in turn",
    operands: "[PROMPT]", operandCount: 0...1,
    examples: [
      ("text of the tiny trained model, the same each time", "gpt2-bench generate \"ROMEO:\" --seed 1"),
      ("the most likely tokens, from GPT-2 itself", "gpt2-bench generate \"Once\" --model weights/gpt2"),
      (
        "a model without a tokenizer",
        "gpt2-bench generate --ids \"1 2 3\" --print-ids --model synthetic:tiny"
      ),
    ],
    options: [.textModel, .variant, .variants.defaulting(to: "the one of --variant"), .kv, .threads]
      + GenerationOptions.options + [
        .ids.defaulting(to: "PROMPT, else the start of a text"),
        Option(
          "-f", "--file", value: "FILE", in: .subject, default: "PROMPT",
          help: "the prompt is the text of this file, to its last byte"),
        Option("--print-ids", help: "print the new ids, separated by spaces, instead of the text"),
        .resultFormat,
      ])

  static func run(_ arguments: Arguments, _ console: Console) throws -> ExitCode {
    let variants = try arguments.oneOrMoreVariants { single in
      UsageError("--variant", found: single, expected: "one of --variant and --variants")
    }
    let threads = try arguments.threads()
    let request = try GenerationRequest(arguments, console)
    Interruption.watch()
    StandardStream.surviveClosedPipes()
    if let format = request.format {
      var done: [TimedGeneration] = []
      for variant in variants where !Interruption.shared.isCancelled {
        done.append(try request.perform(variant, threads: threads, console))
      }
      console.write(try request.report(of: done).text(as: format))
      return Interruption.shared.isCancelled
        ? Interruption.shared.exitCode : comparison(done, request).exitCode
    }
    if arguments.flag("--variants") { return try runSideBySide(request, variants, threads: threads, console) }
    let generation = try request.perform(variants[0], threads: threads, console)
    // What became of the output is the caller's to say.
    guard StandardStream.failure == nil else { return .done }
    console.note(generation.statistics())
    return generation.isInterrupted ? Interruption.shared.exitCode : .done
  }

  /// One prompt through several variants, one after the other, and what they differ by: in tokens and in speed.
  private static func runSideBySide(
    _ request: GenerationRequest, _ variants: [Variant], threads: Int, _ console: Console
  ) throws -> ExitCode {
    var done: [TimedGeneration] = []
    for variant in variants where !Interruption.shared.isCancelled {
      console.print((done.isEmpty ? "" : "\n") + "== \(variant.name)")
      done.append(try request.perform(variant, threads: threads, console))
      // What became of the output is the caller's to say.
      guard StandardStream.failure == nil else { return .done }
      console.note(done[done.count - 1].statistics(withMemory: false))
    }
    let isInterrupted = Interruption.shared.isCancelled
    let whole = done.filter { !$0.isInterrupted }
    guard !whole.isEmpty else { return Interruption.shared.exitCode }
    let comparison = comparison(whole, request)
    console.print("\n" + comparison.lines.joined(separator: "\n"))
    console.print("\n" + table(whole))
    if isInterrupted { return Interruption.shared.exitCode }
    return comparison.exitCode
  }

  private static func comparison(_ done: [TimedGeneration], _ request: GenerationRequest) -> IDComparison {
    IDComparison(done.map(\.output), isDrawn: request.parameters.sampling.temperature > 0) {
      request.quoted($0)
    }
  }

  private static func table(_ generations: [TimedGeneration]) -> String {
    let first = generations[0]
    func text(_ value: Double?, _ format: String) -> String { value.map { String(format: format, $0) } ?? "" }
    let rows = generations.map { generation in
      let rate = generation.times.tokensPerSecond
      let factor = first.times.tokensPerSecond.flatMap { base in rate.map { $0 / base } }
      return [
        generation.output.variant, "\(generation.threads)",
        text(generation.times.millisecondsToFirst, "%.1f"), text(rate, "%.1f"), text(factor, "%.2f"),
      ]
    }
    let titles = ["variant", "threads", "TTFT ms", "tok/s", "× \(first.output.variant)"]
    return alignedColumns([titles] + rows, rightAligned: true).joined(separator: "\n")
  }
}

/// How the command line says how tokens are chosen and where the text ends.
enum GenerationOptions {
  static let defaultCount = 128

  static let options = [
    Option(
      "-n", value: "N", in: .effort, default: "\(defaultCount), or what the context leaves",
      help: "new tokens"),
    Option(
      "--temperature", value: "T", in: .choice,
      default: "0, or 1 with --top-k, --top-p, --min-p or --seed",
      help: "0 is greedy; lower values prefer likely tokens"),
    Option(
      "--top-k", value: "K", in: .choice, default: "all tokens",
      help: "draw from the K most likely tokens"),
    Option(
      "--top-p", value: "P", in: .choice, default: "1",
      help: "draw from the most likely tokens that together reach probability P"),
    Option(
      "--min-p", value: "P", in: .choice, default: "0",
      help: "draw from the tokens at least P times as likely as the most likely one"),
    Option(
      "--repetition-penalty", value: "R", in: .choice, default: "1, which changes nothing",
      help: "make tokens that the text already has less likely, also if greedy"),
    Option(
      "--seed", value: "S", in: .choice, default: "another one each time", help: Option.seed.summary),
    Option(
      "--stop", value: "TEXT", isRepeatable: true, in: .effort, default: "none",
      help: "stop before this text, which may hold \\n, \\r, \\t and \\\\; may be given several times"),
    Option("--ignore-eos", in: .effort, help: "continue after a token that ends a text"),
  ]
}

extension Arguments {
  /// The options of `generate` that mean the same in `chat`.
  ///
  /// - Throws: `UsageError` for a value that makes no sense.
  func sampling(temperature: Float, topK: Int?) throws -> SamplingParameters {
    do {
      return try SamplingParameters(
        temperature: temperature, topK: topK, topP: Float(number("--top-p") ?? 1),
        minP: Float(number("--min-p") ?? 0), repetitionPenalty: Float(number("--repetition-penalty") ?? 1),
        seed: unsigned("--seed") ?? .random(in: 0...UInt64(UInt32.max)))
    } catch EngineError.sampling(let parameter, let found, let expected) {
      throw refusal(of: "--" + parameter.replacing(" ", with: "-"), standard: found, expected: expected)
    }
  }

  func stops() throws -> StopSequences {
    try StopSequences(strings("--stop").map { try QuotedWords.unescaped($0, name: "--stop") })
  }
}

/// A prompt, checked against the model, and how it is to be continued.
struct GenerationRequest {
  let prompt: [Int]
  let parameters: GenerationParameters
  /// Nil for the text as it comes.
  let format: ResultFormat?
  private let model: String
  private let checkpoint: Checkpoint
  /// nil where no text is made: the model has none, or ids are given and wanted.
  private let tokenizer: Tokenizer?
  private let ends: Set<Int>
  private let echo: String?
  private let printsIDs: Bool

  /// - Throws: where anything of it cannot be, before weights are prepared.
  init(_ arguments: Arguments, _ console: Console) throws {
    format = try arguments.choice("--format", of: ResultFormat.allCases)
    let topK = try arguments.integer("--top-k", in: 1...Int.max)
    let draws = ["--top-k", "--top-p", "--min-p", "--seed"].contains(where: arguments.flag)
    let temperature = try arguments.number("--temperature") ?? (draws ? 1 : 0)
    let sampling = try arguments.sampling(temperature: Float(temperature), topK: topK)
    let stops = try arguments.stops()
    let asked = try arguments.integer("-n", in: 1...Int.max)
    let ids = try arguments.ids("--ids")
    printsIDs = arguments.flag("--print-ids")
    if ids != nil, !arguments.operands.isEmpty {
      throw UsageError("--ids: found a text prompt too, expected one of the two")
    }
    let choice = try ModelChoice(arguments.string("--model"), for: .text, Project(), console)
    (model, checkpoint) = (choice.name, choice.checkpoint)
    (tokenizer, ends) = try Self.text(
      of: choice, isNeeded: ids == nil || !printsIDs || !stops.isEmpty, console)
    guard tokenizer != nil || printsIDs else {
      throw choice.withoutTokenizer(orElse: "--ids and --print-ids")
    }
    guard tokenizer != nil || stops.isEmpty else {
      throw choice.withoutTokenizer("--stop: ", orElse: "no --stop")
    }
    let text = try Self.promptText(arguments)
    echo = ids == nil && !printsIDs ? text : nil
    prompt = try ids ?? Self.prompt(text, tokenizer, choice)
    let configuration = choice.configuration
    let count = try Self.count(asked, after: prompt, context: configuration.context)
    if let id = prompt.first(where: { $0 >= configuration.vocabulary }) {
      throw EngineError.tokenOutsideVocabulary(id: id, vocabulary: configuration.vocabulary)
    }
    parameters = GenerationParameters(
      sampling: sampling, maximumNewTokens: count, stops: stops,
      endsAtEndOfText: !arguments.flag("--ignore-eos"))
  }

  /// The prompt as text: the operand, standard input where that is `-`, or the text of `--file`; nil for none.
  /// - Throws: `UsageError` for two prompts; where a file cannot be read or is no UTF-8.
  private static func promptText(_ arguments: Arguments) throws -> String? {
    func text(_ bytes: [UInt8], of source: String) throws -> String {
      try UTF8Validity.check(bytes, of: source)
      return String(decoding: bytes, as: UTF8.self)
    }
    guard let path = arguments.string("-f") else {
      guard let operand = arguments.operands.first else { return nil }
      return operand == "-" ? try text(StandardStream.readInput(), of: "standard input") : operand
    }
    guard arguments.operands.isEmpty, !arguments.flag("--ids") else {
      throw UsageError("-f: found a prompt beside \(path), expected one of the two")
    }
    return try text([UInt8](ModelFile.readAll(path)), of: path)
  }

  /// What makes text of ids, and the ids that end one.
  ///
  /// - Parameter isNeeded: whether there is text; without it, a tokenizer only says which ids end one, and one that
  ///   cannot be read is remarked on.
  private static func text(
    of choice: ModelChoice, isNeeded: Bool, _ console: Console
  ) throws -> (Tokenizer?, ends: Set<Int>) {
    let ends = try choice.ends()
    if isNeeded {
      let tokenizer = try choice.tokenizer()
      return (tokenizer, tokenizer?.ends ?? ends)
    }
    do {
      return (nil, try choice.tokenizer()?.ends ?? ends)
    } catch {
      console.note("no text: \(error)")
      return (nil, ends)
    }
  }

  private static func prompt(
    _ text: String?, _ tokenizer: Tokenizer?, _ choice: ModelChoice
  ) throws -> [Int] {
    guard let tokenizer else { throw choice.withoutTokenizer(orElse: "--ids") }
    if let text { return try tokenizer.prefix + tokenizer.encode(text) }
    guard let start = tokenizer.startOfText else {
      throw UsageError(
        "the vocabulary has no \(Tokenizer.endOfTextSpelling) to start from, expected a prompt")
    }
    return [start]
  }

  /// How the text of an id reads; the id where it has none.
  fileprivate func shown(_ id: Int) -> String { text(of: id) ?? "token \(id)" }

  /// The same with the text in quotes.
  fileprivate func quoted(_ id: Int) -> String { text(of: id)?.debugDescription ?? "token \(id)" }

  private func text(of id: Int) -> String? {
    (try? tokenizer?.decode([id])).flatMap { $0.isEmpty ? nil : $0 }
  }

  private static func count(_ asked: Int?, after prompt: [Int], context: Int) throws -> Int {
    guard !prompt.isEmpty else { throw EngineError.emptyPrompt }
    let room = context - prompt.count
    if let asked, asked > room {
      throw UsageError(
        "-n", found: "\(asked)",
        expected: "at most \(max(room, 0)) after a prompt of \(prompt.count) tokens in a context of "
          + "\(context)")
    }
    guard room > 0 else { throw EngineError.contextExceeded(tokens: prompt.count + 1, context: context) }
    return asked ?? min(GenerationOptions.defaultCount, room)
  }

  func report(of done: [TimedGeneration]) -> GenerationReport {
    GenerationReport(
      model: model, promptIDs: prompt, temperature: Double(parameters.sampling.temperature),
      seed: parameters.sampling.seed, results: done.map { $0.result(hasText: tokenizer != nil) })
  }

  /// Prints the prompt and its continuation by a variant, each piece as soon as it is there, and a line's end; nothing
  /// where a format was asked for.
  ///
  /// Ends early where the user wants to end, and where nobody takes the text any more.
  func perform(_ variant: Variant, threads: Int, _ console: Console) throws -> TimedGeneration {
    let loading = ContinuousClock.now
    let engine = try Engine(checkpoint, variant: variant, threads: threads)
    console.note(String(format: "loaded in %.1f ms", (ContinuousClock.now - loading) / .milliseconds(1)))
    func show(_ text: String) { if format == nil { console.write(text) } }
    if let echo { show(echo) }
    var generation = TimedGeneration(self, engine)
    do {
      let generator = Generator(engine, tokenizer: tokenizer)
      generation.ending = try generator.generate(prompt: prompt, parameters, ends: ends) { step in
        if let token = step.token {
          generation.add(token)
          if printsIDs { show(generation.output.ids.count == 1 ? "\(token)" : " \(token)") }
        }
        generation.text += step.text
        if !printsIDs, !step.text.isEmpty { show(step.text) }
        return !Interruption.shared.isCancelled && StandardStream.failure == nil
      }
    } catch {
      // What was printed is a line of its own.
      show("\n")
      throw error
    }
    show("\n")
    return generation
  }
}

struct TimedGeneration {
  private(set) var output: VariantOutput
  let threads: Int
  var ending: GenerationEnding?
  fileprivate(set) var text = ""
  private let request: GenerationRequest
  private(set) var times = TokenTimes()

  /// Starts the clock; the engine is loaded.
  init(_ request: GenerationRequest, _ engine: Engine) {
    self.request = request
    output = VariantOutput(
      variant: engine.variant.name, weights: engine.variant.weights.rawValue,
      cache: engine.variant.cache.rawValue)
    threads = engine.threads
  }

  mutating func add(_ id: Int) {
    times.add()
    output.ids.append(id)
  }

  var isInterrupted: Bool { ending == .stopped }

  fileprivate func result(hasText: Bool) -> GenerationReport.Result {
    GenerationReport.Result(
      variant: output.variant, weights: output.weights, threads: threads, ids: output.ids,
      text: hasText ? text : nil, timeToFirstTokenMilliseconds: times.millisecondsToFirst,
      tokensPerSecond: times.tokensPerSecond)
  }

  /// - Parameter withMemory: also the most memory that was resident, which is the whole process's.
  func statistics(withMemory: Bool = true) -> String {
    var text =
      "\(request.prompt.count) + \(output.ids.count) tokens, \(output.variant), \(threads) thread"
      + (threads == 1 ? "" : "s")
    if let time = times.millisecondsToFirst { text += String(format: ", TTFT %.1f ms", time) }
    if let rate = times.tokensPerSecond {
      text += String(format: ", TPOT %.2f ms, %.1f tok/s", 1000 / rate, rate)
    }
    if withMemory, let peak = ProcessMemory.peakResidentBytes() {
      text += String(format: ", peak memory %.1f MiB", Double(peak) / 1_048_576)
    }
    if request.parameters.sampling.temperature > 0 { text += ", seed \(request.parameters.sampling.seed)" }
    return text + endingText
  }

  private var endingText: String {
    switch ending {
    case .count, nil: ""
    case .endOfText(let id): ", ended by \(request.shown(id))"
    case .stopSequence(let text): ", ended by --stop \(text.debugDescription)"
    case .contextFull: ", ended by a full context"
    case .stopped: ", interrupted"
    }
  }
}

struct VariantOutput {
  let variant: String
  let weights: String
  let cache: String
  var ids: [Int] = []
}

struct IDComparison {
  /// A line for each other variant, and what there is to know.
  let lines: [String]
  /// Whether tokens differ that must not: the largest logits' of the same precisions.
  let hasFailed: Bool
  var exitCode: ExitCode { hasFailed ? .failedCheck : .done }

  /// Each is compared with the first of the same weights and cache, whose ids it must have; the first of others with the
  /// first of all, to say where their texts part.
  /// - Parameters:
  ///   - outputs: at least one.
  ///   - isDrawn: tokens were drawn at random: then a difference in a logit's last bit can choose another one.
  ///   - quoted: the text of an id.
  init(_ outputs: [VariantOutput], isDrawn: Bool, quoted: (Int) -> String) {
    let first = outputs[0]
    var lines: [String] = []
    var hasFailed = false
    for (index, other) in outputs.enumerated().dropFirst() {
      let like = outputs[..<index].first { $0.weights == other.weights && $0.cache == other.cache }
      let known = like ?? first
      guard let place = Self.parting(known.ids, other.ids) else {
        lines.append("\(other.variant): ids equal to \(known.variant)'s")
        continue
      }
      func token(_ output: VariantOutput) -> String {
        place < output.ids.count ? quoted(output.ids[place]) : "the end"
      }
      lines.append(
        like == nil
          ? "\(other.variant): parts from \(known.variant) at new token \(place + 1): \(token(other)), "
            + "\(known.variant) has \(token(known))"
          : "\(other.variant): ids differ from \(known.variant)'s at new token \(place + 1)")
      if !isDrawn, like != nil { hasFailed = true }
    }
    if outputs.count == 1 {
      lines.append("\(first.variant): no other variant to compare its ids with")
    } else if isDrawn {
      lines.append("drawn at random: a rounding in a logit can draw another token, so ids may differ")
    }
    self.lines = lines
    self.hasFailed = hasFailed
  }

  /// The first index at which two differ or one ends; nil where they are equal.
  private static func parting(_ left: [Int], _ right: [Int]) -> Int? {
    if let index = zip(left, right).enumerated().first(where: { $1.0 != $1.1 })?.offset { return index }
    return left.count == right.count ? nil : min(left.count, right.count)
  }
}
