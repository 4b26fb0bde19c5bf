import GPT2Model
import TestSupport
import Testing

struct TextReaderTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func all(_ reader: TextReader) throws -> [UInt8] {
    var reader = reader
    var bytes: [UInt8] = []
    while let block = try reader.next() { bytes += block }
    return bytes
  }

  @Test func blocksAreTheFileOrItsPart() throws {
    let text = String(repeating: "words of a text, ", count: 9_000)
    let path = try folder.write(text, to: "text")
    let bytes = Array(text.utf8)
    let whole = try TextReader(path)
    expectEqual(whole.bytes, bytes.count)
    expectEqual(whole.name, path)
    try expectEqual(all(whole), bytes)
    for part in [0..<0, 5..<6, 1_000..<70_000, 100_000..<bytes.count, bytes.count..<bytes.count] {
      let reader = try TextReader(path, part: part)
      expectEqual(reader.bytes, part.count)
      try expectEqual(all(reader), Array(bytes[part]))
    }
    try expectEqual(TextReader.bytes(of: path, 3..<7), Array(bytes[3..<7]))
    try expectEqual(TextReader.bytes(of: path, bytes.count - 2..<bytes.count + 9), Array(bytes.suffix(2)))
  }

  @Test func idsAreThoseOfTheWhole() throws {
    let text = String(repeating: "O Romeo, Romeo! wherefore art thou Romeo?\n", count: 2_000)
    let tokenizer = try Tokenizer(folder: Project.file("weights/tiny"))
    var reader = try TokenReader(folder.write(text, to: "text"), part: 42..<text.utf8.count, tokenizer)
    var ids: [Int] = []
    while let next = try reader.next() { ids += next }
    try expectEqual(ids, tokenizer.encode(String(text.dropFirst(42))))
  }

  @Test func whatIsNoTextIsNamed() throws {
    let path = try folder.write([0x61, 0x62, 0xFF, 0x63], to: "bytes")
    expectEqual(
      message { try all(TextReader(path)) }, "\(path): found byte 0xFF at offset 2, expected UTF-8 text")
    expectEqual(
      message { try all(TextReader(path, part: 2..<4)) },
      "\(path): found byte 0xFF at offset 2, expected UTF-8 text")
    expectEqual(message { try TextReader(folder.path) }, "\(folder.path): is a folder, expected a text")
    expectEqual(
      message { try TextReader(folder("none")) }, "\(folder("none")): no such file, expected a text")
    let below = folder("bytes/below")
    expectEqual(message { try TextReader(below) }, "\(below): cannot be read: not a directory")
    let long = folder(String(repeating: "a", count: 300))
    expectEqual(message { try TextReader(long) }, "\(long): cannot be read: file name too long")
  }
}

struct UTF8ValidityTests {
  @Test func wellFormedTextHasNoInvalidByte() {
    for text in ["", "abc", "é日本👩‍👧", "\u{FFFD}", "a\0b"] {
      expectNil(UTF8Validity.firstInvalidByte(of: Array(text.utf8)))
    }
  }

  @Test(
    arguments: [
      ([0xFF], 0), ([0x61, 0x80], 1), ([0xC3, 0xA9, 0xC3], 2), ([0xE6, 0x97, 0x61], 0), ([0xC0, 0x80], 0),
      ([0x61, 0xED, 0xA0, 0x80], 1), ([0xEF, 0xBF, 0xBD, 0xF5], 3),
    ])
  func theFirstIsFound(_ bytes: [UInt8], _ offset: Int) {
    expectEqual(UTF8Validity.firstInvalidByte(of: bytes), offset)
  }
}
