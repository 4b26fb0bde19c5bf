import GPT2Model

/// Turns tokens into text as they come: whole characters only, nothing of a stop sequence, and nothing that might
/// still become the beginning of one. The first stop sequence to be complete ends the text, of several that end at
/// the same place the longest, however the text was cut into pieces.
public struct TextStream: Sendable {
  private var decoder: StreamingDecoder
  private let vocabularyCount: Int
  private let stops: [(text: String, bytes: [UInt8])]
  /// The longest end of the text that begins a stop sequence.
  private var heldBack: [UInt8] = []
  /// The stop sequence that ended the text; nil while there was none.
  public private(set) var stop: String?

  public init(_ tokenizer: Tokenizer, stops: StopSequences = .none) {
    decoder = StreamingDecoder(tokenizer)
    vocabularyCount = tokenizer.vocabularyCount
    self.stops = stops.texts.map { ($0, Array($0.utf8)) }.sorted { $0.bytes.count > $1.bytes.count }
  }

  /// The text that a further token makes clear; often empty, and always once a stop sequence has come.
  /// - Throws: `EngineError.tokenWithoutText`; the stream is then as it was.
  public mutating func push(_ id: Int) throws(EngineError) -> String {
    do { return clear(try decoder.push(id)) } catch {
      throw .tokenWithoutText(id: id, vocabulary: vocabularyCount)
    }
  }

  /// What was held back, for a text that ends here: U+FFFD for a character that was never finished, and the beginning
  /// of a stop sequence that did not come.
  public mutating func finish() -> String {
    defer { heldBack = [] }
    return clear(decoder.finish()) + String(decoding: heldBack, as: UTF8.self)
  }

  /// The part of a further text, and of what was held back, that belongs to no stop sequence.
  private mutating func clear(_ text: String) -> String {
    guard stop == nil else { return "" }
    guard !stops.isEmpty else { return text }
    var clear: [UInt8] = []
    for byte in text.utf8 {
      heldBack.append(byte)
      if let found = stops.first(where: { heldBack.suffix($0.bytes.count).elementsEqual($0.bytes) }) {
        stop = found.text
        clear += heldBack.dropLast(found.bytes.count)
        heldBack = []
        break
      }
      // Stop sequences begin at whole characters, and so does what is held back.
      let start = heldBack.indices.first { start in
        stops.contains { $0.bytes.starts(with: heldBack[start...]) }
      }
      let count = start ?? heldBack.count
      clear += heldBack[..<count]
      heldBack.removeFirst(count)
    }
    return String(decoding: clear, as: UTF8.self)
  }
}

/// Texts that end a generation. They are matched against the text: one may begin and end within tokens.
public struct StopSequences: Equatable, Sendable {
  public let texts: [String]

  public static let none = StopSequences()

  private init() { texts = [] }

  /// - Throws: `EngineError.emptyStopSequence`, because nothing stands everywhere.
  public init(_ texts: [String]) throws(EngineError) {
    guard !texts.contains("") else { throw .emptyStopSequence }
    self.texts = texts
  }

  public var isEmpty: Bool { texts.isEmpty }
}
