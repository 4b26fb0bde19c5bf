/// How a prompt was continued.
public struct Completion: Equatable, Sendable {
  /// The new text; empty where the model has no tokenizer.
  public let text: String
  /// The new tokens.
  public let tokens: [Int]
  /// Why it ends there.
  public let ending: GenerationEnding
}

/// The logits of a text's positions.
public struct Logits: Equatable, Sendable {
  /// Tokens that the model was given.
  public let positions: Int
  public let vocabulary: Int
  /// (positions, vocabulary), row by row.
  public let values: [Float]

  /// (vocabulary): what the model expects behind the token at that position.
  public subscript(position: Int) -> ArraySlice<Float> {
    values[position * vocabulary..<(position + 1) * vocabulary]
  }
}
