/// Walks over JSON text, from value to value.
///
/// A general reader hides a token that is named twice, and takes several times as long for a vocabulary.
struct JSONCursor {
  let path: String
  private let text: UnsafeBufferPointer<UInt8>
  private var position = 0

  /// - Parameter text: anything in it that is not UTF-8 is an error with its place.
  init(_ text: UnsafeBufferPointer<UInt8>, path: String) throws {
    (self.path, self.text) = (path, text)
    try checkUTF8()
  }

  /// Reads over an object, and stops at the value of each of its members, for `body` to take.
  mutating func members(_ expected: String, _ body: (inout JSONCursor, String) throws -> Void) throws {
    try take("{", or: expected)
    skipSpace()
    if peek == UInt8(ascii: "}") {
      position += 1
      return
    }
    while true {
      var name: [UInt8] = []
      try string(to: &name, or: "a name in quotation marks")
      try take(":", or: "\":\" after the name")
      try body(&self, String(decoding: name, as: UTF8.self))
      guard takeComma() else { break }
    }
    try take("}", or: "\",\" or \"}\" after the value")
  }

  /// Reads over an array, and stops at each of its elements, for `body` to take.
  mutating func elements(_ expected: String, _ body: (inout JSONCursor) throws -> Void) throws {
    try take("[", or: expected)
    skipSpace()
    if peek == UInt8(ascii: "]") {
      position += 1
      return
    }
    while true {
      skipSpace()
      try body(&self)
      guard takeComma() else { break }
    }
    try take("]", or: "\",\" or \"]\" after the element")
  }

  /// Appends the UTF-8 of a string.
  mutating func string(to output: inout [UInt8], or expected: String) throws {
    try take("\"", or: expected)
    while let byte = peek, byte != UInt8(ascii: "\"") {
      if byte < 0x20 { throw malformed(expected: "an escape for the control character") }
      if byte == UInt8(ascii: "\\") {
        try escape(to: &output)
      } else {
        output.append(byte)
        position += 1
      }
    }
    try take("\"", or: "the token's closing quotation mark")
  }

  private mutating func escape(to output: inout [UInt8]) throws {
    let start = position
    position += 1
    if peek == UInt8(ascii: "u") { return try unicodeEscape(from: start, to: &output) }
    guard let byte = peek, let meaning = Self.escapes[byte] else {
      throw malformed(expected: "one of \"\\/bfnrtu after the backslash")
    }
    output.append(meaning)
    position += 1
  }

  /// What stands after a backslash for what.
  private static let escapes: [UInt8: UInt8] = [
    0x22: 0x22, 0x5C: 0x5C, 0x2F: 0x2F, UInt8(ascii: "b"): 0x08, UInt8(ascii: "f"): 0x0C,
    UInt8(ascii: "n"): 0x0A, UInt8(ascii: "r"): 0x0D, UInt8(ascii: "t"): 0x09,
  ]

  /// `\uXXXX`, or two of them for a scalar beyond U+FFFF. `position` is at the `u`.
  private mutating func unicodeEscape(from start: Int, to output: inout [UInt8]) throws {
    position += 1
    var value = try hexadecimal()
    if 0xD800...0xDBFF ~= value, peek == UInt8(ascii: "\\"), position + 1 < text.count,
      text[position + 1] == UInt8(ascii: "u")
    {
      position += 2
      let low = try hexadecimal()
      if 0xDC00...0xDFFF ~= low { value = 0x10000 + (value - 0xD800) << 10 + (low - 0xDC00) }
    }
    guard let scalar = Unicode.Scalar(value) else {
      position = start
      let digits = String(value, radix: 16)
      throw malformed(found: "the lone surrogate \\u\(digits)", expected: "a pair of surrogates")
    }
    output.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
  }

  private mutating func hexadecimal() throws -> UInt32 {
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

  /// A token's id: an integer from 0 to 2^31 − 1.
  mutating func id() throws -> Int {
    skipSpace()
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

  /// Reads over a value of any kind, whose inside is not checked.
  /// - Returns: its bytes.
  mutating func value() throws -> UnsafeBufferPointer<UInt8> {
    skipSpace()
    let start = position
    var depth = 0
    repeat {
      skipSpace()
      guard let byte = peek else { throw malformed(expected: "a value") }
      switch byte {
      case UInt8(ascii: "\""):
        var ignored: [UInt8] = []
        try string(to: &ignored, or: "a value")
      case UInt8(ascii: "{"), UInt8(ascii: "["):
        depth += 1
        position += 1
      case UInt8(ascii: "}"), UInt8(ascii: "]"), UInt8(ascii: ","), UInt8(ascii: ":"):
        guard depth > 0 else { throw malformed(expected: "a value") }
        if byte == UInt8(ascii: "}") || byte == UInt8(ascii: "]") { depth -= 1 }
        position += 1
      default:
        let first = position
        while let byte = peek, byte > 0x20, !"{}[],:\"".utf8.contains(byte) { position += 1 }
        if position == first { throw malformed(expected: "a value") }
      }
    } while depth > 0
    return UnsafeBufferPointer(rebasing: text[start..<position])
  }

  var peek: UInt8? { position < text.count ? text[position] : nil }

  private mutating func skipSpace() {
    while let byte = peek, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
  }

  /// What comes next but for white space.
  mutating func take(_ scalar: Unicode.Scalar, or expected: String) throws {
    skipSpace()
    guard peek == UInt8(ascii: scalar) else { throw malformed(expected: expected) }
    position += 1
  }

  /// - Returns: whether another value follows in an object or array.
  mutating func takeComma() -> Bool {
    skipSpace()
    guard peek == UInt8(ascii: ",") else { return false }
    position += 1
    return true
  }

  mutating func end() throws {
    skipSpace()
    if position < text.count { throw malformed(expected: "the end of the file") }
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
