/// Merges the pairs of one word, lowest rank first and leftmost among equals, until none is left.
///
/// Scratch space for one encoding; not shared.
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
