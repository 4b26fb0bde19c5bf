/// Continues one prompt, token by token.
public struct Generator {
  public enum Ending: Equatable, Sendable {
    /// As many tokens as were asked for.
    case count
    /// The token that ends a text came; it is not handed over.
    case endOfText
    /// The caller had enough.
    case stopped
    case contextFull
  }

  private let engine: Engine
  private var sampler: Sampler

  public init(_ engine: Engine, sampling: SamplingParameters = .greedy) {
    self.engine = engine
    sampler = Sampler(sampling)
  }

  /// - Parameters:
  ///   - prompt: at least one token.
  ///   - count: new tokens at most; fewer where the context ends.
  ///   - endOfText: the token that ends a text; nil to go on whatever comes.
  ///   - onToken: takes each new token as soon as it is there; false to stop.
  @discardableResult
  public mutating func generate(
    prompt: [Int], count: Int, endOfText: Int? = nil, onToken: (Int) -> Bool
  ) throws(EngineError) -> Ending {
    let sequence = try engine.makeSequence()
    try sequence.append(prompt)
    for index in 0..<max(count, 0) {
      let logits = try engine.step([sequence])
      let token = sampler.next(UnsafeBufferPointer(start: logits.row(0), count: logits.columns))
      if token == endOfText { return .endOfText }
      guard onToken(token) else { return .stopped }
      guard index + 1 < count else { break }
      guard sequence.room > 0 else { return .contextFull }
      try sequence.append([token])
    }
    return .count
  }
}
