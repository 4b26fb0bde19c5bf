import GPT2Kernels

/// A text that grows turn by turn, by what is added to it and by what the model continues it with, and that never
/// ends: when the model's context is full, it slides. What the engine keeps of it is kept from turn to turn.
///
/// Sliding drops the oldest tokens so that half of the context's are kept, or as many as are being added where those
/// are more (up to the context; the oldest are cut otherwise). GPT-2's positions are absolute, so every token that is
/// kept gets another position, and the next step recomputes them: once for each half context of text.
public final class Conversation {
  public struct Addition: Equatable, Sendable {
    /// Tokens of the text before that have been dropped.
    public var dropped = 0
    /// Of the added tokens, the oldest, which are more than the context holds.
    public var cut = 0
  }

  public let engine: Engine
  private let sequence: TokenSequence

  public init(_ engine: Engine) throws(EngineError) {
    self.engine = engine
    sequence = try engine.makeSequence()
  }

  /// What the model sees: the newest part of the text.
  public var tokens: [Int] { sequence.tokens }

  public var context: Int { engine.configuration.context }

  /// Adds tokens to the text, which slides where they do not fit after it.
  /// - Throws: `EngineError.tokenOutsideVocabulary`; the text is then as it was.
  @discardableResult
  public func append(_ ids: [Int]) throws(EngineError) -> Addition {
    guard ids.count > sequence.room else {
      try sequence.append(ids)
      return Addition()
    }
    let vocabulary = engine.configuration.vocabulary
    if let id = ids.first(where: { $0 < 0 || $0 >= vocabulary }) {
      throw .tokenOutsideVocabulary(id: id, vocabulary: vocabulary)
    }
    let addition = Addition(
      dropped: min(tokens.count + ids.count - kept(adding: ids.count), tokens.count),
      cut: max(ids.count - context, 0))
    let window = Array(tokens.dropFirst(addition.dropped)) + ids.dropFirst(addition.cut)
    sequence.reset()
    try sequence.append(window)
    return addition
  }

  /// Chooses the token after the text; it is not added to it.
  /// - Throws: `EngineError.emptyPrompt` where there is no text yet, `nonFiniteLogit`.
  public func next(_ sampler: inout Sampler) throws(EngineError) -> Int {
    let tokens = sequence.tokens
    if let last = tokens.last, sequence.cachedCount == tokens.count {
      // All of it was taken in, and its logits are gone.
      sequence.truncate(to: tokens.count - 1)
      try sequence.append([last])
    }
    let logits = try engine.step([sequence])
    return try sampler.next(logits.values(ofRow: 0), after: tokens)
  }

  /// Takes the newest tokens back, as if they had never been added. What sliding dropped does not return.
  /// - Parameter count: at most as many as `tokens` holds.
  public func removeLast(_ count: Int) { sequence.truncate(to: tokens.count - count) }

  /// Forgets the text, keeps the memory.
  public func clear() { sequence.reset() }

  /// Tokens that stay when so many are added that all do not fit.
  private func kept(adding count: Int) -> Int { max(context / 2, min(count, context)) }
}
