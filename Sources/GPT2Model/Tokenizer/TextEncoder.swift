/// Encodes one text: cuts it at added tokens, splits the rest into words, merges each, and remembers the words it has
/// seen.
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
    (self.text, self.byteTokens) = (text, byteTokens)
    scanner = WordScanner(text)
    merger = BytePairMerger(merges)
    seen = WordMemory(textLength: text.count)
    ids.reserveCapacity(text.count / 3)
  }

  /// Appends the ids of pieces of the text.
  /// - Parameter splitsWords: whether a piece is split into words; else it is one.
  mutating func encode(_ pieces: [AddedTokens.Piece], splitsWords: Bool = true) throws {
    for piece in pieces {
      switch piece {
      case .token(let id): ids.append(id)
      case .text(let range):
        if splitsWords { try encodeWords(range) } else { try encodeWord(range) }
      }
    }
  }

  private mutating func encodeWords(_ range: Range<Int>) throws {
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

  @inline(__always)
  func slot(of word: UnsafeBufferPointer<UInt8>) -> Int { Int(truncatingIfNeeded: byteHash(word)) & mask }

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

/// Merges the pairs of one word, lowest rank first and leftmost among equals, until none is left.
struct BytePairMerger {
  private let merges: MergeTable
  private var symbols: [UInt32] = []
  private var ranks: [UInt32] = []
  private var chain = SymbolChain()
  private static let noMerge = UInt32.max

  /// Up to this many bytes, looking through all pairs for each merge is faster than keeping a heap.
  private static let shortWord = 48

  init(_ merges: MergeTable) { self.merges = merges }

  /// The tokens of a word, valid until the next call.
  ///
  /// - Parameter bytes: the token of each byte of the word.
  /// - Complexity: O(n log n) for n bytes.
  @inline(__always)
  mutating func merge(_ bytes: some Collection<UInt32>) -> [UInt32] {
    symbols.removeAll(keepingCapacity: true)
    symbols.append(contentsOf: bytes)
    if symbols.count <= Self.shortWord {
      mergeShort()
    } else {
      chain.merge(&symbols, with: merges)
    }
    return symbols
  }

  private mutating func mergeShort() {
    ranks.removeAll(keepingCapacity: true)
    for index in symbols.indices.dropLast() { ranks.append(rank(at: index)) }
    while true {
      var best = Self.noMerge
      var position = 0
      for index in ranks.indices where ranks[index] < best {
        best = ranks[index]
        position = index
      }
      guard best != Self.noMerge, let merge = merges.merge(symbols[position], symbols[position + 1]) else {
        return
      }
      symbols[position] = merge.result
      symbols.remove(at: position + 1)
      ranks.remove(at: position)
      if position < ranks.count { ranks[position] = rank(at: position) }
      if position > 0 { ranks[position - 1] = rank(at: position - 1) }
    }
  }

  @inline(__always)
  private func rank(at index: Int) -> UInt32 {
    merges.merge(symbols[index], symbols[index + 1])?.rank ?? Self.noMerge
  }
}

/// The method for long words: the symbols as a doubly linked list, their possible merges in a heap.
///
/// A merge makes at most two new pairs, so that n symbols take at most 3n heap entries; entries that a
/// merge has made obsolete are recognised when they come up.
struct SymbolChain {
  private var previous: [Int32] = []
  private var next: [Int32] = []
  private var heap = MinHeap<UInt64>()
  private static let end: Int32 = -1

  /// - Precondition: fewer than 2^31 symbols.
  /// - Complexity: O(n log n).
  mutating func merge(_ symbols: inout [UInt32], with merges: MergeTable) {
    let count = symbols.count
    previous = (0..<count).map { Int32($0) - 1 }
    next = (0..<count).map { $0 + 1 < count ? Int32($0) + 1 : Self.end }
    heap.removeAll()
    for left in 0..<count - 1 { push(left, symbols, merges) }

    while let entry = heap.popFirst() {
      let left = Int(entry & 0xFFFF_FFFF)
      let right = Int(next[left])
      guard right >= 0, let merge = merges.merge(symbols[left], symbols[right]),
        merge.rank == UInt32(entry >> 32)
      else { continue }
      symbols[left] = merge.result
      symbols[right] = .max
      next[left] = next[right]
      next[right] = Self.end
      if next[left] >= 0 {
        previous[Int(next[left])] = Int32(left)
        push(left, symbols, merges)
      }
      if previous[left] >= 0 { push(Int(previous[left]), symbols, merges) }
    }
    symbols.removeAll { $0 == .max }
  }

  /// Puts the pair that starts at `left` into the heap: its rank above its position.
  private mutating func push(_ left: Int, _ symbols: [UInt32], _ merges: MergeTable) {
    guard let merge = merges.merge(symbols[left], symbols[Int(next[left])]) else { return }
    heap.insert(UInt64(merge.rank) << 32 | UInt64(left))
  }
}

/// A binary heap, the smallest first.
struct MinHeap<Element: Comparable> {
  private var elements: [Element] = []

  mutating func removeAll() { elements.removeAll(keepingCapacity: true) }

  mutating func insert(_ element: Element) {
    var child = elements.count
    elements.append(element)
    while child > 0 {
      let parent = (child - 1) / 2
      if elements[parent] <= element { break }
      elements[child] = elements[parent]
      child = parent
    }
    elements[child] = element
  }

  mutating func popFirst() -> Element? {
    guard let first = elements.first, let last = elements.popLast() else { return nil }
    if elements.isEmpty { return first }
    var parent = 0
    while true {
      var child = 2 * parent + 1
      if child >= elements.count { break }
      if child + 1 < elements.count, elements[child + 1] < elements[child] { child += 1 }
      if last <= elements[child] { break }
      elements[parent] = elements[child]
      parent = child
    }
    elements[parent] = last
    return first
  }
}
