import Foundation
import GPT2Model
import TestSupport
import Testing

struct VocabularyLearnerTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func learner(_ texts: [String]) -> VocabularyLearner {
    var learner = VocabularyLearner()
    for text in texts { learner.add(Array(text.utf8)) }
    return learner
  }

  private func merges(_ tokenizer: Tokenizer) throws -> [String] {
    try tokenizer.exportHuggingFace(to: folder.path)
    return try String(contentsOfFile: folder("merges.txt"), encoding: .utf8).split(separator: "\n").map(
      String.init)
  }

  /// The example of Sennrich et al., counted by hand. The words are `low` once, ` low` four times, ` lower` twice,
  /// ` newest` six times and ` widest` three times. `e s` and `s t` are there nine times each, and `e` has the lower id.
  @Test func mergesAreThoseThatAHandCounts() throws {
    let text =
      "low low low low low lower lower newest newest newest newest newest newest widest widest widest"
    let tokenizer = try learner([text]).tokenizer(count: 266)
    try expectEqual(
      merges(tokenizer),
      [
        "#version: 0.2", "e s", "es t", "l o", "lo w", "e w", "n ew", "Ġ low", "Ġ new", "Ġnew est",
      ])
    expectEqual(tokenizer.vocabularyCount, 266)
    expectEqual(tokenizer.endOfText, 265)
    try expectEqual(tokenizer.encode("low newest<|endoftext|>"), [259, 264, 265])
    try expectEqual(tokenizer.encode(" widest"), [220, 86, 72, 67, 257])
  }

  /// `aaaa` has three pairs, of which two are merged.
  @Test func pairsThatOverlapAreCountedAsTheyAreMerged() throws {
    let tokenizer = try learner(["aaaa aaaa", "aaaa"]).tokenizer(count: 259)
    try expectEqual(merges(tokenizer).dropFirst(), ["a a", "aa aa"])
  }

  /// The file is of Hugging Face's tokenizers, of texts in many scripts: see `scripts/tokenizer_golden.py learn`.
  @Test func mergesAreThoseOfTokenizers() throws {
    struct Cases: Decodable {
      struct Case: Decodable { let text: String? }
      let cases: [Case]
    }
    let cases = try JSONDecoder().decode(
      Cases.self, from: Data(contentsOf: TokenizerFixtures.smallCases)
    ).cases
    let learner = self.learner(cases.compactMap(\.text))
    let expected = try String(
      contentsOfFile: Project.file("Tests/GPT2ModelTests/Tokenizer/Data/learnt-merges.txt"), encoding: .utf8)
    try expectEqual(merges(learner.tokenizer(count: 1800)), expected.split(separator: "\n").map(String.init))
    #expect(throws: TokenizerError.textTooShort(found: 3922, expected: 4001)) {
      try learner.tokenizer(count: 4001)
    }
  }

  @Test func everyByteIsATokenAndEveryTextComesBack() throws {
    let text = "Ein Text über Wörter, 日本, 👩‍👧 and \"quotes\" \\ {}."
    let tokenizer = try learner([text]).tokenizer(count: 270)
    try tokenizer.exportHuggingFace(to: folder.path)
    let reopened = try Tokenizer(folder: folder.path)
    for tokenizer in [tokenizer, reopened] {
      try expectEqual(Set((0..<256).map { try tokenizer.bytes(of: $0) }).count, 256)
      #expect(try (0..<256).allSatisfy { try tokenizer.bytes(of: $0).count == 1 })
      expectEqual(tokenizer.endOfText, 269)
      expectEqual(tokenizer.ends, [269])
      #expect(try tokenizer.encode(text).count < text.utf8.count)
      var random = RandomStream(seed: 3)
      for text in [text, "", "\u{0}\u{1}\n\r\t ~\u{FF}", "a<|endoftext|>b"]
        + (0..<20).map({ _ in String(decoding: random.ids(40, below: 256).map { UInt8($0) }, as: UTF8.self) })
      {
        let ids = try tokenizer.encode(text)
        try expectEqual(tokenizer.decode(ids), text)
        try expectEqual(reopened.encode(text), ids)
      }
    }
  }

  @Test func theSameTextGivesTheSameWhereverItIsCut() throws {
    let text = TextBlocksTests.texts.joined(separator: "\n")
    var blocks = TextBlocks(size: 7)
    blocks.append(Array(text.utf8))
    blocks.finish()
    var cut = VocabularyLearner()
    while let block = blocks.next() { cut.add(block) }
    let whole = try merges(learner([text]).tokenizer(count: 300))
    try expectEqual(merges(cut.tokenizer(count: 300)), whole)
    try expectEqual(merges(learner([text]).tokenizer(count: 300)), whole)
    expectEqual(whole.count, 1 + 300 - 257)
  }

  @Test func theEndOfATextIsNotLearntFrom() throws {
    let tokenizer = try learner([String(repeating: "ab<|endoftext|>", count: 50)]).tokenizer(count: 258)
    try expectEqual(merges(tokenizer).dropFirst(), ["a b"])
    try expectEqual(tokenizer.encode("ab<|endoftext|>"), [256, 257])
    expectEqual(
      message { try learner(["<|endoftext|>"]).tokenizer(count: 258) },
      "the text makes 257 tokens, expected the 258 of the vocabulary: give more text, or a smaller vocabulary"
    )
    try expectEqual(learner([]).tokenizer(count: 257).vocabularyCount, 257)
  }
}
