import Foundation
import GPT2Model
import TestSupport
import Testing

/// What is wrong with the two files is said with its place, and never crashes.
struct TokenizerFileTests {
  /// The error of loading the files, its path replaced by the file's name.
  private func failure(vocabulary: String, merges: String = "") throws -> TokenizerError? {
    try failure(vocabulary: Array(vocabulary.utf8), merges: Array(merges.utf8))
  }

  private func failure(vocabulary: [UInt8]?, merges: [UInt8]?) throws -> TokenizerError? {
    try TokenizerFixtures.withFiles(vocabulary: vocabulary, merges: merges) { vocabularyFile, mergesFile in
      let error = #expect(throws: TokenizerError.self) {
        try Tokenizer(vocabularyFile: vocabularyFile, mergesFile: mergesFile)
      }
      if let error { #expect(!error.description.contains("\n")) }
      return error.map(namingFiles)
    }
  }

  private func namingFiles(_ error: TokenizerError) -> TokenizerError {
    func name(_ path: String) -> String { URL(fileURLWithPath: path).lastPathComponent }
    switch error {
    case .missingFile(let path): return .missingFile(path: name(path))
    case .unreadableFile(let path, let reason): return .unreadableFile(path: name(path), reason: reason)
    case .malformedVocabulary(let path, let line, let column, let found, let expected):
      return .malformedVocabulary(
        path: name(path), line: line, column: column, found: found, expected: expected)
    case .duplicateToken(let path, let token, let first, let second):
      return .duplicateToken(path: name(path), token: token, firstID: first, secondID: second)
    case .duplicateID(let path, let id, let first, let second):
      return .duplicateID(path: name(path), id: id, firstToken: first, secondToken: second)
    case .missingID(let path, let id, let count): return .missingID(path: name(path), id: id, count: count)
    case .malformedMerge(let path, let line, let found):
      return .malformedMerge(path: name(path), line: line, found: found)
    case .duplicateMerge(let path, let line, let firstLine, let pair):
      return .duplicateMerge(path: name(path), line: line, firstLine: firstLine, pair: pair)
    case .mergeOutsideVocabulary(let path, let line, let token):
      return .mergeOutsideVocabulary(path: name(path), line: line, token: token)
    case .idOutsideVocabulary, .byteWithoutToken, .textTooShort: return error
    }
  }

  @Test func missingFilesAreNamed() throws {
    try expectEqual(failure(vocabulary: nil, merges: []), .missingFile(path: "vocab.json"))
    try expectEqual(
      failure(vocabulary: Array("{\"a\": 0}".utf8), merges: nil), .missingFile(path: "merges.txt"))
    #expect(throws: TokenizerError.self) { try Tokenizer(folder: TokenizerFixtures.smallFolder + "/none") }
  }

  @Test func aFolderInPlaceOfAFileIsUnreadable() throws {
    let folder = TokenizerFixtures.smallFolder
    let error = #expect(throws: TokenizerError.self) {
      try Tokenizer(vocabularyFile: folder, mergesFile: folder + "/merges.txt")
    }
    guard case .unreadableFile(folder, _) = error else {
      Issue.record("\(String(describing: error)), expected unreadableFile")
      return
    }
  }

  @Test(arguments: [
    ("", 1, 1, "the end of the file", "an object"),
    ("[1]", 1, 1, "\"[\"", "an object"),
    ("\u{FEFF}{}", 1, 1, "\"\u{FEFF}\"", "an object"),
    ("{}", 1, 2, "\"}\"", "a token in quotation marks"),
    ("{\"a\": 0", 1, 8, "the end of the file", "\",\" or \"}\""),
    ("{\"a\": 0,}", 1, 9, "\"}\"", "a token in quotation marks"),
    ("{\"a\" 0}", 1, 6, "\"0\"", "\":\""),
    ("{\n  \"a\": 0,\n  \"b\": -1\n}", 3, 8, "\"-\"", "an id"),
    ("{\"a\": 1.5}", 1, 7, "\"1\"", "an id"),
    ("{\"a\": 1e3}", 1, 7, "\"1\"", "an id"),
    ("{\"a\": 01}", 1, 7, "\"0\"", "an id"),
    ("{\"a\": null}", 1, 7, "\"n\"", "an id"),
    ("{\"a\": 99999999999999999999999}", 1, 7, "\"9\"", "an id"),
    ("{\"é\": \"0\"}", 1, 7, #""\"""#, "an id"),
    ("{\"a\": 0} x", 1, 10, "\"x\"", "the end of the file"),
    ("{\"a", 1, 4, "the end of the file", "closing quotation mark"),
    ("{\"a\nb\": 0}", 1, 4, #""\n""#, "an escape for the control character"),
    ("{\"\\x\": 0}", 1, 4, "\"x\"", "after the backslash"),
    ("{\"\\u12g4\": 0}", 1, 7, "\"g\"", "four hexadecimal digits"),
    ("{\"\\ud800\": 0}", 1, 3, "the lone surrogate \\ud800", "a pair of surrogates"),
    ("{\"\\ud800\\u0041\": 0}", 1, 3, "the lone surrogate \\ud800", "a pair of surrogates"),
    ("{\"\\udc00\\ud800\": 0}", 1, 3, "the lone surrogate \\udc00", "a pair of surrogates"),
    ("{\"\\ud800\\u", 1, 11, "the end of the file", "four hexadecimal digits"),
  ])
  func malformedJSONIsLocated(text: String, line: Int, column: Int, found: String, expected: String) throws {
    guard
      case .malformedVocabulary("vocab.json", line, column, found, let said) = try failure(vocabulary: text)
    else {
      Issue.record("\(String(describing: try failure(vocabulary: text)))")
      return
    }
    expectContains(said, expected)
  }

  @Test func bytesThatAreNotUTF8AreLocated() throws {
    let bytes = Array("{\n\"é".utf8) + [0xFF] + Array("\": 0}".utf8)
    try expectEqual(
      failure(vocabulary: bytes, merges: []),
      .malformedVocabulary(
        path: "vocab.json", line: 2, column: 3, found: "bytes that are not UTF-8", expected: "UTF-8"))
  }

  @Test func idsMustBeDenseAndUnique() throws {
    try expectEqual(
      failure(vocabulary: "{\"a\": 0, \"b\": 1, \"a\": 2}"),
      .duplicateToken(path: "vocab.json", token: "a", firstID: 0, secondID: 2))
    try expectEqual(
      failure(vocabulary: "{\"a\": 0, \"b\": 1, \"c\": 1}"),
      .duplicateID(path: "vocab.json", id: 1, firstToken: "b", secondToken: "c"))
    try expectEqual(
      failure(vocabulary: "{\"a\": 0, \"b\": 2}"), .missingID(path: "vocab.json", id: 1, count: 2))
    try expectEqual(failure(vocabulary: "{\"a\": 7}"), .missingID(path: "vocab.json", id: 0, count: 1))
  }

  @Test(arguments: ["a", "a b c", "a  b", " a", "a ", ""])
  func malformedMergesAreLocated(line: String) throws {
    try expectEqual(
      failure(vocabulary: "{\"a\": 0, \"b\": 1, \"ab\": 2}", merges: "#version: 0.2\n\(line)\na b\n"),
      .malformedMerge(path: "merges.txt", line: 2, found: line))
  }

  @Test func mergesMustStayInTheVocabulary() throws {
    let vocabulary = "{\"a\": 0, \"b\": 1, \"ab\": 2, \"xa\": 3, \"ax\": 4}"
    func token(_ merge: String) throws -> TokenizerError? {
      try failure(vocabulary: vocabulary, merges: "a b\n\(merge)\n")
    }
    try expectEqual(token("b a"), .mergeOutsideVocabulary(path: "merges.txt", line: 2, token: "ba"))
    try expectEqual(token("x a"), .mergeOutsideVocabulary(path: "merges.txt", line: 2, token: "x"))
    try expectEqual(token("a x"), .mergeOutsideVocabulary(path: "merges.txt", line: 2, token: "x"))
    try expectEqual(token("a b"), .duplicateMerge(path: "merges.txt", line: 2, firstLine: 1, pair: "a b"))
  }

  @Test func randomDamageNeverCrashes() throws {
    let small = TokenizerFixtures.smallFolder
    let vocabulary = try [UInt8](Data(contentsOf: URL(fileURLWithPath: small + "/vocab.json")))
    let merges = try [UInt8](Data(contentsOf: URL(fileURLWithPath: small + "/merges.txt")))
    var generator = RandomStream(seed: 2)
    var failures = 0
    for round in 0..<60 {
      var damaged = round % 2 == 0 ? vocabulary : merges
      let place = Int.random(in: 0..<damaged.count, using: &generator)
      if round % 4 < 2 {
        damaged[place] = UInt8.random(in: .min ... .max, using: &generator)
      } else {
        damaged.removeSubrange(place...)
      }
      try TokenizerFixtures.withFiles(
        vocabulary: round % 2 == 0 ? damaged : vocabulary, merges: round % 2 == 0 ? merges : damaged
      ) { vocabularyFile, mergesFile in
        do {
          let tokenizer = try Tokenizer(vocabularyFile: vocabularyFile, mergesFile: mergesFile)
          expectEqual(tokenizer.vocabularyCount, 600)
        } catch is TokenizerError {
          failures += 1
        }
      }
    }
    #expect(failures > 30)
  }
}

/// llm.c's `gpt2_tokenizer.bin` and the seed format's `vocab.bin`.
struct TokenFileTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func load() throws -> Tokenizer {
    try #require(try ModelSource(folder.path).tokenizerLocation).load()
  }

  private static func words(_ numbers: [Int]) -> [UInt8] {
    numbers.flatMap { littleEndian(Int32(truncatingIfNeeded: $0)) }
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
    expectEqual(derived.endOfText, original.endOfText)
    expectEqual(derived.vocabularyCount, original.vocabularyCount)
    try derived.exportHuggingFace(to: folder.path)
    func lines(_ file: String) throws -> [Substring] {
      try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n").filter {
        !$0.hasPrefix("#version")
      }
    }
    try expectEqual(lines(folder("merges.txt")), lines(Project.file(vocabulary + "/merges.txt")))
    func ids(_ file: String) throws -> [String: Int]? {
      try JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: file))) as? [String: Int]
    }
    try expectEqual(ids(folder("vocab.json")), ids(Project.file(vocabulary + "/vocab.json")))
  }

  @Test func tokensWithoutAFileOfMerges() throws {
    for (name, bytes) in [
      ("gpt2_tokenizer.bin", Self.llmc([20_240_328, 2, 6, 4], Self.tokens)),
      ("vocab.bin", Self.seed(Self.tokens)),
    ] {
      let path = try folder.write(bytes, to: name)
      let tokenizer = try load()
      expectEqual(tokenizer.vocabularyCount, 6)
      expectEqual(tokenizer.endOfText, 4)
      try expectEqual(tokenizer.encode("ababab a<|endoftext|>b"), [3, 2, 5, 0, 4, 1])
      try expectEqual(tokenizer.decode([3, 5, 4]), "abab <|endoftext|>")
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
    expectEqual(text?.contains("token 7 spells what a lower id spells"), true)
    #expect(refusal(naming: folder("t.bin")) { try tokenizer.exportLLMC(to: folder("t.bin")) } != nil)
    try expectEqual(folder.contents(), ["vocab.bin"])
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
    expectEqual(text?.contains(says), true, "\(text ?? "accepted")")
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
    expectEqual(text?.contains(says), true, "\(text ?? "accepted")")
  }

  @Test func aVocabularyLargerThanTheModelIsRefused() throws {
    let path = try folder.write(Self.seed(Self.tokens), to: "vocab.bin")
    let source = try ModelSource(folder.path)
    let fits = try Configuration(layers: 1, heads: 1, channels: 1, vocabulary: 6, context: 1)
    let small = try Configuration(layers: 1, heads: 1, channels: 1, vocabulary: 5, context: 1)
    try expectEqual(source.tokenizer(for: fits)?.vocabularyCount, 6)
    expectEqual(refusal(naming: path) { try source.tokenizer(for: small) }?.contains("found 6 tokens"), true)
  }
}
