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

extension Vocabulary {
  /// (256) The token of each byte, the lowest id of several; `UInt32.max` where there is none.
  var byteTokens: [UInt32] {
    var tokens = [UInt32](repeating: .max, count: 256)
    for id in 0..<count {
      let token = self[id]
      guard token.count == 1, let byte = token.first, tokens[Int(byte)] == .max else { continue }
      tokens[Int(byte)] = UInt32(id)
    }
    return tokens
  }

  /// The lowest id of a token; nil where there is none.
  func id(of token: some Collection<UInt8>) -> Int? {
    (0..<count).first { self[$0].elementsEqual(token) }
  }
}
