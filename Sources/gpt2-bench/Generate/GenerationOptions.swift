import Chat
import GPT2Engine
import GPT2Model

/// How tokens are chosen and where the text ends, as the command line says it.
struct GenerationOptions {
  static let defaultCount = 128

  static let options = [
    Option("-n", value: "N", help: "new tokens (default \(defaultCount), or what the context leaves)"),
    Option(
      "--temperature", value: "T",
      help: "0 is greedy, the default; 1 with --top-k, --top-p, --min-p or --seed"),
    Option("--top-k", value: "K", help: "draw from the K most likely tokens"),
    Option("--top-p", value: "P", help: "draw from the most likely tokens that reach probability P"),
    Option("--min-p", value: "P", help: "draw from the tokens at least P times as likely as the likeliest"),
    Option(
      "--repetition-penalty", value: "R",
      help: "make tokens that the text has already less likely, from 1 (not at all); greedy too"),
    .seed,
    Option(
      "--stop", value: "TEXT", isRepeatable: true,
      help: "end before this text, which may hold \\n, \\r, \\t and \\\\; may be given several times"),
    Option("--ignore-eos", help: "go on behind \(Tokenizer.endOfTextSpelling)"),
  ]

  let sampling: SamplingParameters
  let stops: StopSequences
  let endsAtEndOfText: Bool
  /// New tokens, where a number was given.
  let count: Int?

  init(_ arguments: Arguments) throws {
    let topK = try arguments.integer("--top-k", in: 1...Int.max)
    let topP = try arguments.number("--top-p")
    let minP = try arguments.number("--min-p")
    let temperature = try arguments.number("--temperature")
    let draws = topK != nil || topP != nil || minP != nil || arguments.flag("--seed")
    sampling = try SamplingParameters(
      temperature: Float(temperature ?? (draws ? 1 : 0)), topK: topK, topP: Float(topP ?? 1),
      minP: Float(minP ?? 0), repetitionPenalty: Float(arguments.number("--repetition-penalty") ?? 1),
      seed: arguments.unsigned("--seed") ?? .random(in: 0...UInt64(UInt32.max)))
    stops = try StopSequences(
      arguments.strings("--stop").map { try QuotedWords.unescaped($0, name: "--stop") })
    endsAtEndOfText = !arguments.flag("--ignore-eos")
    count = try arguments.integer("-n", in: 1...Int.max)
  }
}
