/// Learns a vocabulary for byte-level byte-pair encoding from a text (Sennrich et al. 2016, arXiv 1508.07909; of bytes:
/// Radford et al. 2019). Tokens are the 256 bytes in the order of GPT-2's alphabet, then what the pairs of neighbours
/// become that occur most often in the text's words, and `<|endoftext|>` as the last.
///
/// Of pairs that are as frequent, the one with the lower ids is the first. This and all else is as in `BpeTrainer` of
/// Hugging Face's tokenizers 0.22: the same text gives the same `merges.txt`.
public struct VocabularyLearner {
  /// Tokens of the smallest vocabulary: the bytes, and the end of a text.
  public static let fewestTokens = 257

  private var words = WordCounts()
  private var ends = AddedTokens()

  public init() {
    ends.add(
      [AddedToken(content: Tokenizer.endOfTextSpelling, isSpecial: true)], known: { _ in 0 }, count: 1)
  }

  /// Adds a text, or one of its `TextBlocks`. An `<|endoftext|>` in it is not learnt from.
  /// - Parameter block: UTF-8; what is none is read as U+FFFD.
  public mutating func add(_ block: [UInt8]) {
    var text = String(decoding: block, as: UTF8.self)
    text.withUTF8 { utf8 in
      var pieces: [AddedTokens.Piece] = []
      ends.cut(utf8) { pieces.append($0) }
      var scanner = WordScanner(utf8)
      for piece in pieces {
        guard case .text(let range) = piece else { continue }
        var start = range.lowerBound
        while start < range.upperBound {
          let end = scanner.endOfWord(from: start, limit: range.upperBound)
          words.add(UnsafeBufferPointer(rebasing: utf8[start..<end]))
          start = end
        }
      }
    }
  }

  /// A tokenizer with what was learnt.
  ///
  /// - Parameter count: its tokens, `fewestTokens` at least.
  /// - Throws: `TokenizerError.textTooShort` for a text with too few pairs.
  public func tokenizer(count: Int) throws -> Tokenizer {
    precondition(count >= Self.fewestTokens)
    var merging = PairMerging(words)
    while merging.tokens.count < count - 1, merging.mergeNext() {}
    guard merging.tokens.count == count - 1 else {
      throw TokenizerError.textTooShort(found: merging.tokens.count + 1, expected: count)
    }
    let scalars = ByteAlphabet().scalars
    var entries = TokenEntries()
    func append(_ token: String) {
      entries.keys.append(contentsOf: token.utf8)
      entries.offsets.append(entries.keys.count)
      entries.ids.append(entries.ids.count)
    }
    for token in merging.tokens {
      var spelling = ""
      for byte in token { spelling.unicodeScalars.append(scalars[Int(byte)]) }
      append(spelling)
    }
    append(Tokenizer.endOfTextSpelling)
    // Errors of an index name its file; here is none, and no token is there twice.
    return Tokenizer(try TokenIndex(entries, path: "vocab.json"), merging.table)
  }
}

/// How often each word is in a text.
private struct WordCounts {
  private var bytes: [UInt8] = []
  private var offsets = [0]
  private(set) var counts: [Int] = []
  private var slots = [Int32](repeating: free, count: 1 << 10)
  private static let free: Int32 = -1

  /// - Complexity: O(n) in the word's length.
  mutating func add(_ word: UnsafeBufferPointer<UInt8>) {
    let slot = slot(of: word)
    if slots[slot] != Self.free {
      counts[Int(slots[slot])] += 1
      return
    }
    slots[slot] = Int32(counts.count)
    bytes.append(contentsOf: word)
    offsets.append(bytes.count)
    counts.append(1)
    if 2 * counts.count >= slots.count { grow() }
  }

  subscript(_ word: Int) -> ArraySlice<UInt8> { bytes[offsets[word]..<offsets[word + 1]] }

  private func slot(of word: UnsafeBufferPointer<UInt8>) -> Int {
    let mask = slots.count - 1
    var slot = Int(truncatingIfNeeded: byteHash(word)) & mask
    while slots[slot] != Self.free, !self[Int(slots[slot])].elementsEqual(word) { slot = (slot + 1) & mask }
    return slot
  }

  private mutating func grow() {
    slots = [Int32](repeating: Self.free, count: 2 * slots.count)
    for word in counts.indices {
      let slot = bytes.withUnsafeBufferPointer {
        self.slot(of: UnsafeBufferPointer(rebasing: $0[offsets[word]..<offsets[word + 1]]))
      }
      slots[slot] = Int32(word)
    }
  }
}

/// Words as tokens, in which the most frequent pair of neighbours is merged, again and again.
///
/// Counts of pairs are kept up to date merge by merge. A pair waits in a heap with the words in which it has formed since
/// it was put there last; a count that has fallen since is noticed when the pair comes up.
private struct PairMerging {
  /// By id, the bytes that each stands for.
  private(set) var tokens: [[UInt8]]
  private var ids: [[UInt8]: UInt32] = [:]
  /// In the order in which they were made. A pair may be there several times; the last is the one that counts.
  private var merges: [(pair: UInt64, result: UInt32)] = []

  /// The words' tokens; word w has `lengths[w]` of them from `starts[w]` on.
  private var symbols: [UInt32] = []
  private var starts: [Int] = []
  private var lengths: [Int] = []
  private let counts: [Int]

  /// Occurrences of each pair, its left id in the upper half. Those that were merged stay counted: a pair that forms anew
  /// is merged at once, as an encoder does it.
  private var pairCounts: [UInt64: Int] = [:]
  /// Words in which a pair has formed since the heap was filled last.
  private var formed: [UInt64: [Int32]] = [:]
  private var heap = MinHeap<Candidate>()
  /// Words of each candidate.
  private var places: [[Int32]] = []

  private struct Candidate: Comparable {
    var count: Int
    let pair: UInt64
    let place: Int

    /// The most frequent is the first, and of those the one with the lower ids.
    static func < (a: Self, b: Self) -> Bool {
      a.count != b.count ? a.count > b.count : a.pair < b.pair
    }
  }

  init(_ words: WordCounts) {
    let scalars = ByteAlphabet().scalars
    let order = (UInt8.min...UInt8.max).sorted { scalars[Int($0)].value < scalars[Int($1)].value }
    tokens = order.map { [$0] }
    counts = words.counts
    var byteTokens = [UInt32](repeating: 0, count: 256)
    for (id, byte) in order.enumerated() {
      byteTokens[Int(byte)] = UInt32(id)
      ids[[byte]] = UInt32(id)
    }
    for word in counts.indices {
      starts.append(symbols.count)
      lengths.append(words[word].count)
      for byte in words[word] { symbols.append(byteTokens[Int(byte)]) }
      for index in starts[word]..<symbols.count - 1 {
        note(symbols[index], symbols[index + 1], counts[word], in: word)
      }
    }
    fillHeap()
  }

  /// Makes a token of the most frequent pair; false where no pair is left.
  mutating func mergeNext() -> Bool {
    while var best = heap.popFirst() {
      let count = pairCounts[best.pair] ?? 0
      guard best.count == count else {
        best.count = count
        heap.insert(best)
        continue
      }
      guard count > 0 else { return false }
      let (left, right) = (UInt32(best.pair >> 32), UInt32(truncatingIfNeeded: best.pair))
      let bytes = tokens[Int(left)] + tokens[Int(right)]
      // Two pairs may spell the same.
      let result = ids[bytes] ?? UInt32(tokens.count)
      if Int(result) == tokens.count {
        tokens.append(bytes)
        ids[bytes] = result
      }
      merges.append((best.pair, result))
      for word in places[best.place] { merge(left, right, result, in: Int(word)) }
      places[best.place] = []
      fillHeap()
      return true
    }
    return false
  }

  /// The merges by their rank.
  var table: MergeTable {
    var last: [UInt64: Int] = [:]
    for (rank, merge) in merges.enumerated() { last[merge.pair] = rank }
    var table = MergeTable(capacity: merges.count)
    for (rank, merge) in merges.enumerated() where last[merge.pair] == rank {
      let entry = MergeTable.Merge(rank: UInt32(rank), result: merge.result)
      _ = table.insert(UInt32(merge.pair >> 32), UInt32(truncatingIfNeeded: merge.pair), entry)
    }
    return table
  }

  /// Replaces the pair in a word, from left to right.
  private mutating func merge(_ left: UInt32, _ right: UInt32, _ result: UInt32, in word: Int) {
    let (start, end) = (starts[word], starts[word] + lengths[word])
    let times = counts[word]
    var (read, write) = (start, start)
    while read < end {
      if symbols[read] == left, read + 1 < end, symbols[read + 1] == right {
        if write > start {
          note(symbols[write - 1], left, -times, in: word)
          note(symbols[write - 1], result, times, in: word)
        }
        if read + 2 < end {
          note(right, symbols[read + 2], -times, in: word)
          note(result, symbols[read + 2], times, in: word)
        }
        symbols[write] = result
        read += 2
      } else {
        symbols[write] = symbols[read]
        read += 1
      }
      write += 1
    }
    lengths[word] = write - start
  }

  private mutating func note(_ left: UInt32, _ right: UInt32, _ change: Int, in word: Int) {
    let pair = UInt64(left) << 32 | UInt64(right)
    pairCounts[pair, default: 0] += change
    guard change > 0, formed[pair]?.last != Int32(word) else { return }
    formed[pair, default: []].append(Int32(word))
  }

  private mutating func fillHeap() {
    for (pair, words) in formed {
      guard let count = pairCounts[pair], count > 0 else { continue }
      heap.insert(Candidate(count: count, pair: pair, place: places.count))
      places.append(words)
    }
    formed = [:]
  }
}
