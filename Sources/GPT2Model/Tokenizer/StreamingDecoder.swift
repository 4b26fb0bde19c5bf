/// Turns tokens into text one at a time, and gives only whole characters: a character's bytes may be spread
/// over several tokens.
///
/// All the pieces together, with `finish()`, are what `Tokenizer.decode` gives for all the ids.
public struct StreamingDecoder: Sendable {
  private let tokenizer: Tokenizer
  private var pending: [UInt8] = []

  public init(_ tokenizer: Tokenizer) { self.tokenizer = tokenizer }

  /// The text that a further token completes; empty while a character is unfinished.
  ///
  /// - Throws: `TokenizerError.idOutsideVocabulary`; the decoder is then as it was.
  public mutating func push(_ id: Int) throws -> String {
    pending.append(contentsOf: try tokenizer.bytes(of: id))
    let complete = pending.count - UTF8Text.unfinishedSuffix(of: pending)
    defer { pending.removeFirst(complete) }
    return String(decoding: pending[..<complete], as: UTF8.self)
  }

  /// What is left: U+FFFD for a character that was never finished, else nothing. The decoder starts anew.
  public mutating func finish() -> String {
    defer { pending.removeAll() }
    return String(decoding: pending, as: UTF8.self)
  }
}
