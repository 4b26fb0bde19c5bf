import GPT2Model

/// Continues texts, one at a time, token by token.
public struct Generator {
  private let engine: Engine
  private let tokenizer: Tokenizer?

  public init(_ engine: Engine, tokenizer: Tokenizer? = nil) {
    (self.engine, self.tokenizer) = (engine, tokenizer)
  }

  /// - Parameters:
  ///   - prompt: at least one token.
  ///   - ends: as `Continuation` has it.
  ///   - onStep: takes each step as soon as it is there; false to stop. Only the last step has an ending.
  @discardableResult
  public func generate(
    prompt: [Int], _ parameters: GenerationParameters, ends: Set<Int> = [],
    onStep: (GenerationStep) -> Bool
  ) throws(EngineError) -> GenerationEnding {
    let sequence = try engine.makeSequence()
    try sequence.append(prompt)
    return try generate(after: sequence, parameters, ends: ends, onStep: onStep)
  }

  /// Continues a sequence of this engine's, of which at least one token has not been taken in yet. The new tokens are
  /// appended to it; the last one, and what the context has no room for, are not taken in.
  @discardableResult
  public func generate(
    after sequence: TokenSequence, _ parameters: GenerationParameters, ends: Set<Int> = [],
    onStep: (GenerationStep) -> Bool
  ) throws(EngineError) -> GenerationEnding {
    var continuation = try Continuation(parameters, tokenizer: tokenizer, ends: ends)
    if let ending = continuation.ending {
      _ = onStep(continuation.finish(ending))
      return ending
    }
    while true {
      let logits = try engine.step([sequence])
      let step = try continuation.next(logits.values(ofRow: 0), of: sequence)
      let goesOn = onStep(step)
      if let ending = step.ending { return ending }
      if !goesOn {
        _ = onStep(continuation.finish())
        return .stopped
      }
    }
  }
}

extension Engine {
  /// Continues sequences together, each with its likeliest token at every step.
  /// - Parameters:
  ///   - sequences: each with at least one token that has not been taken in, and with room for `count` − 1 more. All
  ///     new tokens but the last are appended.
  ///   - onLogits: called as soon as a step's logits are there, before tokens are chosen.
  ///   - onTokens: takes a step's tokens, one of each sequence; false to stop.
  public func continueGreedily(
    _ sequences: [TokenSequence], count: Int, onLogits: (_ step: Int) -> Void = { _ in },
    onTokens: (_ step: Int, _ tokens: [Int]) -> Bool = { _, _ in true }
  ) throws(EngineError) -> [[Int]] {
    var all = sequences.map { _ in [Int]() }
    for number in 0..<count {
      if number > 0 {
        for (sequence, tokens) in zip(sequences, all) { try sequence.append([tokens[number - 1]]) }
      }
      let logits = try step(sequences)
      onLogits(number)
      var tokens: [Int] = []
      for (row, sequence) in sequences.enumerated() {
        let token = try argmax(logits.values(ofRow: row), position: sequence.tokens.count - 1)
        tokens.append(token)
        all[row].append(token)
      }
      guard onTokens(number, tokens) else { break }
    }
    return all
  }

  /// The same after prompts, each in a sequence of its own, and no further than the context of the longest has room.
  public func greedy(
    after prompts: [[Int]], count: Int, onTokens: (_ step: Int, _ tokens: [Int]) -> Bool = { _, _ in true }
  ) throws(EngineError) -> [[Int]] {
    var sequences: [TokenSequence] = []
    for prompt in prompts {
      let sequence = try makeSequence()
      try sequence.append(prompt)
      sequences.append(sequence)
    }
    let room = sequences.map(\.room).min() ?? 0
    return try continueGreedily(sequences, count: min(count, room + 1), onTokens: onTokens)
  }
}

/// The side of one generation that is not the engine's: chooses a token from each step's logits, adds it to the
/// sequence, turns it into text and knows when to end. Several can share the steps of one engine.
public struct Continuation: Sendable {
  public let parameters: GenerationParameters
  public private(set) var ending: GenerationEnding?
  private let ends: Set<Int>
  private var sampler: Sampler
  private var text: TextStream?
  private var count = 0

  /// - Parameters:
  ///   - tokenizer: nil for tokens without text.
  ///   - ends: the tokens that end a text, where there is no tokenizer to say it.
  /// - Throws: `EngineError.stopSequenceWithoutTokenizer`.
  public init(
    _ parameters: GenerationParameters, tokenizer: Tokenizer?, ends: Set<Int> = []
  ) throws(EngineError) {
    guard tokenizer != nil || parameters.stops.isEmpty else { throw .stopSequenceWithoutTokenizer }
    self.parameters = parameters
    self.ends = parameters.endsAtEndOfText ? tokenizer?.ends ?? ends : []
    sampler = Sampler(parameters.sampling)
    text = tokenizer.map { TextStream($0, stops: parameters.stops) }
    if parameters.maximumNewTokens <= 0 { ending = .count }
  }

  /// Chooses the token after a sequence, and appends it where the context has room.
  /// - Parameters:
  ///   - logits: (vocabulary) of the sequence's last position.
  ///   - sequence: whose tokens have all been taken in.
  /// - Throws: `EngineError.nonFiniteLogit`; `tokenWithoutText` where the vocabulary ends before the model's.
  public mutating func next(
    _ logits: UnsafeBufferPointer<Float>, of sequence: TokenSequence
  ) throws(EngineError) -> GenerationStep {
    precondition(ending == nil, "a step after the end of a generation")
    let token = try sampler.next(logits, after: sequence.tokens)
    guard !ends.contains(token) else { return finish(.endOfText(token)) }
    var clear = try text?.push(token) ?? ""
    count += 1
    let isFull = sequence.room == 0
    if !isFull { try sequence.append([token]) }
    ending =
      text?.stop.map(GenerationEnding.stopSequence)
      ?? (count == parameters.maximumNewTokens ? .count : isFull ? .contextFull : nil)
    if ending != nil { clear += text?.finish() ?? "" }
    return GenerationStep(token: token, text: clear, ending: ending)
  }

  /// Ends the generation without a further token, and gives the text that was held back.
  public mutating func finish(_ ending: GenerationEnding = .stopped) -> GenerationStep {
    self.ending = ending
    return GenerationStep(token: nil, text: text?.finish() ?? "", ending: ending)
  }
}

/// What a text is to be continued by, and where it ends.
public struct GenerationParameters: Equatable, Sendable {
  public var sampling: SamplingParameters
  /// New tokens at most; fewer where the context ends.
  public var maximumNewTokens: Int
  public var stops: StopSequences
  /// Whether a token that ends a text ends this one; else it is a token like others.
  public var endsAtEndOfText: Bool

  public init(
    sampling: SamplingParameters = .greedy, maximumNewTokens: Int = 128, stops: StopSequences = .none,
    endsAtEndOfText: Bool = true
  ) {
    (self.sampling, self.maximumNewTokens, self.stops) = (sampling, maximumNewTokens, stops)
    self.endsAtEndOfText = endsAtEndOfText
  }
}

/// What one step of a generation gave. The last one says why it is the last.
public struct GenerationStep: Equatable, Sendable {
  /// nil where the step only ends the text.
  public let token: Int?
  /// The text that has become clear; empty while characters or possible stop sequences are unfinished, and always
  /// without a tokenizer. The texts of all steps together are the whole continuation.
  public let text: String
  public let ending: GenerationEnding?
}

public enum GenerationEnding: Equatable, Sendable {
  /// As many tokens as were asked for.
  case count
  /// This token, which ends a text, came; it is not handed over.
  case endOfText(Int)
  /// This stop sequence came; its tokens are handed over, its text is not.
  case stopSequence(String)
  /// The caller had enough.
  case stopped
  case contextFull
}
