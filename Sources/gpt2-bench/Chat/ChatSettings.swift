import GPT2Engine

/// What `/set` changes.
struct ChatSettings: Equatable {
  static let defaultTemperature = 0.8
  static let defaultTopK = 40
  static let defaultCount = 128

  /// How tokens are chosen, with its seed.
  var sampling: SamplingParameters
  /// New tokens a turn at most.
  var maximumNewTokens = defaultCount
  var stops = StopSequences.none
  var framing = ChatFraming()

  /// - Throws: `UsageError` or `EngineError` for a value that makes no sense.
  init(_ arguments: Arguments) throws {
    let temperature = try arguments.number("--temperature") ?? Self.defaultTemperature
    // All tokens of a vocabulary are at most as many as there are numbers.
    let topK = try arguments.integer("--top-k", in: 0...Int.max) ?? Self.defaultTopK
    sampling = try SamplingParameters(
      temperature: Float(temperature), topK: topK == 0 ? nil : topK,
      topP: Float(arguments.number("--top-p") ?? 1), minP: Float(arguments.number("--min-p") ?? 0),
      repetitionPenalty: Float(arguments.number("--repetition-penalty") ?? 1),
      seed: arguments.unsigned("--seed") ?? .random(in: 0...UInt64(UInt32.max)))
    maximumNewTokens = try arguments.integer("-n", in: 1...Int.max) ?? maximumNewTokens
    stops = try StopSequences(
      arguments.strings("--stop").map { try GenerationOptions.unescaped($0, option: "--stop") })
  }

  /// The same sampling but for what is given.
  mutating func resample(
    temperature: Float? = nil, topK: Int?? = nil, topP: Float? = nil, minP: Float? = nil,
    repetitionPenalty: Float? = nil, seed: UInt64? = nil
  ) throws {
    let old = sampling
    sampling = try SamplingParameters(
      temperature: temperature ?? old.temperature, topK: topK ?? old.topK, topP: topP ?? old.topP,
      minP: minP ?? old.minP, repetitionPenalty: repetitionPenalty ?? old.repetitionPenalty,
      seed: seed ?? old.seed)
  }
}
