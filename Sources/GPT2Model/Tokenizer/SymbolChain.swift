/// The method for long words: the symbols as a doubly linked list, their possible merges in a heap.
///
/// A merge makes at most two new pairs, so that n symbols take at most 3n heap entries; entries that a
/// merge has made obsolete are recognised when they come up.
struct SymbolChain {
  private var previous: [Int32] = []
  private var next: [Int32] = []
  private var heap = MinHeap()
  private static let end: Int32 = -1

  /// Merges the symbols in place.
  ///
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

/// A binary heap of integers, the smallest first.
struct MinHeap {
  private var elements: [UInt64] = []

  mutating func removeAll() { elements.removeAll(keepingCapacity: true) }

  mutating func insert(_ element: UInt64) {
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

  mutating func popFirst() -> UInt64? {
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
