/// The entries of a vocabulary, in a file's order.
struct TokenEntries {
  /// The tokens' UTF-8, one after the other.
  var keys: [UInt8] = []
  /// Where each token starts in `keys`, and where the last one ends.
  var offsets: [Int] = [0]
  var ids: [Int] = []

  init() {}

  /// Reads the flat object from tokens to ids that `vocab.json` is, and that `tokenizer.json` holds.
  init(_ cursor: inout JSONCursor) throws {
    try cursor.take("{", or: "an object from tokens to ids (\"{\")")
    repeat {
      try cursor.string(to: &keys, or: "a token in quotation marks")
      offsets.append(keys.count)
      try cursor.take(":", or: "\":\" after the token")
      ids.append(try cursor.id())
    } while cursor.takeComma()
    try cursor.take("}", or: "\",\" or \"}\" after the id")
  }
}

/// The ids of a vocabulary by token, each token spelled as the files spell it. Needed while loading only.
///
/// An open-addressing hash table over one buffer: a `[String: Int]` takes longer than all the rest of loading.
struct TokenIndex {
  private let keys: [UInt8]
  private let ranges: [Range<Int>]  // by id, into keys
  private var slots: [Int32]  // ids; `free` where there is none
  private static let free: Int32 = -1

  /// - Throws: `TokenizerError` for a token or an id that appears twice, and for an id that is missing.
  init(_ entries: TokenEntries, path: String) throws {
    let count = entries.ids.count
    keys = entries.keys
    ranges = try Self.rangesByID(entries, path: path)
    slots = [Int32](repeating: Self.free, count: tableSize(holding: count))
    for id in 0..<count {
      let slot = withKey(of: id) { self.slot(of: $0) }
      guard slots[slot] == Self.free else {
        let token = withKey(of: id) { String(decoding: $0, as: UTF8.self) }
        throw TokenizerError.duplicateToken(path: path, token: token, firstID: Int(slots[slot]), secondID: id)
      }
      slots[slot] = Int32(id)
    }
  }

  private static func rangesByID(_ entries: TokenEntries, path: String) throws -> [Range<Int>] {
    let count = entries.ids.count
    var order = [Int](repeating: -1, count: count)
    func token(_ entry: Int) -> String {
      String(decoding: entries.keys[entries.offsets[entry]..<entries.offsets[entry + 1]], as: UTF8.self)
    }
    for (entry, id) in entries.ids.enumerated() where id < count {
      guard order[id] < 0 else {
        throw TokenizerError.duplicateID(
          path: path, id: id, firstToken: token(order[id]), secondToken: token(entry))
      }
      order[id] = entry
    }
    if let hole = order.firstIndex(of: -1) {
      throw TokenizerError.missingID(path: path, id: hole, count: count)
    }
    return order.map { entries.offsets[$0]..<entries.offsets[$0 + 1] }
  }

  var count: Int { ranges.count }
  var byteCount: Int { keys.count }

  func id(of key: UnsafeBufferPointer<UInt8>) -> Int? {
    let id = slots[slot(of: key)]
    return id == Self.free ? nil : Int(id)
  }

  func id(of key: String) -> Int? {
    var key = key
    return key.withUTF8 { id(of: $0) }
  }

  func withKey<Result>(of id: Int, _ body: (UnsafeBufferPointer<UInt8>) -> Result) -> Result {
    keys.withUnsafeBufferPointer { body(UnsafeBufferPointer(rebasing: $0[ranges[id]])) }
  }

  /// The slot that holds a token, or the free one where it would go.
  private func slot(of key: UnsafeBufferPointer<UInt8>) -> Int {
    let mask = slots.count - 1
    var slot = Int(truncatingIfNeeded: byteHash(key)) & mask
    while slots[slot] != Self.free {
      if withKey(of: Int(slots[slot]), { $0.elementsEqual(key) }) { break }
      slot = (slot + 1) & mask
    }
    return slot
  }
}

/// The size of an open-addressing table: a power of two, less than half full.
func tableSize(holding count: Int) -> Int {
  var size = 4
  while size <= 2 * count { size *= 2 }
  return size
}

/// A hash of a short byte string: eight bytes at a time, multiplied and folded. Not for hostile input
/// beyond this process: the tables that use it stay correct, if slower, under collisions.
@inline(__always)
func byteHash(_ bytes: UnsafeBufferPointer<UInt8>) -> UInt64 {
  let multiplier: UInt64 = 0x9E37_79B9_7F4A_7C15
  var hash = UInt64(truncatingIfNeeded: bytes.count) &* multiplier
  guard let base = UnsafeRawPointer(bytes.baseAddress) else { return hash }
  var position = 0
  while position + 8 <= bytes.count {
    hash = fold(hash ^ base.loadUnaligned(fromByteOffset: position, as: UInt64.self), multiplier)
    position += 8
  }
  var tail: UInt64 = 0
  if bytes.count - position >= 4 {
    tail = UInt64(base.loadUnaligned(fromByteOffset: position, as: UInt32.self))
    position += 4
  }
  while position < bytes.count {
    tail = tail << 8 | UInt64(bytes[position])
    position += 1
  }
  return fold(hash ^ tail, multiplier)
}

/// The two halves of the 128-bit product, one over the other.
@inline(__always)
func fold(_ value: UInt64, _ multiplier: UInt64) -> UInt64 {
  let product = value.multipliedFullWidth(by: multiplier)
  return product.high ^ product.low
}
