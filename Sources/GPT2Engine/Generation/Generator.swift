import GPT2Model

/// Continues texts, one at a time, token by token.
public struct Generator {
  private let engine: Engine
  private let tokenizer: Tokenizer?

  /// - Parameter tokenizer: nil for tokens without text.
  public init(_ engine: Engine, tokenizer: Tokenizer? = nil) {
    self.engine = engine
    self.tokenizer = tokenizer
  }

  /// Continues a prompt.
  ///
  /// - Parameters:
  ///   - prompt: at least one token.
  ///   - endOfText: the token that ends a text, where there is no tokenizer to say it.
  ///   - onStep: takes each step as soon as it is there; false to stop. The last step it gets, and only that, has an
  ///     ending.
  @discardableResult
  public func generate(
    prompt: [Int], _ parameters: GenerationParameters, endOfText: Int? = nil,
    onStep: (GenerationStep) -> Bool
  ) throws(EngineError) -> GenerationEnding {
    let sequence = try engine.makeSequence()
    try sequence.append(prompt)
    return try generate(behind: sequence, parameters, endOfText: endOfText, onStep: onStep)
  }

  /// Continues a sequence of this engine's, of which at least one token has not been taken in yet.
  ///
  /// The new tokens are appended to it; the last one, and what the context has no room for, are not taken in.
  @discardableResult
  public func generate(
    behind sequence: TokenSequence, _ parameters: GenerationParameters, endOfText: Int? = nil,
    onStep: (GenerationStep) -> Bool
  ) throws(EngineError) -> GenerationEnding {
    var continuation = try Continuation(parameters, tokenizer: tokenizer, endOfText: endOfText)
    if let ending = continuation.ending {
      _ = onStep(continuation.finish(ending))
      return ending
    }
    while true {
      let logits = try engine.step([sequence])
      let row = UnsafeBufferPointer(start: logits.row(0), count: logits.columns)
      let step = try continuation.next(row, of: sequence)
      let goesOn = onStep(step)
      if let ending = step.ending { return ending }
      if !goesOn {
        _ = onStep(continuation.finish())
        return .stopped
      }
    }
  }
}
