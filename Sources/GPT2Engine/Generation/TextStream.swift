import GPT2Model

/// Turns tokens into text as they come: whole characters only, nothing of a stop sequence, and nothing that might still
/// become the beginning of one.
public struct TextStream: Sendable {
  private var decoder: StreamingDecoder
  private var scanner: StopScanner
  private let vocabularyCount: Int

  public init(_ tokenizer: Tokenizer, stops: StopSequences = .none) {
    decoder = StreamingDecoder(tokenizer)
    scanner = StopScanner(stops)
    vocabularyCount = tokenizer.vocabularyCount
  }

  /// The stop sequence that ended the text; nil while there was none.
  public var stop: String? { scanner.found }

  /// The text that a further token makes clear; often empty.
  ///
  /// - Throws: `EngineError.tokenWithoutText`; the stream is then as it was.
  public mutating func push(_ id: Int) throws(EngineError) -> String {
    do { return scanner.push(try decoder.push(id)) } catch {
      throw .tokenWithoutText(id: id, vocabulary: vocabularyCount)
    }
  }

  /// What was held back, for a text that ends here: U+FFFD for a character that was never finished, and the beginning of
  /// a stop sequence that did not come.
  public mutating func finish() -> String {
    let clear = scanner.push(decoder.finish())
    return clear + scanner.finish()
  }
}
