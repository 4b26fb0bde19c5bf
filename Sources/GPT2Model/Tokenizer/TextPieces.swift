/// Turns tokens into text one at a time, in whole characters, whose bytes may be spread over several tokens.
///
/// All the pieces together, with `finish()`, are what `Tokenizer.decode` gives for all the ids.
public struct StreamingDecoder: Sendable {
  private let tokenizer: Tokenizer
  private var pending: [UInt8] = []

  public init(_ tokenizer: Tokenizer) { self.tokenizer = tokenizer }

  /// The text that a further token completes; empty while a character is unfinished.
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

extension UTF8Text {
  /// The length of the scalar at the end of `bytes` that more bytes could still complete: 0…3.
  ///
  /// What can no longer become a scalar counts as finished: it decodes to U+FFFD whatever follows.
  static func unfinishedSuffix(of bytes: [UInt8]) -> Int {
    for length in 1...3 where length <= bytes.count {
      let start = bytes.count - length
      if bytes[start] & 0xC0 == 0x80 { continue }
      return canContinue(bytes[start...]) ? length : 0
    }
    return 0
  }

  /// Whether a sequence is a proper prefix of a scalar's UTF-8 (Unicode 16, table 3-7).
  private static func canContinue(_ sequence: ArraySlice<UInt8>) -> Bool {
    guard let lead = sequence.first else { return false }
    let length: Int
    var second: ClosedRange<UInt8> = 0x80...0xBF
    switch lead {
    case 0xC2...0xDF: length = 2
    case 0xE0: (length, second) = (3, 0xA0...0xBF)
    case 0xED: (length, second) = (3, 0x80...0x9F)
    case 0xE1...0xEF: length = 3
    case 0xF0: (length, second) = (4, 0x90...0xBF)
    case 0xF1...0xF3: length = 4
    case 0xF4: (length, second) = (4, 0x80...0x8F)
    default: return false
    }
    guard sequence.count < length else { return false }
    return sequence.count < 2 || second.contains(sequence[sequence.startIndex + 1])
  }
}

/// Cuts a text that comes in pieces into blocks that encode to what the whole text would, so that a text may be larger
/// than memory.
///
/// A block ends before a blank or a line's end that follows a visible ASCII character: no word of GPT-2's pattern goes
/// on from a character that is no white space to one that is, and the pattern looks at nothing before a word. Where
/// there is no such place, a block grows until there is one.
public struct TextBlocks: Sendable {
  private let size: Int
  private var pending: [UInt8] = []
  /// Up to where no place to cut is.
  private var searched = 0
  private var isFinished = false

  /// - Parameter size: bytes that a block has at least, but for the last.
  public init(size: Int = 1 << 15) { self.size = size }

  /// Adds the text's next bytes, which may end inside a character.
  public mutating func append(_ bytes: some Collection<UInt8>) {
    precondition(!isFinished, "bytes after the end of a text")
    pending.append(contentsOf: bytes)
  }

  public mutating func finish() { isFinished = true }

  /// The next block, whole characters where the text is UTF-8; nil where it takes more bytes to make it, or where
  /// the text has no further one.
  public mutating func next() -> [UInt8]? {
    if let end = cut() { return take(end) }
    return isFinished && !pending.isEmpty ? take(pending.count) : nil
  }

  private mutating func cut() -> Int? {
    var index = max(size, searched, 1)
    while index < pending.count {
      if Self.isBlank(pending[index]), Self.isVisible(pending[index - 1]) { return index }
      index += 1
    }
    searched = pending.count
    return nil
  }

  private mutating func take(_ count: Int) -> [UInt8] {
    defer {
      pending.removeFirst(count)
      searched = 0
    }
    return Array(pending[..<count])
  }

  private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x0A }

  private static func isVisible(_ byte: UInt8) -> Bool { (0x21...0x7E).contains(byte) }
}
