import GPT2Model
import Testing

@Suite struct TokenizerTests {
  @Test func mergesByRankAndThenFromTheLeft() throws {
    let tokenizer = try TokenizerFixtures.tokenizer(
      vocabulary: "{\"a\": 4, \"b\": 3, \"c\": 2, \"bc\": 1, \"ab\": 0, \"aa\": 5}",
      merges: "b c\na b\na a\n")
    #expect(try tokenizer.encode("abc") == [4, 1])
    #expect(try tokenizer.encode("ab") == [0])
    #expect(try tokenizer.encode("aaa") == [5, 4])
    #expect(try tokenizer.encode("aaab") == [5, 0])
  }

  @Test func filesMayEndLinesAsWindowsDoesAndLackTheVersion() throws {
    let vocabulary = "\r\n{ \"a\" :\t0 ,\r\n\"b\":1,\"ab\":2 } \r\n"
    for merges in ["#version: 0.2\r\na b\r\n", "a b", "a b\n\n\n", "#version: 0.2\na b"] {
      let tokenizer = try TokenizerFixtures.tokenizer(vocabulary: vocabulary, merges: merges)
      #expect(try tokenizer.encode("abba") == [2, 1, 0])
    }
  }

  @Test func escapedTokensAreTheSameTokens() throws {
    let tokenizer = try TokenizerFixtures.tokenizer(
      vocabulary: #"{"\u0120": 0, "\"": 1, "\\": 2, "\/": 3, "\u0041": 4, "\ud83d\ude00 x": 5, "\u010A": 6}"#,
      merges: "")
    #expect(try tokenizer.encode(" \"\\/A\n") == [0, 1, 2, 3, 4, 6])
    #expect(try tokenizer.decode([0, 1, 2, 3, 4, 6]) == " \"\\/A\n")
    #expect(try tokenizer.decode([5]) == "😀 x")
  }

  @Test func endOfTextMayBeAbsentOrPlain() throws {
    let without = try TokenizerFixtures.tokenizer(vocabulary: "{\"<\": 0}", merges: "")
    #expect(without.endOfText == nil)
    #expect(try without.encode("<<") == [0, 0])
    #expect(throws: TokenizerError.byteWithoutToken(byte: UInt8(ascii: "|"), offset: 1)) {
      try without.encode("<|endoftext|>")
    }
    let small = try TokenizerFixtures.small()
    let special = try #require(small.endOfText)
    let text = "a<|endoftext|>b"
    #expect(try small.encode(text).contains(special))
    #expect(try !small.encode(text, recognizesEndOfText: false).contains(special))
    #expect(try small.decode(small.encode(text)) == text)
  }

  @Test func aByteWithoutATokenIsLocated() throws {
    let tokenizer = try TokenizerFixtures.tokenizer(vocabulary: "{\"a\": 0, \"\u{120}\": 1}", merges: "")
    #expect(try tokenizer.encode("a a") == [0, 1, 0])
    #expect(throws: TokenizerError.byteWithoutToken(byte: 0xC3, offset: 3)) { try tokenizer.encode("a aé") }
    #expect(throws: TokenizerError.byteWithoutToken(byte: 0xEF, offset: 1)) {
      try tokenizer.encode(utf8: [0x61, 0xFF])
    }
  }

  @Test func idsOutsideTheVocabularyAreErrors() throws {
    let tokenizer = try TokenizerFixtures.small()
    var decoder = StreamingDecoder(tokenizer)
    for id in [-1, 600, Int.max, Int.min] {
      let error = TokenizerError.idOutsideVocabulary(id: id, count: 600)
      #expect(throws: error) { try tokenizer.decode([0, id]) }
      #expect(throws: error) { try tokenizer.bytes(of: id) }
      #expect(throws: error) { try decoder.push(id) }
    }
    #expect(
      TokenizerError.idOutsideVocabulary(id: 600, count: 600).description
        == "token id 600 is outside the vocabulary, expected 0 to 599")
  }

  /// Any bytes come back as Unicode's replacement leaves them.
  @Test func randomBytesComeBack() throws {
    let tokenizer = try TokenizerFixtures.small()
    var generator = SeededGenerator(seed: 1)
    for round in 0..<500 {
      let count = Int.random(in: 0...200, using: &generator)
      let limit: UInt8 = round % 2 == 0 ? .max : 0x7F
      let bytes = (0..<count).map { _ in UInt8.random(in: 0...limit, using: &generator) }
      let text = String(decoding: bytes, as: UTF8.self)
      let ids = try tokenizer.encode(utf8: bytes)
      #expect(try tokenizer.bytes(of: ids) == Array(text.utf8))
      #expect(try ids == tokenizer.encode(text))
    }
  }

  @Test func randomIDsStreamAsTheyDecode() throws {
    let tokenizer = try TokenizerFixtures.small()
    var generator = SeededGenerator(seed: 3)
    for _ in 0..<500 {
      let ids = (0..<40).map { _ in Int.random(in: 0..<256, using: &generator) }
      var decoder = StreamingDecoder(tokenizer)
      var streamed = ""
      for id in ids { streamed += try decoder.push(id) }
      streamed += decoder.finish()
      #expect(try Array(streamed.utf8) == Array(tokenizer.decode(ids).utf8))
    }
  }
}
