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
    precondition(!isFinished, "bytes behind the end of a text")
    pending.append(contentsOf: bytes)
  }

  /// Says that the text ends here.
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
