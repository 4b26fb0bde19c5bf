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

/// Texts that end a generation. They are matched against the text, not against tokens: a stop sequence may begin and end
/// within tokens.
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

/// Watches a text as it comes for stop sequences, and holds back what might be the beginning of one.
///
/// The first stop sequence to be complete ends the text, of several that end at the same place the longest, however the
/// text was cut into pieces.
struct StopScanner: Sendable {
  private let stops: [(text: String, bytes: [UInt8])]
  /// The longest end of the text that begins a stop sequence.
  private var heldBack: [UInt8] = []
  /// The stop sequence that came.
  private(set) var found: String?

  init(_ stops: StopSequences) {
    self.stops = stops.texts.map { (text: $0, bytes: Array($0.utf8)) }.sorted {
      $0.bytes.count > $1.bytes.count
    }
  }

  /// The text that has become clear: it belongs to no stop sequence. Nothing once one has come.
  mutating func push(_ text: String) -> String {
    guard found == nil else { return "" }
    guard !stops.isEmpty else { return text }
    var clear: [UInt8] = []
    for byte in text.utf8 {
      heldBack.append(byte)
      if let stop = stops.first(where: { heldBack.ends(with: $0.bytes) }) {
        found = stop.text
        clear += heldBack.dropLast(stop.bytes.count)
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

  /// What is held back once nothing more comes.
  mutating func finish() -> String {
    defer { heldBack = [] }
    return String(decoding: heldBack, as: UTF8.self)
  }
}

extension [UInt8] {
  fileprivate func ends(with other: [UInt8]) -> Bool {
    count >= other.count && self[(count - other.count)...].elementsEqual(other)
  }
}
