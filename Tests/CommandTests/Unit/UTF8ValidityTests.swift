import Testing

@testable import gpt2_bench

@Suite struct UTF8ValidityTests {
  @Test func wellFormedTextHasNoInvalidByte() {
    for text in ["", "abc", "é日本👩‍👧", "\u{FFFD}", "a\0b"] {
      #expect(UTF8Validity.firstInvalidByte(of: Array(text.utf8)) == nil)
    }
  }

  @Test(
    arguments: [
      ([0xFF], 0), ([0x61, 0x80], 1), ([0xC3, 0xA9, 0xC3], 2), ([0xE6, 0x97, 0x61], 0), ([0xC0, 0x80], 0),
      ([0x61, 0xED, 0xA0, 0x80], 1), ([0xEF, 0xBF, 0xBD, 0xF5], 3),
    ])
  func theFirstIsFound(_ bytes: [UInt8], _ offset: Int) {
    #expect(UTF8Validity.firstInvalidByte(of: bytes) == offset)
  }
}
