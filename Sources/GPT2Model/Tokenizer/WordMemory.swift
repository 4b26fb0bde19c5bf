/// Where words of a text were encoded before: a direct-mapped cache that copies neither words nor ids, but
/// points back into the text and into the ids made so far.
struct WordMemory {
  private struct Entry {
    var word: Range<Int>
    var ids: Range<Int>
  }

  private var entries: [Entry]
  private let mask: Int

  /// - Parameter textLength: in bytes; a short text gets a small memory.
  init(textLength: Int) {
    let size = min(tableSize(holding: textLength / 8), 1 << 15)
    entries = [Entry](repeating: Entry(word: 0..<0, ids: 0..<0), count: size)
    mask = size - 1
  }

  /// Where a word is remembered, if it is.
  @inline(__always)
  func slot(of word: UnsafeBufferPointer<UInt8>) -> Int { Int(truncatingIfNeeded: byteHash(word)) & mask }

  /// The place of the ids that a word was given before.
  @inline(__always)
  func ids(of word: UnsafeBufferPointer<UInt8>, in slot: Int, text: UnsafeBufferPointer<UInt8>) -> Range<Int>?
  {
    let entry = entries[slot]
    guard entry.word.count == word.count, text[entry.word].elementsEqual(word) else { return nil }
    return entry.ids
  }

  @inline(__always)
  mutating func remember(_ word: Range<Int>, ids: Range<Int>, in slot: Int) {
    entries[slot] = Entry(word: word, ids: ids)
  }
}
