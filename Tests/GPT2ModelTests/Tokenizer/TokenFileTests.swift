import Foundation
import GPT2Model
import TestSupport
import Testing

/// llm.c's `gpt2_tokenizer.bin` and the seed format's `vocab.bin`.
@Suite struct TokenFileTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func load() throws -> Tokenizer {
    try #require(try ModelSource(folder.path).tokenizerLocation).load()
  }

  private static func words(_ numbers: [Int]) -> [UInt8] {
    numbers.flatMap { withUnsafeBytes(of: Int32(truncatingIfNeeded: $0).littleEndian, Array.init) }
  }

  private static func llmc(_ fields: [Int], _ tokens: [[UInt8]]) -> [UInt8] {
    words(fields + [Int](repeating: 0, count: 256 - fields.count)) + tokens.flatMap { [UInt8($0.count)] + $0 }
  }

  private static func seed(_ tokens: [[UInt8]]) -> [UInt8] {
    words([tokens.count]) + tokens.flatMap { words([$0.count]) + $0 }
  }

  private static let tokens = ["a", "b", "ab", "abab", "<|endoftext|>", " "].map { Array($0.utf8) }

  /// The merges that training found, from nothing but the tokens.
  @Test(arguments: ["weights/tiny", "Tests/GPT2ModelTests/Tokenizer/Data/small"])
  func theMergesComeBack(_ vocabulary: String) throws {
    let original = try Tokenizer(folder: Project.file(vocabulary))
    try original.exportSeed(to: folder("vocab.bin"))
    let derived = try load()
    #expect(derived.endOfText == original.endOfText && derived.vocabularyCount == original.vocabularyCount)
    try derived.exportHuggingFace(to: folder.path)
    func lines(_ file: String) throws -> [Substring] {
      try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n").filter {
        !$0.hasPrefix("#version")
      }
    }
    #expect(try lines(folder("merges.txt")) == lines(Project.file(vocabulary + "/merges.txt")))
    func ids(_ file: String) throws -> [String: Int]? {
      try JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: file))) as? [String: Int]
    }
    #expect(try ids(folder("vocab.json")) == ids(Project.file(vocabulary + "/vocab.json")))
  }

  @Test func tokensWithoutAFileOfMerges() throws {
    for (name, bytes) in [
      ("gpt2_tokenizer.bin", Self.llmc([20_240_328, 2, 6, 4], Self.tokens)),
      ("vocab.bin", Self.seed(Self.tokens)),
    ] {
      let path = try folder.write(bytes, to: name)
      let tokenizer = try load()
      #expect(tokenizer.vocabularyCount == 6 && tokenizer.endOfText == 4)
      #expect(try tokenizer.encode("ababab a<|endoftext|>b") == [3, 2, 5, 0, 4, 1])
      #expect(try tokenizer.decode([3, 5, 4]) == "abab <|endoftext|>")
      #expect(throws: TokenizerError.byteWithoutToken(byte: 0x63, offset: 2)) { try tokenizer.encode("abc") }
      try FileManager.default.removeItem(atPath: path)
    }
  }

  /// An id that has no token, and one whose token another id has already.
  @Test func idsThatAreNeverMade() throws {
    try folder.write(Self.seed(Self.tokens + [[], Array("ab".utf8)]), to: "vocab.bin")
    let tokenizer = try load()
    #expect(try tokenizer.encode("ab") == [2] && tokenizer.decode([7, 6, 0]) == "aba")
    let text = refusal(naming: folder("vocab.json")) { try tokenizer.exportHuggingFace(to: folder.path) }
    #expect(text?.contains("token 7 spells what a lower id spells") == true)
    #expect(refusal(naming: folder("t.bin")) { try tokenizer.exportLLMC(to: folder("t.bin")) } != nil)
    #expect(try folder.contents() == ["vocab.bin"])
  }

  @Test(
    arguments: [
      (llmc([20_240_326, 2, 6, 4], tokens), "magic: found 20240326, expected 20240328"),
      (llmc([20_240_328, 3, 6, 4], tokens), "version: found 3, expected 1 or 2"),
      (llmc([20_240_328, 1, 6, 4], tokens), "vocabulary: found 6 tokens, expected 50257"),
      (llmc([20_240_328, 2, 0, 0], []), "vocabulary: found 0"),
      (llmc([20_240_328, 2, -6, 4], tokens), "vocabulary: found -6"),
      (llmc([20_240_328, 2, 7, 4], tokens), "truncated: the length of token 6 needs 1 bytes at"),
      (llmc([20_240_328, 2, 5, 4], tokens), "size: found"),
      (llmc([20_240_328, 2, 6, 6], tokens), "end of text: found 6, expected an id from 0 to 5"),
      (llmc([20_240_328, 2, 6, -1], tokens), "end of text: found -1"),
      (llmc([20_240_328, 2, 7, 4], tokens + [[]]), "the length of token 6: found 0, expected 1 to 255"),
      (Array(llmc([20_240_328, 2, 6, 4], tokens).dropLast()), "truncated: token 5 needs 1 bytes"),
      (Array(llmc([20_240_328, 2, 6, 4], tokens).prefix(1000)), "truncated: the header needs"),
      ([], "truncated"),
    ] as [([UInt8], String)])
  func whatIsWrongInLLMCsTokenizer(_ bytes: [UInt8], _ says: String) throws {
    let path = try folder.write(bytes, to: "gpt2_tokenizer.bin")
    let text = refusal(naming: path) { try load() }
    #expect(text?.contains(says) == true, "\(text ?? "accepted")")
  }

  @Test(
    arguments: [
      (words([1, -1]), "the length of token 0: found -1, expected 0 to 1024"),
      (words([1, 1025]), "the length of token 0: found 1025"),
      (words([1, 8]), "truncated: token 0 needs 8 bytes at 8"),
      (words([2, 0]), "truncated: the length of token 1"), (words([0]), "vocabulary: found 0"),
      (words([Int(Int32.max), 0]), "vocabulary: found 2147483647"), (seed(tokens) + [0], "size: found"),
      ([1, 0], "truncated: vocabulary needs 4 bytes at 0"),
    ] as [([UInt8], String)])
  func whatIsWrongInASeedVocabulary(_ bytes: [UInt8], _ says: String) throws {
    let path = try folder.write(bytes, to: "vocab.bin")
    let text = refusal(naming: path) { try load() }
    #expect(text?.contains(says) == true, "\(text ?? "accepted")")
  }

  @Test func aVocabularyLargerThanTheModelIsRefused() throws {
    let path = try folder.write(Self.seed(Self.tokens), to: "vocab.bin")
    let source = try ModelSource(folder.path)
    let fits = try Configuration(layers: 1, heads: 1, channels: 1, vocabulary: 6, context: 1)
    let small = try Configuration(layers: 1, heads: 1, channels: 1, vocabulary: 5, context: 1)
    #expect(try source.tokenizer(for: fits)?.vocabularyCount == 6)
    #expect(refusal(naming: path) { try source.tokenizer(for: small) }?.contains("found 6 tokens") == true)
  }
}
