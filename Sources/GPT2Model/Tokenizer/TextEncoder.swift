#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Encodes one text: splits it into words, merges each, and remembers the words it has seen.
struct TextEncoder {
  private let text: UnsafeBufferPointer<UInt8>
  private let byteTokens: [UInt32]
  private var scanner: WordScanner
  private var merger: BytePairMerger
  private var seen: WordMemory
  private(set) var ids: [Int] = []

  /// - Parameters:
  ///   - text: valid UTF-8, which must outlive the encoder.
  ///   - byteTokens: (256) the token of each byte; `UInt32.max` where there is none.
  init(_ text: UnsafeBufferPointer<UInt8>, byteTokens: [UInt32], merges: MergeTable) {
    self.text = text
    self.byteTokens = byteTokens
    scanner = WordScanner(text)
    merger = BytePairMerger(merges)
    seen = WordMemory(textLength: text.count)
    ids.reserveCapacity(text.count / 3)
  }

  /// Appends the ids of the text, with `special` wherever its spelling stands.
  mutating func encode(special: (spelling: [UInt8], id: Int)?) throws {
    var position = 0
    while let special, let found = firstIndex(of: special.spelling, from: position) {
      try encode(position..<found)
      ids.append(special.id)
      position = found + special.spelling.count
    }
    try encode(position..<text.count)
  }

  private func firstIndex(of pattern: [UInt8], from start: Int) -> Int? {
    guard let base = text.baseAddress else { return nil }
    var position = start
    while position + pattern.count <= text.count {
      let candidates = text.count - pattern.count + 1 - position
      guard let found = memchr(base + position, Int32(pattern[0]), candidates) else { return nil }
      position = UnsafeRawPointer(found) - UnsafeRawPointer(base)
      if memcmp(found, pattern, pattern.count) == 0 { return position }
      position += 1
    }
    return nil
  }

  private mutating func encode(_ range: Range<Int>) throws {
    var start = range.lowerBound
    while start < range.upperBound {
      let end = scanner.endOfWord(from: start, limit: range.upperBound)
      try encodeWord(start..<end)
      start = end
    }
  }

  @inline(__always)
  private mutating func encodeWord(_ word: Range<Int>) throws {
    let bytes = UnsafeBufferPointer(rebasing: text[word])
    let slot = seen.slot(of: bytes)
    if let known = seen.ids(of: bytes, in: slot, text: text) {
      for index in known { ids.append(ids[index]) }
      return
    }
    let first = ids.count
    try mergeWord(word)
    seen.remember(word, ids: first..<ids.count, in: slot)
  }

  @inline(never)
  private mutating func mergeWord(_ word: Range<Int>) throws {
    if let offset = word.first(where: { byteTokens[Int(text[$0])] == .max }) {
      throw TokenizerError.byteWithoutToken(byte: text[offset], offset: offset)
    }
    for token in merger.merge(text[word].lazy.map { [byteTokens] in byteTokens[Int($0)] }) {
      ids.append(Int(token))
    }
  }
}
