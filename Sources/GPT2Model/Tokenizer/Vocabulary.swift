/// A vocabulary's tokens by id, as the bytes they stand for.
struct Vocabulary: Sendable {
  private var bytes: [UInt8] = []
  private var offsets: [Int] = [0]  // (count + 1); token i is bytes[offsets[i] ..< offsets[i + 1]]
  /// Ids below this one that no token has stand for no text: a model may have more rows than there are tokens.
  var idCount = 0

  /// - Parameters:
  ///   - index: the tokens as `vocab.json` writes them, by id.
  ///   - literal: ids of tokens that stand for their spelling's own UTF-8.
  ///   - empty: ids of tokens that stand for no text.
  ///   - added: what follows the tokens of the index.
  init(
    _ index: TokenIndex, alphabet: ByteAlphabet, literal: Set<Int> = [], empty: Set<Int> = [],
    added: [String] = []
  ) {
    bytes.reserveCapacity(index.byteCount)
    offsets.reserveCapacity(index.count + 1)
    for id in 0..<index.count {
      index.withKey(of: id) { key in
        if literal.contains(id) {
          bytes.append(contentsOf: key)
        } else if !empty.contains(id) {
          alphabet.appendBytes(of: key, to: &bytes)
        }
      }
      offsets.append(bytes.count)
    }
    for var token in added {
      token.withUTF8 { alphabet.appendBytes(of: $0, to: &bytes) }
      offsets.append(bytes.count)
    }
  }

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
    guard id >= 0, id < max(count, idCount) else {
      throw TokenizerError.idOutsideVocabulary(id: id, count: max(count, idCount))
    }
    return id < count ? self[id] : []
  }

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
  func id(of token: some Collection<UInt8>) -> Int? { (0..<count).first { self[$0].elementsEqual(token) } }
}

/// GPT-2's printable alphabet of the 256 bytes, in which `vocab.json` and `merges.txt` write their tokens.
///
/// The bytes that Latin-1 prints (`!`…`~`, `¡`…`¬`, `®`…`ÿ`) stand for themselves; the other 68, in
/// ascending order, are written as U+0100, U+0101, … Source: `bytes_to_unicode` of OpenAI's GPT-2 release.
struct ByteAlphabet {
  /// The scalar that stands for each byte.
  let scalars: [Unicode.Scalar]
  private let bytes: [UInt16]  // by scalar value; `absent` where no byte is written so
  private static let absent = UInt16.max

  init() {
    var scalars: [Unicode.Scalar] = []
    var bytes = [UInt16](repeating: Self.absent, count: 0x144)
    var next: UInt16 = 0x100
    for byte in UInt8.min...UInt8.max {
      var value = UInt16(byte)
      if !Self.isPrintable(byte) {
        value = next
        next += 1
      }
      bytes[Int(value)] = UInt16(byte)
      scalars.append(Unicode.Scalar(value) ?? Unicode.Scalar(byte))
    }
    (self.scalars, self.bytes) = (scalars, bytes)
  }

  private static func isPrintable(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x21...0x7E, 0xA1...0xAC, 0xAE...0xFF: true
    default: false
    }
  }

  /// Appends the bytes that a token stands for.
  ///
  /// A token with a scalar outside the alphabet (a special token with a space in it, say) stands for its
  /// own UTF-8, as in Hugging Face's decoder.
  /// - Parameter key: the token as the files write it, as valid UTF-8.
  func appendBytes(of key: UnsafeBufferPointer<UInt8>, to output: inout [UInt8]) {
    let start = output.count
    var position = 0
    while position < key.count {
      let (scalar, length) = UTF8Text.scalar(in: key, at: position)
      guard scalar < bytes.count, bytes[Int(scalar)] != Self.absent else {
        output.removeSubrange(start...)
        output.append(contentsOf: key)
        return
      }
      output.append(UInt8(truncatingIfNeeded: bytes[Int(scalar)]))
      position += length
    }
  }
}
