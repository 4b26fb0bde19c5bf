import Foundation
import GPT2Model
import TestSupport
import Testing

/// The tokenizer within a GGUF file is the one of `vocab.json` and `merges.txt`.
@Suite struct GGUFTokenizerTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private static func tokens() throws -> [String] {
    let data = try Data(contentsOf: URL(fileURLWithPath: TokenizerFixtures.smallFolder + "/vocab.json"))
    let ids = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Int])
    return ids.sorted { $0.value < $1.value }.map(\.key)
  }

  private static func merges() throws -> [String] {
    try String(contentsOfFile: TokenizerFixtures.smallFolder + "/merges.txt", encoding: .utf8)
      .split(separator: "\n").dropFirst().map(String.init)
  }

  private func file(_ change: (inout GGUFFile) -> Void = { _ in }) throws -> String {
    var file = GGUFFile(of: try .small())
    let tokens = try Self.tokens()
    file.addTokenizer(
      tokens: tokens, merges: try Self.merges(), endOfText: tokens.firstIndex(of: Tokenizer.endOfTextSpelling)
    )
    change(&file)
    return try folder.write(file.bytes, to: "model.gguf")
  }

  @Test func idsAreTheFiles() throws {
    let expected = try TokenizerFixtures.small()
    let found = try Tokenizer(gguf: try file())
    #expect(found.vocabularyCount == expected.vocabularyCount && found.endOfText == expected.endOfText)
    var random = RandomStream(seed: 7)
    var texts = ["the house, and don't!", "", "<|endoftext|>a<|endoftext|>", "żółć 漢字 👩‍💻 \u{0}\n\n  x"]
    for _ in 0..<50 {
      let bytes = (0..<40).map { _ in UInt8(truncatingIfNeeded: random.next()) }
      texts.append(String(decoding: bytes, as: UTF8.self))
    }
    for text in texts {
      let ids = try found.encode(text)
      #expect(try ids == expected.encode(text) && found.decode(ids) == text)
    }
    for id in 0..<expected.vocabularyCount { #expect(try found.bytes(of: id) == expected.bytes(of: id)) }
  }

  /// A control token's spelling is its text, even where each character stands for a byte.
  @Test func controlTokensAreSpelledAsText() throws {
    let tokens = try Self.tokens() + ["Ġ|end|"]
    var types = tokens.map { _ in 1 }
    types[tokens.count - 1] = 3
    let path = try file { file in
      file[entry: "tokenizer.ggml.tokens"] = .strings("tokenizer.ggml.tokens", tokens)
      file[entry: "tokenizer.ggml.token_type"] = .array(
        "tokenizer.ggml.token_type", of: 5, types.map { littleEndian(Int32($0)) })
      file[entry: "tokenizer.ggml.eos_token_id"] = .uint32("tokenizer.ggml.eos_token_id", tokens.count - 1)
    }
    let tokenizer = try Tokenizer(gguf: path)
    #expect(tokenizer.endOfText == tokens.count - 1)
    #expect(try tokenizer.decode([tokens.count - 1]) == "Ġ|end|")
    #expect(try tokenizer.encode("Ġ|end|") == [tokens.count - 1])
  }

  @Test(
    arguments: [
      ("tokenizer.ggml.model: found nothing", "tokenizer.ggml.model", nil),
      (
        "tokenizer.ggml.model: found llama, expected gpt2", "tokenizer.ggml.model",
        GGUFFile.Entry.string("tokenizer.ggml.model", "llama")
      ),
      (
        "tokenizer.ggml.pre: found qwen2, expected gpt-2", "tokenizer.ggml.pre",
        GGUFFile.Entry.string("tokenizer.ggml.pre", "qwen2")
      ),
      ("tokenizer.ggml.tokens: found nothing", "tokenizer.ggml.tokens", nil),
      (
        "tokenizer.ggml.tokens: found an array, expected an array of strings", "tokenizer.ggml.tokens",
        GGUFFile.Entry.array("tokenizer.ggml.tokens", of: 0, [[1]])
      ),
      (
        "tokenizer.ggml.tokens: token \"a\" has the ids 0 and 1", "tokenizer.ggml.tokens",
        GGUFFile.Entry.strings("tokenizer.ggml.tokens", ["a", "a"])
      ),
      (
        "tokenizer.ggml.tokens[1]: found bytes that are not UTF-8", "tokenizer.ggml.tokens",
        GGUFFile.Entry.array(
          "tokenizer.ggml.tokens", of: 8, [GGUFFile.string("a"), littleEndian(UInt64(1)) + [0xFF]])
      ),
      ("tokenizer.ggml.merges: found nothing", "tokenizer.ggml.merges", nil),
      (
        "tokenizer.ggml.merges:1: found \"th\"", "tokenizer.ggml.merges",
        GGUFFile.Entry.strings("tokenizer.ggml.merges", ["th"])
      ),
      (
        "tokenizer.ggml.merges:2: the merge \"h e\" is on line 1 already", "tokenizer.ggml.merges",
        GGUFFile.Entry.strings("tokenizer.ggml.merges", ["h e", "h e"])
      ),
      (
        "tokenizer.ggml.merges:1: the merge needs the token \"zq\"", "tokenizer.ggml.merges",
        GGUFFile.Entry.strings("tokenizer.ggml.merges", ["z q"])
      ),
      (
        "tokenizer.ggml.token_type: found 1 entries", "tokenizer.ggml.token_type",
        GGUFFile.Entry.array("tokenizer.ggml.token_type", of: 5, [[1, 0, 0, 0]])
      ),
      (
        "tokenizer.ggml.eos_token_id: found 4096, expected a number from 0 to", "tokenizer.ggml.eos_token_id",
        GGUFFile.Entry.uint32("tokenizer.ggml.eos_token_id", 4096)
      ),
    ] as [(String, String, GGUFFile.Entry?)])
  func wrongEntriesAreRefused(_ says: String, _ key: String, _ entry: GGUFFile.Entry?) throws {
    let path = try file { $0[entry: key] = entry }
    do {
      _ = try Tokenizer(gguf: path)
      Issue.record("accepted, expected \(says)")
    } catch {
      let text = "\(error)"
      #expect(text.hasPrefix(path) && text.contains(says) && !text.contains("\n"), "\(text)")
    }
  }
}
