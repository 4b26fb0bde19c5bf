import GPT2Model

/// The side of one generation that is not the engine's: chooses a token from each step's logits, adds it to the
/// sequence, turns it into text and knows when to end. Several can share the steps of one engine.
public struct Continuation: Sendable {
  public let parameters: GenerationParameters
  public private(set) var ending: GenerationEnding?
  private let endOfText: Int?
  private var sampler: Sampler
  private var text: TextStream?
  private var count = 0

  /// - Parameters:
  ///   - tokenizer: nil for tokens without text.
  ///   - endOfText: the token that ends a text, where there is no tokenizer to say it.
  /// - Throws: `EngineError.stopSequenceWithoutTokenizer`.
  public init(
    _ parameters: GenerationParameters, tokenizer: Tokenizer?, endOfText: Int? = nil
  ) throws(EngineError) {
    guard tokenizer != nil || parameters.stops.isEmpty else { throw .stopSequenceWithoutTokenizer }
    self.parameters = parameters
    self.endOfText = parameters.endsAtEndOfText ? tokenizer?.endOfText ?? endOfText : nil
    sampler = Sampler(parameters.sampling)
    text = tokenizer.map { TextStream($0, stops: parameters.stops) }
    if parameters.maximumNewTokens <= 0 { ending = .count }
  }

  /// Chooses the token behind a sequence, and appends it where the context has room.
  ///
  /// - Parameters:
  ///   - logits: (vocabulary) of the sequence's last position.
  ///   - sequence: whose tokens have all been taken in.
  /// - Throws: `EngineError.tokenWithoutText` where the vocabulary ends before the model's.
  public mutating func next(
    _ logits: UnsafeBufferPointer<Float>, of sequence: TokenSequence
  ) throws(EngineError) -> GenerationStep {
    precondition(ending == nil, "a step behind the end of a generation")
    let token = sampler.next(logits, after: sequence.tokens)
    guard token != endOfText else { return finish(.endOfText) }
    var clear = try text?.push(token) ?? ""
    count += 1
    let isFull = sequence.room == 0
    if !isFull { try sequence.append([token]) }
    if let stop = text?.stop {
      ending = .stopSequence(stop)
    } else if count == parameters.maximumNewTokens {
      ending = .count
    } else if isFull {
      ending = .contextFull
    }
    if ending != nil { clear += text?.finish() ?? "" }
    return GenerationStep(token: token, text: clear, ending: ending)
  }

  /// Ends the generation without a further token, and gives the text that was held back.
  public mutating func finish(_ ending: GenerationEnding = .stopped) -> GenerationStep {
    self.ending = ending
    return GenerationStep(token: nil, text: text?.finish() ?? "", ending: ending)
  }
}
