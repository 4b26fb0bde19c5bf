import GPT2Model
import Testing

@Suite struct StreamingDecoderTests {
  /// A vocabulary of the bytes alone, and what a stream of them gives, piece by piece.
  private func pieces(_ bytes: [UInt8]) throws -> [String] {
    let tokenizer = try TokenizerFixtures.small()
    let tokens = try (0..<tokenizer.vocabularyCount).map { try tokenizer.bytes(of: $0) }
    var decoder = StreamingDecoder(tokenizer)
    var pieces = try bytes.map { byte in
      try decoder.push(#require(tokens.firstIndex(of: [byte])))
    }
    pieces.append(decoder.finish())
    return pieces
  }

  @Test func aCharacterWaitsForItsLastByte() throws {
    #expect(try pieces(Array("aé€😀".utf8)) == ["a", "", "é", "", "", "€", "", "", "", "😀", ""])
  }

  @Test func anUnfinishedCharacterIsReplacedAtTheEnd() throws {
    #expect(try pieces([0x61, 0xF0, 0x9F, 0x98]) == ["a", "", "", "", "\u{FFFD}"])
    #expect(try pieces([0xC3]) == ["", "\u{FFFD}"])
    #expect(try pieces([]) == [""])
  }

  @Test func whatCannotBecomeACharacterDoesNotWait() throws {
    #expect(try pieces([0xFF, 0x80]) == ["\u{FFFD}", "\u{FFFD}", ""])
    #expect(try pieces([0xC0, 0xE0, 0x80]) == ["\u{FFFD}", "", "\u{FFFD}\u{FFFD}", ""])
    #expect(try pieces([0xED, 0xA0, 0xF4, 0x90]) == ["", "\u{FFFD}\u{FFFD}", "", "\u{FFFD}\u{FFFD}", ""])
    #expect(try pieces([0xE2, 0x82, 0x61]) == ["", "", "\u{FFFD}a", ""])
    #expect(try pieces([0xE2, 0xC3, 0xA9]) == ["", "\u{FFFD}", "é", ""])
  }

  @Test func aDecoderStartsAnewAfterFinish() throws {
    let tokenizer = try TokenizerFixtures.small()
    var decoder = StreamingDecoder(tokenizer)
    for text in ["ROMEO: 世界", "né 😀"] {
      var streamed = ""
      for id in try tokenizer.encode(text) { streamed += try decoder.push(id) }
      #expect(streamed + decoder.finish() == text)
    }
  }
}
