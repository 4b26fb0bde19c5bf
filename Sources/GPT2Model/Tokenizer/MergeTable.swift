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

extension MergeTable {
  private typealias Token = UnsafeBufferPointer<UInt8>

  /// Reads the text of `merges.txt`: a first line `#version: …` that may be absent, then one merge a line,
  /// the earliest first, as two tokens with one space between them.
  ///
  /// - Parameters:
  ///   - index: the vocabulary, in which both parts of every merge and what they make must be.
  /// - Throws: `TokenizerError`, with the line.
  init(parsing text: UnsafeBufferPointer<UInt8>, index: TokenIndex, path: String) throws {
    let newline = UInt8(ascii: "\n")
    self.init(capacity: text.count { $0 == newline } + 1)
    var position = 0
    var line = 0
    var firstMergeLine = 1
    while position < text.count {
      line += 1
      let end = text[position...].firstIndex(of: newline) ?? text.count
      var content = text[position..<end]
      position = end + 1
      if content.last == UInt8(ascii: "\r") { content.removeLast() }
      if line == 1, content.starts(with: "#version".utf8) {
        firstMergeLine = 2
        continue
      }
      if content.isEmpty, text[end...].allSatisfy({ $0 == newline || $0 == UInt8(ascii: "\r") }) { break }

      try add(Token(rebasing: content), rank: line - firstMergeLine, line: line, index: index, path: path)
    }
  }

  /// Adds one merge: two tokens with one space between them.
  ///
  /// - Parameters:
  ///   - rank: how many merges come before it.
  ///   - line: its place in the file, from 1, for errors.
  mutating func add(
    _ content: UnsafeBufferPointer<UInt8>, rank: Int, line: Int, index: TokenIndex, path: String
  ) throws {
    guard let (left, right) = Self.parts(of: content) else {
      let found = String(decoding: content, as: UTF8.self)
      throw TokenizerError.malformedMerge(path: path, line: line, found: found)
    }
    try add(left, right, rank: rank, line: line, index: index, path: path)
  }

  /// Adds one merge.
  mutating func add(
    _ left: UnsafeBufferPointer<UInt8>, _ right: UnsafeBufferPointer<UInt8>, rank: Int, line: Int,
    index: TokenIndex, path: String
  ) throws {
    func id(of token: Token) throws -> UInt32 {
      if let id = index.id(of: token) { return UInt32(id) }
      let name = String(decoding: token, as: UTF8.self)
      throw TokenizerError.mergeOutsideVocabulary(path: path, line: line, token: name)
    }
    let joined = Array(left) + right
    let merge = Merge(rank: UInt32(rank), result: try joined.withUnsafeBufferPointer { try id(of: $0) })
    if let earlier = insert(try id(of: left), try id(of: right), merge) {
      throw TokenizerError.duplicateMerge(
        path: path, line: line, firstLine: line - rank + Int(earlier.rank),
        pair: String(decoding: Array(left) + [UInt8(ascii: " ")] + right, as: UTF8.self))
    }
  }

  private static func parts(of line: Token) -> (left: Token, right: Token)? {
    let space = UInt8(ascii: " ")
    guard let middle = line.firstIndex(of: space) else { return nil }
    let left = line[..<middle]
    let right = line[(middle + 1)...]
    guard !left.isEmpty, !right.isEmpty, !right.contains(space) else { return nil }
    return (Token(rebasing: left), Token(rebasing: right))
  }
}

extension MergeTable {
  /// The merges of a vocabulary of which only the tokens are known, in the order in which training made them.
  ///
  /// A token's rank is its id, as in tiktoken. Its merge is what is left of its bytes when all merges of lower ranks
  /// are done: two tokens, or it is no merge's result (special tokens, and any that spells what one before it spells).
  /// For a trained vocabulary this gives the lines of `merges.txt`.
  ///
  /// - Parameters:
  ///   - byteTokens: (256) the token of each byte; `UInt32.max` where there is none.
  ///   - special: an id that no merge makes.
  init(making vocabulary: Vocabulary, byteTokens: [UInt32], except special: Int?) {
    self.init(capacity: vocabulary.count)
    var parts: [UInt32] = []
    for id in 0..<vocabulary.count where id != special && vocabulary[id].count > 1 {
      parts.removeAll(keepingCapacity: true)
      for byte in vocabulary[id] { parts.append(byteTokens[Int(byte)]) }
      guard !parts.contains(.max) else { continue }
      while let (position, merge) = lowest(in: parts) {
        parts[position] = merge.result
        parts.remove(at: position + 1)
      }
      if parts.count == 2 { _ = insert(parts[0], parts[1], Merge(rank: UInt32(id), result: UInt32(id))) }
    }
  }

  /// The merge of the lowest rank among neighbours, the leftmost of equals.
  private func lowest(in parts: [UInt32]) -> (position: Int, merge: Merge)? {
    var best: (position: Int, merge: Merge)?
    for position in parts.indices.dropLast() {
      guard let merge = merge(parts[position], parts[position + 1]) else { continue }
      if merge.rank < best?.merge.rank ?? .max { best = (position, merge) }
    }
    return best
  }
}
