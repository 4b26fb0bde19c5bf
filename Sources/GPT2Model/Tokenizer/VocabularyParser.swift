/// Reads the text of `vocab.json`: one flat JSON object from tokens to ids.
///
/// A general reader hides a token that is named twice, and takes several times as long.
struct VocabularyParser {
  /// The object's entries, in the file's order.
  struct Entries {
    /// The tokens' UTF-8, one after the other.
    var keys: [UInt8] = []
    /// Where each token starts in `keys`, and where the last one ends.
    var offsets: [Int] = [0]
    var ids: [Int] = []
  }

  private let path: String
  private let text: UnsafeBufferPointer<UInt8>
  private var position = 0
  private var entries = Entries()

  /// - Parameters:
  ///   - text: the file's bytes; anything that is not UTF-8 is an error with its place.
  static func parse(_ text: UnsafeBufferPointer<UInt8>, path: String) throws -> Entries {
    var parser = VocabularyParser(path: path, text: text)
    try parser.checkUTF8()
    try parser.parseObject()
    return parser.entries
  }

  private init(path: String, text: UnsafeBufferPointer<UInt8>) {
    (self.path, self.text) = (path, text)
    entries.keys.reserveCapacity(text.count)
  }

  private mutating func parseObject() throws {
    try take("{", or: "an object from tokens to ids (\"{\")")
    while true {
      try parseString()
      try take(":", or: "\":\" after the token")
      skipSpace()
      entries.ids.append(try parseID())
      skipSpace()
      guard peek == UInt8(ascii: ",") else { break }
      position += 1
    }
    try take("}", or: "\",\" or \"}\" after the id")
    skipSpace()
    if position < text.count { throw malformed(expected: "the end of the file") }
  }

  private mutating func parseString() throws {
    try take("\"", or: "a token in quotation marks")
    while let byte = peek, byte != UInt8(ascii: "\"") {
      if byte < 0x20 { throw malformed(expected: "an escape for the control character") }
      if byte == UInt8(ascii: "\\") {
        try parseEscape()
      } else {
        entries.keys.append(byte)
        position += 1
      }
    }
    try take("\"", or: "the token's closing quotation mark")
    entries.offsets.append(entries.keys.count)
  }

  private mutating func parseEscape() throws {
    let start = position
    position += 1
    if peek == UInt8(ascii: "u") { return try parseUnicodeEscape(from: start) }
    guard let byte = peek, let meaning = Self.escapes[byte] else {
      throw malformed(expected: "one of \"\\/bfnrtu after the backslash")
    }
    entries.keys.append(meaning)
    position += 1
  }

  /// What stands after a backslash for what.
  private static let escapes: [UInt8: UInt8] = [
    0x22: 0x22, 0x5C: 0x5C, 0x2F: 0x2F, UInt8(ascii: "b"): 0x08, UInt8(ascii: "f"): 0x0C,
    UInt8(ascii: "n"): 0x0A, UInt8(ascii: "r"): 0x0D, UInt8(ascii: "t"): 0x09,
  ]

  /// `\uXXXX`, or two of them for a scalar beyond U+FFFF. `position` is at the `u`.
  private mutating func parseUnicodeEscape(from start: Int) throws {
    position += 1
    var value = try parseHexadecimal()
    if 0xD800...0xDBFF ~= value, peek == UInt8(ascii: "\\"), position + 1 < text.count,
      text[position + 1] == UInt8(ascii: "u")
    {
      position += 2
      let low = try parseHexadecimal()
      if 0xDC00...0xDFFF ~= low { value = 0x10000 + (value - 0xD800) << 10 + (low - 0xDC00) }
    }
    guard let scalar = Unicode.Scalar(value) else {
      position = start
      let digits = String(value, radix: 16)
      throw malformed(found: "the lone surrogate \\u\(digits)", expected: "a pair of surrogates")
    }
    entries.keys.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
  }

  private mutating func parseHexadecimal() throws -> UInt32 {
    var value: UInt32 = 0
    for _ in 0..<4 {
      guard let byte = peek, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
        throw malformed(expected: "four hexadecimal digits after \\u")
      }
      value = value << 4 | UInt32(digit)
      position += 1
    }
    return value
  }

  private mutating func parseID() throws -> Int {
    let start = position
    var value = 0
    while let byte = peek, 0x30...0x39 ~= byte {
      value = value * 10 + Int(byte - 0x30)
      position += 1
      if value > Int(Int32.max) { break }
    }
    let isNumber = position > start && !(text[start] == 0x30 && position - start > 1)
    let ends = peek.map { !"0123456789.eE".utf8.contains($0) } ?? true
    guard isNumber, ends else {
      position = start
      throw malformed(expected: "an id: an integer from 0 to \(Int32.max)")
    }
    return value
  }

  private var peek: UInt8? { position < text.count ? text[position] : nil }

  private mutating func skipSpace() {
    while let byte = peek, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
  }

  /// What comes next but for white space.
  private mutating func take(_ scalar: Unicode.Scalar, or expected: String) throws {
    skipSpace()
    guard peek == UInt8(ascii: scalar) else { throw malformed(expected: expected) }
    position += 1
  }

  private mutating func checkUTF8() throws {
    guard String(validating: text, as: UTF8.self) == nil else { return }
    let repaired = String(decoding: text, as: UTF8.self)
    position = zip(text, repaired.utf8).prefix { $0 == $1 }.count
    throw malformed(found: "bytes that are not UTF-8", expected: "UTF-8")
  }

  private func malformed(found: String? = nil, expected: String) -> TokenizerError {
    let before = String(decoding: text.prefix(position), as: UTF8.self).unicodeScalars
    let lineStart = before.lastIndex(of: "\n").map { before.index(after: $0) } ?? before.startIndex
    let line = before.count { $0 == "\n" } + 1
    let rest = String(decoding: text.dropFirst(position).prefix(4), as: UTF8.self)
    let next = rest.unicodeScalars.first.map { String($0).debugDescription } ?? "the end of the file"
    return .malformedVocabulary(
      path: path, line: line, column: before[lineStart...].count + 1, found: found ?? next,
      expected: expected)
  }
}
