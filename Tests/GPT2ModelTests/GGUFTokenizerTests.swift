import Foundation
import GPT2Model
import TestSupport
import Testing

/// The tokenizer within a GGUF file is the one of `vocab.json` and `merges.txt`.
struct GGUFTokenizerTests {
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
    expectEqual(found.vocabularyCount, expected.vocabularyCount)
    expectEqual(found.endOfText, expected.endOfText)
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
    for id in 0..<expected.vocabularyCount { try expectEqual(found.bytes(of: id), expected.bytes(of: id)) }
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
    expectEqual(tokenizer.endOfText, tokens.count - 1)
    try expectEqual(tokenizer.decode([tokens.count - 1]), "Ġ|end|")
    try expectEqual(tokenizer.encode("Ġ|end|"), [tokens.count - 1])
  }

  private func tokenizer(
    adding added: [(String, type: Int)], _ change: (inout GGUFFile) -> Void = { _ in }
  ) throws -> Tokenizer {
    let tokens = try Self.tokens()
    let types = tokens.map { $0 == Tokenizer.endOfTextSpelling ? 3 : 1 } + added.map(\.type)
    return try Tokenizer(
      gguf: file { file in
        file[entry: "tokenizer.ggml.tokens"] = .strings("tokenizer.ggml.tokens", tokens + added.map(\.0))
        file[entry: "tokenizer.ggml.token_type"] = .array(
          "tokenizer.ggml.token_type", of: 5, types.map { littleEndian(Int32($0)) })
        change(&file)
      })
  }

  /// Unknown, control and user-defined tokens are whole whatever ends a text; normal and unused ones are not.
  @Test func tokensOfSomeTypesAreWhole() throws {
    let added = [("<|pad|>", 3), ("<|user|>", 4), ("<unk>", 2), ("<|n|>", 1), ("[PAD604]", 5)]
    let found = try tokenizer(adding: added.map { ($0.0, type: $0.1) })
    let plain = try TokenizerFixtures.small()
    try expectEqual(
      found.encode("<|user|>a<|pad|><unk><|endoftext|>"), [601] + plain.encode("a") + [600, 602, 599])
    for text in ["<|n|>", "[PAD604]"] { try expectEqual(found.encode(text), plain.encode(text)) }
    try expectEqual(found.decode([600, 601, 602, 603, 604]), "<|pad|><|user|><unk><|n|>")
    expectEqual(found.ends, [599])
  }

  /// Of tokens that overlap the longest is found first, wherever it stands; Hugging Face takes the leftmost.
  @Test func theLongestTokenIsFoundFirst() throws {
    let found = try tokenizer(adding: [("<|a", type: 3), ("a|><|b|>", type: 4)])
    let plain = try TokenizerFixtures.small()
    try expectEqual(found.encode("<|a|><|b|>"), plain.encode("<|") + [601])
    try expectEqual(found.encode("<|a|>"), [600] + plain.encode("|>"))
  }

  @Test func aNormalTokenThatEndsATextCutsNoWord() throws {
    let plain = try TokenizerFixtures.small()
    let the = try #require(try plain.encode(" the").first)
    let found = try tokenizer(adding: []) {
      $0[entry: "tokenizer.ggml.eos_token_id"] = .uint32("tokenizer.ggml.eos_token_id", the)
    }
    expectEqual(found.endOfText, the)
    expectEqual(found.ends, [the, 599])
    for text in [" then the others", "other the"] { try expectEqual(found.encode(text), plain.encode(text)) }
  }

  @Test func furtherTokensEndAText() throws {
    let found = try tokenizer(adding: [("<|im_end|>", type: 1), ("<|x|>", type: 3)]) {
      $0[entry: "tokenizer.ggml.eot_token_id"] = .uint32("tokenizer.ggml.eot_token_id", 601)
      $0[entry: "tokenizer.ggml.eom_token_id"] = .uint32("tokenizer.ggml.eom_token_id", 7)
    }
    expectEqual(found.ends, [7, 599, 600, 601])
    try expectEqual(found.encode("a<|im_end|>").last, 600)
  }

  @Test func theFirstTokenIsAddedWhereTheFileAsksForIt() throws {
    for (value, prefix) in [(UInt8(1), [600]), (0, [])] {
      let found = try tokenizer(adding: [("<s>", type: 3)]) {
        $0[entry: "tokenizer.ggml.bos_token_id"] = .uint32("tokenizer.ggml.bos_token_id", 600)
        $0[entry: "tokenizer.ggml.add_bos_token"] = .init(
          key: "tokenizer.ggml.add_bos_token", type: 7, value: [value])
      }
      expectEqual(found.prefix, prefix)
      expectEqual(found.startOfText, 600)
    }
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
        "tokenizer.ggml.pre: found default, expected gpt-2", "tokenizer.ggml.pre",
        GGUFFile.Entry.string("tokenizer.ggml.pre", "default")
      ),
      (
        "tokenizer.ggml.token_type[0]: found 6, expected 0 to 5", "tokenizer.ggml.token_type",
        GGUFFile.Entry.array(
          "tokenizer.ggml.token_type", of: 5,
          [[Int32]](repeating: [6], count: 600).map { littleEndian($0[0]) })
      ),
      (
        "tokenizer.ggml.eot_token_id: found 600, expected a number from 0 to 599",
        "tokenizer.ggml.eot_token_id",
        GGUFFile.Entry.uint32("tokenizer.ggml.eot_token_id", 600)
      ),
      (
        "tokenizer.ggml.add_bos_token: found 1, expected true or false", "tokenizer.ggml.add_bos_token",
        GGUFFile.Entry.uint32("tokenizer.ggml.add_bos_token", 1)
      ),
      (
        "tokenizer.ggml.add_eos_token: found true, expected false", "tokenizer.ggml.add_eos_token",
        GGUFFile.Entry(key: "tokenizer.ggml.add_eos_token", type: 7, value: [1])
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
