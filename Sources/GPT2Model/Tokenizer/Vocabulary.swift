/// A vocabulary's tokens by id, as the bytes they stand for.
struct Vocabulary: Sendable {
  private var bytes: [UInt8] = []
  private var offsets: [Int] = [0]  // (count + 1); token i is bytes[offsets[i] ..< offsets[i + 1]]

  /// - Parameters:
  ///   - index: the tokens as `vocab.json` writes them, by id.
  ///   - literal: ids of tokens that stand for their spelling's own UTF-8.
  init(_ index: TokenIndex, alphabet: ByteAlphabet, literal: Set<Int>) {
    bytes.reserveCapacity(index.byteCount)
    offsets.reserveCapacity(index.count + 1)
    for id in 0..<index.count {
      index.withKey(of: id) { key in
        if literal.contains(id) {
          bytes.append(contentsOf: key)
        } else {
          alphabet.appendBytes(of: key, to: &bytes)
        }
      }
      offsets.append(bytes.count)
    }
  }

  /// Of no tokens yet.
  init() {}

  /// Gives a token the next id.
  mutating func append(_ token: some Sequence<UInt8>) {
    bytes.append(contentsOf: token)
    offsets.append(bytes.count)
  }

  var count: Int { offsets.count - 1 }

  /// - Precondition: there is a token with this id.
  subscript(_ id: Int) -> ArraySlice<UInt8> { bytes[offsets[id]..<offsets[id + 1]] }

  /// - Throws: `TokenizerError.idOutsideVocabulary`.
  func bytes(of id: Int) throws -> ArraySlice<UInt8> {
    guard id >= 0, id < count else { throw TokenizerError.idOutsideVocabulary(id: id, count: count) }
    return self[id]
  }
}
