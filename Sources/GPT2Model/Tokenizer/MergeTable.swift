/// The merges by pair of token ids: an open-addressing hash table, one slot of 16 bytes a merge.
struct MergeTable: Sendable {
  /// What a pair becomes, and how early: a lower rank is merged first.
  struct Merge {
    let rank: UInt32
    let result: UInt32
  }

  private struct Slot {
    var pair: UInt64  // left id in the upper half, right id in the lower; `free` where there is none
    var merge: Merge
  }

  private static let free = UInt64.max
  private var slots: [Slot]
  private let mask: Int

  init(capacity: Int) {
    let empty = Slot(pair: Self.free, merge: Merge(rank: .max, result: .max))
    slots = [Slot](repeating: empty, count: tableSize(holding: capacity))
    mask = slots.count - 1
  }

  @inline(__always)
  func merge(_ left: UInt32, _ right: UInt32) -> Merge? {
    let slot = slots[slot(of: Self.key(left, right))]
    return slot.pair == Self.free ? nil : slot.merge
  }

  /// Adds a merge, and returns the one that the pair has already, if there is one.
  ///
  /// - Precondition: no more than the table's capacity are added.
  mutating func insert(_ left: UInt32, _ right: UInt32, _ merge: Merge) -> Merge? {
    let key = Self.key(left, right)
    let slot = slot(of: key)
    if slots[slot].pair != Self.free { return slots[slot].merge }
    slots[slot] = Slot(pair: key, merge: merge)
    return nil
  }

  /// All pairs, in ascending rank.
  var pairs: [(left: UInt32, right: UInt32)] {
    slots.filter { $0.pair != Self.free }.sorted { $0.merge.rank < $1.merge.rank }
      .map { (UInt32($0.pair >> 32), UInt32(truncatingIfNeeded: $0.pair)) }
  }

  @inline(__always)
  private static func key(_ left: UInt32, _ right: UInt32) -> UInt64 { UInt64(left) << 32 | UInt64(right) }

  @inline(__always)
  private func slot(of key: UInt64) -> Int {
    var slot = Int(truncatingIfNeeded: fold(key, 0x9E37_79B9_7F4A_7C15)) & mask
    while slots[slot].pair != Self.free && slots[slot].pair != key { slot = (slot + 1) & mask }
    return slot
  }
}
