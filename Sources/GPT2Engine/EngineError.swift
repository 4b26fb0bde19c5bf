import GPT2Kernels

/// A request that the engine cannot serve. Each description is one line.
public enum EngineError: Error, Equatable, Sendable, CustomStringConvertible {
  case emptyPrompt
  case contextExceeded(tokens: Int, context: Int)
  case tokenOutsideVocabulary(id: Int, vocabulary: Int)
  case outOfMemory(bytes: Int)
  case sampling(parameter: String, found: String, expected: String)
  case emptyStopSequence
  case stopSequenceWithoutTokenizer
  /// A token of the model's that the tokenizer's vocabulary lacks.
  case tokenWithoutText(id: Int, vocabulary: Int)

  public var description: String {
    switch self {
    case .emptyPrompt: "the prompt is empty, expected at least one token"
    case .contextExceeded(let tokens, let context):
      "\(tokens) tokens do not fit the model's context of \(context)"
    case .tokenOutsideVocabulary(let id, let vocabulary):
      "token id \(id) is outside the vocabulary, expected 0 to \(vocabulary - 1)"
    case .outOfMemory(let bytes): "cannot allocate \(bytes) bytes of memory"
    case .sampling(let parameter, let found, let expected):
      "\(parameter) is \(found), expected \(expected)"
    case .emptyStopSequence: "a stop sequence is empty, expected at least one character"
    case .stopSequenceWithoutTokenizer:
      "stop sequences are text, expected a model with a tokenizer"
    case .tokenWithoutText(let id, let vocabulary):
      "token id \(id) has no text, the tokenizer's vocabulary ends at \(vocabulary - 1)"
    }
  }
}

/// Allocates a buffer, in the engine's own error.
func makeBuffer(_ count: Int, isFilledAtOnce: Bool = false) throws(EngineError) -> FloatBuffer {
  do { return try FloatBuffer(count: count, isFilledAtOnce: isFilledAtOnce) } catch {
    throw .outOfMemory(bytes: error.bytes)
  }
}
