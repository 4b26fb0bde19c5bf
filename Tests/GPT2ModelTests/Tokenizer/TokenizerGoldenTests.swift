import Foundation
import GPT2Model
import TestSupport
import Testing

/// Ids made by Hugging Face `tokenizers` and confirmed by tiktoken: see `scripts/tokenizer_golden.py`.
struct TokenizerGoldenTests {
  private struct GoldenFile: Decodable {
    let cases: [GoldenCase]
  }

  private struct GoldenCase: Decodable {
    let group: String
    let text: String?
    let hex: String?
    let plain: Bool?
    let ids: [Int]

    /// The bytes that `hex` spells.
    var bytes: [UInt8] {
      let digits = (hex ?? "").compactMap(\.hexDigitValue)
      return stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
    }
  }

  private func check(_ tokenizer: Tokenizer, against file: URL) throws {
    let golden = try JSONDecoder().decode(GoldenFile.self, from: Data(contentsOf: file))
    #expect(golden.cases.count > 400)
    #expect(golden.cases.count { $0.hex != nil } > 60)
    for golden in golden.cases {
      let recognizes = golden.plain != true
      let ids: [Int]
      if let text = golden.text {
        ids = try tokenizer.encode(text, recognizesAddedTokens: recognizes)
        try expectEqual(tokenizer.encode(utf8: text.utf8, recognizesAddedTokens: recognizes), ids)
        try expectEqual(Array(tokenizer.decode(ids).utf8), Array(text.utf8))
      } else {
        ids = try tokenizer.encode(utf8: golden.bytes, recognizesAddedTokens: recognizes)
      }
      expectEqual(ids, golden.ids, "\(golden.group): \((golden.text ?? golden.hex ?? "").debugDescription)")
    }
  }

  @Test func smallVocabularyGivesTheReferenceIDs() throws {
    let tokenizer = try TokenizerFixtures.small()
    expectEqual(tokenizer.vocabularyCount, 600)
    expectEqual(tokenizer.endOfText, 599)
    try check(tokenizer, against: TokenizerFixtures.smallCases)
  }

  @Test(.enabled(if: TokenizerFixtures.hasGPT2, "scripts/fetch_vocabulary.sh fetches GPT-2's vocabulary"))
  func gpt2VocabularyGivesTheReferenceIDs() throws {
    let tokenizer = try Tokenizer(folder: TokenizerFixtures.gpt2Folder)
    expectEqual(tokenizer.vocabularyCount, 50257)
    expectEqual(tokenizer.endOfText, 50256)
    try check(tokenizer, against: TokenizerFixtures.gpt2Cases)
  }

  /// Ways in which a vocabulary can be stored other than the one that it came in.
  enum Storage: CaseIterable {
    case llmc, seed, huggingFace

    /// The tokenizer, written and read again.
    func restored(_ tokenizer: Tokenizer) throws -> Tokenizer {
      let folder = try TemporaryFolder()
      switch self {
      case .llmc: try tokenizer.exportLLMC(to: folder("gpt2_tokenizer.bin"))
      case .seed: try tokenizer.exportSeed(to: folder("vocab.bin"))
      case .huggingFace: try tokenizer.exportHuggingFace(to: folder.path)
      }
      return try #require(try ModelSource(folder.path).tokenizerLocation).load()
    }
  }

  @Test(arguments: Storage.allCases)
  func whateverItIsStoredInTheSmallVocabularyGivesTheReferenceIDs(_ storage: Storage) throws {
    try check(storage.restored(TokenizerFixtures.small()), against: TokenizerFixtures.smallCases)
  }

  @Test(
    .enabled(if: TokenizerFixtures.hasGPT2, "scripts/fetch_vocabulary.sh fetches GPT-2's vocabulary"),
    arguments: Storage.allCases)
  func whateverItIsStoredInTheGPT2VocabularyGivesTheReferenceIDs(_ storage: Storage) throws {
    let tokenizer = try Tokenizer(folder: TokenizerFixtures.gpt2Folder)
    try check(storage.restored(tokenizer), against: TokenizerFixtures.gpt2Cases)
  }
}
