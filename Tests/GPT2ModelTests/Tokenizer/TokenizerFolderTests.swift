import Foundation
import GPT2Model
import TestSupport
import Testing

/// Folders of tokenizer files: ids made by transformers, see `scripts/tokenizer_folders.py`.
struct TokenizerFolderTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private static let small = TokenizerFixtures.smallFolder

  private func json(_ path: String) throws -> Any {
    try JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: path)))
  }

  /// Writes files into the folder, by their contents, with a vocabulary. A `tokenizer.json` gets its tokens and merges.
  private func write(
    _ files: [String: Any], vocabulary: String = small, mergesAsPairs: Bool = false
  ) throws {
    for name in try folder.contents() { try FileManager.default.removeItem(atPath: folder(name)) }
    for (name, contents) in files {
      var fields = try #require(contents as? [String: Any])
      if name == "tokenizer.json", var model = fields["model"] as? [String: Any] {
        let lines = try String(contentsOfFile: vocabulary + "/merges.txt", encoding: .utf8)
          .split(separator: "\n").dropFirst()
        model["vocab"] = try json(vocabulary + "/vocab.json")
        model["merges"] =
          mergesAsPairs
          ? lines.map { $0.split(separator: " ").map(String.init) } : lines.map(String.init)
        fields["model"] = model
      }
      try folder.write(Array(JSONSerialization.data(withJSONObject: fields)), to: name)
    }
    guard files["tokenizer.json"] == nil else { return }
    for name in ["vocab.json", "merges.txt"] {
      try FileManager.default.copyItem(atPath: "\(vocabulary)/\(name)", toPath: folder(name))
    }
  }

  private func write(_ text: String, to name: String) throws {
    try write([:])
    try folder.write(text, to: name)
  }

  private func ids(_ text: String) throws -> [Int] {
    let tokenizer = try Tokenizer(folder: folder.path)
    return try tokenizer.prefix + tokenizer.encode(text)
  }

  /// The line that the folder is refused with.
  private func problem(in name: String) -> String {
    refusal(naming: folder(name)) { try Tokenizer(folder: folder.path) } ?? "accepted"
  }

  @Test func foldersGiveTheReferenceIDs() throws {
    let data = Data(TokenizerFixtures.folderCases)
    let golden = try #require(JSONSerialization.jsonObject(with: data) as? [String: Any])
    let cases = try #require(golden["cases"] as? [[String: Any]])
    #expect(cases.count >= 16)
    for golden in cases {
      let files = try #require(golden["files"] as? [String: Any])
      for mergesAsPairs in files["tokenizer.json"] == nil ? [false] : [false, true] {
        try write(files, mergesAsPairs: mergesAsPairs)
        for text in try #require(golden["texts"] as? [[String: Any]]) {
          let (text, expected) = (try #require(text["text"] as? String), text["ids"] as? [Int])
          try expectEqual(ids(text), expected, "\(golden["name"] ?? ""): \(text.debugDescription)")
        }
      }
    }
  }

  /// The example of two tokens more than the tiny model's vocabulary has.
  @Test func twoMoreTokensAreWhole() throws {
    try write(
      ["added_tokens.json": ["<|pad|>": 1024, "<|user|>": 1025]], vocabulary: Project.file("weights/tiny"))
    try expectEqual(ids("hi<|user|>there"), [371, 1025, 909, 264])
    let tokenizer = try Tokenizer(folder: folder.path)
    expectEqual(tokenizer.vocabularyCount, 1026)
    try expectEqual(tokenizer.decode([371, 1025, 909, 264, 1024]), "hi<|user|>there<|pad|>")
    #expect(try !tokenizer.encode("<|user|>", recognizesAddedTokens: false).contains(1025))
    let source = try ModelSource(folder.path)
    let wide = try Configuration(layers: 1, heads: 1, channels: 1, vocabulary: 1030, context: 1)
    let fits = try #require(try source.tokenizer(for: wide))
    #expect(try fits.decode([1025, 1026, 1029]) == "<|user|>" && fits.vocabularyCount == 1026)
    #expect(throws: TokenizerError.idOutsideVocabulary(id: 1030, count: 1030)) { try fits.decode([1030]) }
  }

  /// `tokenizers` adds the space; transformers, which takes its own default for what no file says, does not.
  @Test func aPrefixSpaceThatOnlyTokenizerJSONAsksForIsAdded() throws {
    var fields = Self.tokenizerJSON
    fields["pre_tokenizer"] = ["type": "ByteLevel", "add_prefix_space": true, "use_regex": true]
    try write(["tokenizer.json": fields])
    try expectEqual(ids("the"), Tokenizer(folder: Self.small).encode(" the"))
    try write(["tokenizer.json": fields, "tokenizer_config.json": ["add_prefix_space": false]])
    try expectEqual(ids("the"), Tokenizer(folder: Self.small).encode("the"))
  }

  @Test func aByteWithoutATokenIsLocatedAfterAPrefixSpace() throws {
    try folder.write("{\"a\": 0, \"\u{120}\": 1, \"b\": 2}", to: "vocab.json")
    try folder.write("", to: "merges.txt")
    try folder.write(
      "{\"add_prefix_space\": true, \"added_tokens_decoder\": {\"2\": {\"content\": \"b\"}}}",
      to: "tokenizer_config.json")
    let tokenizer = try Tokenizer(folder: folder.path)
    try expectEqual(tokenizer.encode("aba"), [1, 0, 2, 1, 0])
    #expect(throws: TokenizerError.byteWithoutToken(byte: 0x63, offset: 4)) { try tokenizer.encode("abbac") }
  }

  private static var tokenizerJSON: [String: Any] {
    [
      "added_tokens": [], "normalizer": NSNull(), "decoder": ["type": "ByteLevel"],
      "pre_tokenizer": ["type": "ByteLevel", "add_prefix_space": false], "model": ["type": "BPE"],
    ]
  }

  @Test(
    arguments: [
      ("normalizer", #"{"type": "NFC"}"#, "normalizer: found NFC, expected null"),
      ("pre_tokenizer", #"{"type": "Whitespace"}"#, "pre_tokenizer: found Whitespace, expected ByteLevel"),
      ("pre_tokenizer", "null", "pre_tokenizer: found nothing, expected a ByteLevel"),
      ("pre_tokenizer", #"{"type": "ByteLevel", "use_regex": 3}"#, "pre_tokenizer.use_regex: found 3"),
      ("decoder", #"{"type": "WordPiece"}"#, "decoder: found WordPiece, expected ByteLevel"),
      ("post_processor", #"{"type": "RobertaProcessing"}"#, "post_processor.type: found RobertaProcessing"),
      (
        "post_processor",
        #"{"type": "TemplateProcessing", "single": [{"Sequence": {"id": "A"}}, {"SpecialToken": {"id": "x"}}]}"#,
        "post_processor.single: found 2 parts, expected nothing after the text"
      ),
      ("model", #"{"type": "WordPiece"}"#, "model.type: found WordPiece, expected BPE"),
      ("model", #"{"dropout": 0.1}"#, "model.dropout: found 0.1, expected null or 0"),
      ("model", #"{"byte_fallback": true}"#, "model.byte_fallback: found true, expected false"),
      ("model", #"{"ignore_merges": true}"#, "model.ignore_merges: found true, expected false"),
      ("model", #"{"end_of_word_suffix": "</w>"}"#, "model.end_of_word_suffix: found </w>, expected nothing"),
      (
        "added_tokens", #"[{"id": 700, "content": "<x>"}]"#,
        "added_tokens: found 700 for \"<x>\", expected 600"
      ),
      ("added_tokens", #"[{"content": "<x>"}]"#, "added_tokens[0].id: found nothing"),
      ("added_tokens", #"[{"id": 600}]"#, "added_tokens[0].content: found nothing"),
      ("added_tokens", "[3]", "added_tokens[0]: found 3, expected an object"),
    ])
  func whatTokenizerJSONSaysOtherwiseIsRefused(_ name: String, _ value: String, _ says: String) throws {
    var fields = Self.tokenizerJSON
    fields[name] = try JSONSerialization.jsonObject(with: Data(value.utf8), options: .fragmentsAllowed)
    try write(["tokenizer.json": fields])
    expectContains(problem(in: "tokenizer.json"), says, comment: "\(problem(in: "tokenizer.json"))")
  }

  @Test(
    arguments: [
      (
        "{\"tokenizer_class\": \"LlamaTokenizer\"}",
        "tokenizer_class: found LlamaTokenizer, expected GPT2Tokenizer"
      ),
      (
        "{\"tokenizer_class\": \"PreTrainedTokenizerFast\"}", "tokenizer_class: found PreTrainedTokenizerFast"
      ),
      ("{\"add_prefix_space\": 1}", "add_prefix_space: found 1, expected true or false"),
      ("{\"add_bos_token\": true, \"bos_token\": null}", "bos_token: found nothing, expected the token of"),
      ("{\"eos_token\": 5}", "eos_token: found 5, expected a string"),
      ("{\"eos_token\": {}}", "eos_token.content: found nothing, expected a string"),
      (
        "{\"added_tokens_decoder\": {\"a\": {}}}",
        "added_tokens_decoder: found a, expected an object from ids"
      ),
      (
        "{\"added_tokens_decoder\": {\"600\": \"x\"}}",
        "added_tokens_decoder.600: found x, expected an object"
      ),
      (
        "{\"added_tokens_decoder\": {\"601\": {\"content\": \"<x>\"}}}",
        "added_tokens_decoder: found 601 for \"<x>\", expected 600, its place in the vocabulary"
      ),
      (
        "{\"added_tokens_decoder\": {\"3\": {\"content\": \"<|endoftext|>\"}}}",
        "added_tokens_decoder: found 3 for \"<|endoftext|>\", expected 599"
      ),
      ("{\"added_tokens_decoder\": {\"600\": {\"content\": \"\"}}}", "found 600 for \"\", expected a text"),
      ("[]", "not a JSON object"), ("{", "not a JSON object"),
    ])
  func whatTokenizerConfigSaysOtherwiseIsRefused(_ text: String, _ says: String) throws {
    try write(text, to: "tokenizer_config.json")
    expectContains(
      problem(in: "tokenizer_config.json"), says, comment: "\(problem(in: "tokenizer_config.json"))")
  }

  @Test func malformedFilesAreLocated() throws {
    try write("{\"<x>\": \"600\"}", to: "added_tokens.json")
    expectContains(problem(in: "added_tokens.json"), "<x>: found 600, expected a whole number")
    try write("{\"bos_token\": []}", to: "special_tokens_map.json")
    expectContains(problem(in: "special_tokens_map.json"), "bos_token: found []")
    for (text, says) in [
      ("{\"model\": {\"vocab\": {\"a\": 0}, \"merges\": [[\"a\"]]}}", "model.merges:1: found \"a\""),
      ("{\"model\": {\"vocab\": {\"a\": 0}, \"merges\": [\"a b\"]}}", "model.merges:1: the merge needs"),
      ("{\"model\": {\"vocab\": {\"a\": 0, \"a\": 1}, \"merges\": []}}", "token \"a\" has the ids 0 and 1"),
      ("{\"model\": {\"vocab\": [], \"merges\": []}}", ":1:21: found \"[\""),
      ("{\"model\": {\"vocab\": {\"a\": 0}}}", "model.merges: found nothing"),
      ("{\"model\": {\"merges\": []}}", "model.vocab: found nothing"),
      ("{\"model\": 3}", ":1:11: found \"3\""),
      ("{\"x\": \u{1}}", ":1:7: found"), ("{\"x\": [}", "x is not valid JSON"), ("{}}", ":1:3: found \"}\""),
      ("{\"x\": " + String(repeating: "[", count: 100_000), "the end of the file"),
    ] {
      try write([:])
      try folder.write(text, to: "tokenizer.json")
      let found = message { try Tokenizer(folder: folder.path) } ?? "accepted"
      #expect(found.hasPrefix(folder("tokenizer.json")) && found.contains(says), "\(found)")
    }
  }

  @Test func blocksAreEncodedAloneOnlyWhereTheyMayBe() throws {
    for (config, isAllowed) in [
      ("{}", true), ("{\"add_bos_token\": true}", true), ("{\"add_prefix_space\": true}", false),
      ("{\"pad_token\": \"<|pad|>\"}", true), ("{\"pad_token\": \"<|a b|>\"}", false),
      ("{\"added_tokens_decoder\": {\"600\": {\"content\": \"<x>\", \"rstrip\": true}}}", false),
    ] {
      try write(config, to: "tokenizer_config.json")
      try expectEqual(Tokenizer(folder: folder.path).encodesInBlocks, isAllowed, "\(config)")
    }
  }

  // MARK: What ends a text

  private let wide = Result {
    try Configuration(layers: 1, heads: 1, channels: 1, vocabulary: 700, context: 1)
  }

  @Test(
    arguments: [
      (nil, nil, [599]), (nil, "7", [7]), ("[5, 6]", "7", [5, 6]), ("8", nil, [8]),
      ("null", "[7, 9]", [7, 9]),
      ("700", nil, [599]), ("[700, 699]", "7", [699]), (nil, "50256", [599]),
    ] as [(String?, String?, [Int])])
  func endsAreThoseOfTheModel(_ generation: String?, _ config: String?, _ ends: [Int]) throws {
    try write([:])
    if let generation { try folder.write("{\"eos_token_id\": \(generation)}", to: "generation_config.json") }
    if let config { try folder.write("{\"eos_token_id\": \(config)}", to: "config.json") }
    let source = try ModelSource(folder.path)
    let tokenizer = try #require(try source.tokenizer(for: wide.get()))
    expectEqual(tokenizer.ends, Set(ends))
    expectEqual(tokenizer.endOfText, 599)
    #expect(try source.endTokens(for: wide.get()) == (ends == [599] ? [] : Set(ends)))
  }

  @Test func endsThatAreNoIDsAreRefused() throws {
    for value in ["\"7\"", "[7, \"8\"]", "true", "[[7]]", "7.5"] {
      try write("{\"eos_token_id\": \(value)}", to: "generation_config.json")
      let text = refusal(naming: folder("generation_config.json")) {
        try ModelSource(folder.path).endTokens(for: wide.get())
      }
      expectEqual(text?.contains("eos_token_id: found"), true, "\(value): \(text ?? "accepted")")
    }
  }

  @Test func otherSpellingsEndAText() throws {
    try write(
      "{\"bos_token\": \"<s>\", \"eos_token\": \"</s>\", \"unk_token\": \"<s>\"}", to: "tokenizer_config.json"
    )
    let tokenizer = try Tokenizer(folder: folder.path)
    expectEqual(tokenizer.startOfText, 600)
    expectEqual(tokenizer.endOfText, 601)
    expectEqual(tokenizer.ends, [601])
    try expectEqual(tokenizer.encode("<s></s>"), [600, 601])
  }

  // MARK: What is written

  @Test func whatIsMoreThanTokensComesBack() throws {
    try write(
      """
      {"add_prefix_space": true, "add_bos_token": true, "bos_token": "<s>", "eos_token": "</s>", "unk_token": null,
       "added_tokens_decoder": {"600": {"content": "<s>", "special": true}, "601": {"content": "</s>", "special": true},
       "602": {"content": "a \\"\\n\\\\ b", "lstrip": true}, "603": {"content": "user", "single_word": true}}}
      """, to: "tokenizer_config.json")
    let original = try Tokenizer(folder: folder.path)
    for refused in [
      refusal(naming: folder("v.bin")) { try original.exportSeed(to: folder("v.bin")) },
      refusal(naming: folder("t.bin")) { try original.exportLLMC(to: folder("t.bin")) },
    ] { expectEqual(refused?.contains("the tokenizer has added tokens"), true) }
    let written = try TemporaryFolder()
    try expectEqual(
      original.exportHuggingFace(to: written.path),
      [
        "vocab.json", "merges.txt", "tokenizer_config.json",
      ])
    let again = try Tokenizer(folder: written.path)
    expectEqual(again.prefix, [600])
    expectEqual(again.ends, [601])
    expectEqual(again.vocabularyCount, 604)
    for text in ["<s>the user</s>", "x  a \"\n\\ b.", "users user", "é"] {
      #expect(try again.encode(text) == original.encode(text) && !again.encode(text).isEmpty)
    }
  }
}
