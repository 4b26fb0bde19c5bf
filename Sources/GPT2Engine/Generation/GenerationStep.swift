/// What one step of a generation gave. The last one says why it is the last.
public struct GenerationStep: Equatable, Sendable {
  /// nil where the step only ends the text.
  public let token: Int?
  /// The text that has become clear; empty while characters or possible stop sequences are unfinished, and always without
  /// a tokenizer. The texts of all steps together are the whole continuation.
  public let text: String
  public let ending: GenerationEnding?
}

/// Why a generation ended.
public enum GenerationEnding: Equatable, Sendable {
  /// As many tokens as were asked for.
  case count
  /// The token that ends a text came; it is not handed over.
  case endOfText
  /// This stop sequence came; its tokens are handed over, its text is not.
  case stopSequence(String)
  /// The caller had enough.
  case stopped
  case contextFull
}
