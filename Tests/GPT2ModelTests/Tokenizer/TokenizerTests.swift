import Foundation
import GPT2Model
import TestSupport
import Testing

struct TokenizerTests {
  @Test func mergesByRankAndThenFromTheLeft() throws {
    let tokenizer = try TokenizerFixtures.tokenizer(
      vocabulary: "{\"a\": 4, \"b\": 3, \"c\": 2, \"bc\": 1, \"ab\": 0, \"aa\": 5}",
      merges: "b c\na b\na a\n")
    try expectEqual(tokenizer.encode("abc"), [4, 1])
    try expectEqual(tokenizer.encode("ab"), [0])
    try expectEqual(tokenizer.encode("aaa"), [5, 4])
    try expectEqual(tokenizer.encode("aaab"), [5, 0])
  }

  @Test func filesMayEndLinesAsWindowsDoesAndLackTheVersion() throws {
    let vocabulary = "\r\n{ \"a\" :\t0 ,\r\n\"b\":1,\"ab\":2 } \r\n"
    for merges in ["#version: 0.2\r\na b\r\n", "a b", "a b\n\n\n", "#version: 0.2\na b"] {
      let tokenizer = try TokenizerFixtures.tokenizer(vocabulary: vocabulary, merges: merges)
      try expectEqual(tokenizer.encode("abba"), [2, 1, 0])
    }
  }

  @Test func escapedTokensAreTheSameTokens() throws {
    let tokenizer = try TokenizerFixtures.tokenizer(
      vocabulary: #"{"\u0120": 0, "\"": 1, "\\": 2, "\/": 3, "\u0041": 4, "\ud83d\ude00 x": 5, "\u010A": 6}"#,
      merges: "")
    try expectEqual(tokenizer.encode(" \"\\/A\n"), [0, 1, 2, 3, 4, 6])
    try expectEqual(tokenizer.decode([0, 1, 2, 3, 4, 6]), " \"\\/A\n")
    try expectEqual(tokenizer.decode([5]), "😀 x")
  }

  @Test func endOfTextMayBeAbsentOrPlain() throws {
    let without = try TokenizerFixtures.tokenizer(vocabulary: "{\"<\": 0}", merges: "")
    expectNil(without.endOfText)
    try expectEqual(without.encode("<<"), [0, 0])
    #expect(throws: TokenizerError.byteWithoutToken(byte: UInt8(ascii: "|"), offset: 1)) {
      try without.encode("<|endoftext|>")
    }
    let small = try TokenizerFixtures.small()
    let special = try #require(small.endOfText)
    let text = "a<|endoftext|>b"
    #expect(try small.encode(text).contains(special))
    #expect(try !small.encode(text, recognizesAddedTokens: false).contains(special))
    try expectEqual(small.decode(small.encode(text)), text)
  }

  @Test func aByteWithoutATokenIsLocated() throws {
    let tokenizer = try TokenizerFixtures.tokenizer(vocabulary: "{\"a\": 0, \"\u{120}\": 1}", merges: "")
    try expectEqual(tokenizer.encode("a a"), [0, 1, 0])
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
    expectEqual(
      TokenizerError.idOutsideVocabulary(id: 600, count: 600).description,
      "token id 600 is outside the vocabulary, expected 0 to 599")
  }

  /// Any bytes come back as Unicode's replacement leaves them.
  @Test func randomBytesComeBack() throws {
    let tokenizer = try TokenizerFixtures.small()
    var generator = RandomStream(seed: 1)
    for round in 0..<500 {
      let count = Int.random(in: 0...200, using: &generator)
      let limit: UInt8 = round % 2 == 0 ? .max : 0x7F
      let bytes = (0..<count).map { _ in UInt8.random(in: 0...limit, using: &generator) }
      let text = String(decoding: bytes, as: UTF8.self)
      let ids = try tokenizer.encode(utf8: bytes)
      try expectEqual(tokenizer.bytes(of: ids), Array(text.utf8))
      try expectEqual(ids, tokenizer.encode(text))
    }
  }

  @Test func randomIDsStreamAsTheyDecode() throws {
    let tokenizer = try TokenizerFixtures.small()
    var generator = RandomStream(seed: 3)
    for _ in 0..<500 {
      let ids = (0..<40).map { _ in Int.random(in: 0..<256, using: &generator) }
      var decoder = StreamingDecoder(tokenizer)
      var streamed = ""
      for id in ids { streamed += try decoder.push(id) }
      streamed += decoder.finish()
      try expectEqual(Array(streamed.utf8), Array(tokenizer.decode(ids).utf8))
    }
  }
}

/// Texts that take seconds only if the time grows faster than the text. The bounds are some hundred times
/// what a desktop needs: they tell a square from a line, and not one machine from another.
@Suite(.serialized) struct TokenizerScalingTests {
  private func expectPrompt(_ text: String) throws {
    let tokenizer = try TokenizerFixtures.small()
    var ids: [Int] = []
    let elapsed = try threadTime { ids = try tokenizer.encode(text) }
    #expect(elapsed < .seconds(5))
    try expectEqual(tokenizer.decode(ids), text)
  }

  private func letters(_ count: Int, from alphabet: String, seed: UInt64) -> String {
    var generator = RandomStream(seed: seed)
    let alphabet = Array(alphabet)
    return String((0..<count).compactMap { _ in alphabet.randomElement(using: &generator) })
  }

  @Test func aMegabyteOfText() throws {
    try expectPrompt(letters(1_000_000, from: "etaoinshrdlu      ,.'\n", seed: 5))
  }

  @Test func aMegabyteOfManyScripts() throws {
    try expectPrompt(letters(400_000, from: "aé世界😀ш ١½\u{85}\u{3000}", seed: 6))
  }

  @Test func oneWordOf100_000Letters() throws {
    try expectPrompt(letters(100_000, from: "abcdefghijklmnopqrstuvwxyz", seed: 7))
    try expectPrompt(String(repeating: "a", count: 100_000))
  }

  @Test func aMegabyteOfWhiteSpace() throws {
    try expectPrompt(String(repeating: " ", count: 1_000_000) + "x")
    try expectPrompt(String(repeating: "\n ", count: 300_000))
  }

  @Test func manyAlmostSpecialTokens() throws {
    try expectPrompt(String(repeating: "<", count: 500_000))
    try expectPrompt(String(repeating: "<|endoftext|>", count: 50_000))
  }
}

struct StreamingDecoderTests {
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
    try expectEqual(pieces(Array("aé€😀".utf8)), ["a", "", "é", "", "", "€", "", "", "", "😀", ""])
  }

  @Test func anUnfinishedCharacterIsReplacedAtTheEnd() throws {
    try expectEqual(pieces([0x61, 0xF0, 0x9F, 0x98]), ["a", "", "", "", "\u{FFFD}"])
    try expectEqual(pieces([0xC3]), ["", "\u{FFFD}"])
    try expectEqual(pieces([]), [""])
  }

  @Test func whatCannotBecomeACharacterDoesNotWait() throws {
    try expectEqual(pieces([0xFF, 0x80]), ["\u{FFFD}", "\u{FFFD}", ""])
    try expectEqual(pieces([0xC0, 0xE0, 0x80]), ["\u{FFFD}", "", "\u{FFFD}\u{FFFD}", ""])
    try expectEqual(pieces([0xED, 0xA0, 0xF4, 0x90]), ["", "\u{FFFD}\u{FFFD}", "", "\u{FFFD}\u{FFFD}", ""])
    try expectEqual(pieces([0xE2, 0x82, 0x61]), ["", "", "\u{FFFD}a", ""])
    try expectEqual(pieces([0xE2, 0xC3, 0xA9]), ["", "\u{FFFD}", "é", ""])
  }

  @Test func aDecoderStartsAnewAfterFinish() throws {
    let tokenizer = try TokenizerFixtures.small()
    var decoder = StreamingDecoder(tokenizer)
    for text in ["ROMEO: 世界", "né 😀"] {
      var streamed = ""
      for id in try tokenizer.encode(text) { streamed += try decoder.push(id) }
      expectEqual(streamed + decoder.finish(), text)
    }
  }
}

struct TextBlocksTests {
  private func blocks(_ text: [UInt8], size: Int, piece: Int) -> [[UInt8]] {
    var blocks = TextBlocks(size: size)
    var found: [[UInt8]] = []
    for start in stride(from: 0, to: text.count, by: piece) {
      blocks.append(text[start..<min(start + piece, text.count)])
      while let block = blocks.next() { found.append(block) }
    }
    blocks.finish()
    while let block = blocks.next() { found.append(block) }
    return found
  }

  /// Spaces in every number, line ends of both kinds, other white space, letters and signs of several scripts.
  static let texts: [String] = {
    var random = RandomStream(seed: 8)
    let parts = [
      " ", "  ", "\n", "\n\n", "\r\n", "\t", "\u{A0}", "\u{3000}", "a", "don't", "'s", "'", "1", "23", "ß",
      "é", "日本",
      "👩‍👧", "...", "<|endoftext|>", "<|", "Wörter",
    ]
    return (0..<60).map { _ in random.ids(60, below: parts.count).map { parts[$0] }.joined() }
  }()

  @Test func blocksEncodeToWhatTheWholeDoes() throws {
    let tokenizer = try Tokenizer(folder: Project.file("weights/tiny"))
    var cuts = 0
    for (index, text) in Self.texts.enumerated() {
      let bytes = Array(text.utf8)
      let whole = try tokenizer.encode(text)
      for size in [1, 5, 50] {
        let found = blocks(bytes, size: size, piece: 1 + index % 7)
        expectEqual(found.flatMap { $0 }, bytes)
        try expectEqual(found.flatMap { try tokenizer.encode(utf8: $0) }, whole)
        cuts += found.count - 1
      }
    }
    #expect(cuts > 500)
  }

  @Test func aBlockEndsBeforeABlankAndIsAsLargeAsAsked() {
    let text = Array("one two  three\nfour five".utf8)
    expectEqual(
      blocks(text, size: 6, piece: 3).map { String(decoding: $0, as: UTF8.self) },
      [
        "one two", "  three", "\nfour five",
      ])
    expectEqual(blocks(text, size: 1000, piece: 3), [text])
    expectEqual(blocks([], size: 6, piece: 3), [])
  }

  @Test func whereThereIsNoPlaceToCutABlockGrows() {
    let text = [UInt8](repeating: 0x61, count: 100)
    expectEqual(blocks(text, size: 10, piece: 7), [text])
    let blank = [UInt8](repeating: 0x20, count: 100)
    expectEqual(blocks(blank, size: 10, piece: 7), [blank])
  }
}

/// The tests' data, found beside this file.
enum TokenizerFixtures {
  private static let here = URL(fileURLWithPath: #filePath).deletingLastPathComponent()

  /// The committed vocabulary of 600 tokens.
  static let smallFolder = here.appendingPathComponent("Data/small").path
  static let smallCases = here.appendingPathComponent("Data/small.json")

  /// The cases of folders, none where the file cannot be read.
  static var folderCases: [UInt8] {
    (try? [UInt8](Data(contentsOf: here.appendingPathComponent("Data/folders.json")))) ?? []
  }

  /// GPT-2's own vocabulary, where `scripts/fetch_vocabulary.sh` has put it.
  static let gpt2Folder = here.appendingPathComponent("../../../weights/gpt2").standardizedFileURL.path
  static let gpt2Cases = here.appendingPathComponent("Data/gpt2.json")
  static let hasGPT2 = ["vocab.json", "merges.txt"].allSatisfy {
    FileManager.default.fileExists(atPath: "\(gpt2Folder)/\($0)")
  }

  static func small() throws -> Tokenizer { try Tokenizer(folder: smallFolder) }

  /// Runs `body` on the paths of two files with the given contents (no file for nil), and removes them.
  static func withFiles<Result>(
    vocabulary: [UInt8]?, merges: [UInt8]?, _ body: (_ vocabulary: String, _ merges: String) throws -> Result
  ) throws -> Result {
    let folder = try TemporaryFolder()
    if let vocabulary { try folder.write(vocabulary, to: "vocab.json") }
    if let merges { try folder.write(merges, to: "merges.txt") }
    return try withExtendedLifetime(folder) { try body(folder("vocab.json"), folder("merges.txt")) }
  }

  static func tokenizer(vocabulary: String, merges: String) throws -> Tokenizer {
    try withFiles(vocabulary: Array(vocabulary.utf8), merges: Array(merges.utf8)) {
      try Tokenizer(vocabularyFile: $0, mergesFile: $1)
    }
  }
}
