import Foundation
import GPT2Model
import TestSupport
import Testing
import Training

struct TokenDataTests {
  let folder: TemporaryFolder
  /// One token a byte, in the order of the alphabet: `!` is 0, `A` is 32, `a` is 64.
  let bytes: Tokenizer

  init() throws {
    folder = try TemporaryFolder()
    bytes = try VocabularyLearner().tokenizer(count: 257)
  }

  private func data(_ text: String, validation share: Double = 0, context: Int) throws -> TokenData {
    try TokenData(
      TrainingText(folder.write(text, to: "text"), validation: share), bytes, vocabulary: 257,
      context: context,
      inFolder: folder.path)
  }

  /// The ids 0, 1, 2, … as `numpy.save` writes them.
  private func npy(_ count: Int, validation share: Double = 0, context: Int) throws -> TokenData {
    let header = "{'descr': '<u2', 'fortran_order': False, 'shape': (\(count),), }\n"
    let start: [UInt8] = [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(header.utf8.count), 0]
    let ids = (0..<count).flatMap { [UInt8($0 & 255), UInt8($0 >> 8)] }
    let path = try folder.write(start + Array(header.utf8) + ids, to: "ids.npy")
    return try TokenData(npy: path, vocabulary: 1 << 16, validation: share, context: context)
  }

  private static let letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

  @Test func theTailIsKeptBack() throws {
    let text = try data(Self.letters, validation: 0.25, context: 3)
    expectEqual(text.training.ids(0..<text.training.count), Array(32..<51))
    expectEqual(text.validation.ids(0..<text.validation.count), Array(51..<58))
    expectEqual(text.validationWindows().map(\.tokens), [[51, 52, 53, 54], [54, 55, 56, 57]])
    expectEqual(text.validationWindows(atMost: 1).map(\.tokens), [[51, 52, 53, 54]])
    let all = try data(Self.letters, context: 3)
    #expect(all.training.count == 26 && all.validation.count == 0 && all.validationWindows().isEmpty)
    let ids = try npy(100, validation: 0.1, context: 4)
    expectEqual(ids.training.count, 90)
    expectEqual(ids.validationWindows().map(\.tokens), [[90, 91, 92, 93, 94], [94, 95, 96, 97, 98]])
    // The temporary files are in no folder.
    try expectEqual(folder.contents(), ["ids.npy", "text"])
  }

  @Test func aCharacterIsNotCut() throws {
    for (text, share, count) in [("ab日cd", 0.5, 5), ("ab日cd", 0.4, 5), ("ab日cd", 0.6, 2), ("ab😀", 0.4, 6)] {
      let split = try TrainingText(folder.write(text, to: "text"), validation: share)
      expectEqual(split.training, 0..<count, "\(text) \(share)")
      expectEqual(split.validation, count..<text.utf8.count, "\(text) \(share)")
    }
  }

  @Test func windowsInARowHaveNoGaps() throws {
    let data = try npy(26, context: 4)
    func tokens(_ step: Int, _ count: Int) -> [[Int32]] {
      data.windows(step: step, count: count, order: .sequential, seed: 1).map(\.tokens)
    }
    expectEqual(tokens(0, 2), [[0, 1, 2, 3, 4], [4, 5, 6, 7, 8]])
    expectEqual(tokens(1, 2), [[8, 9, 10, 11, 12], [12, 13, 14, 15, 16]])
    expectEqual(tokens(1, 1), [[4, 5, 6, 7, 8]])
    // Six whole windows; then the first again.
    expectEqual(tokens(2, 2), [[16, 17, 18, 19, 20], [20, 21, 22, 23, 24]])
    expectEqual(tokens(3, 2), tokens(0, 2))
    expectEqual(tokens(1, 4), tokens(2, 2) + tokens(0, 2))
  }

  @Test func drawnWindowsAreAFunctionOfSeedStepAndRow() throws {
    let data = try npy(1_000, context: 8)
    func starts(_ step: Int, _ count: Int, seed: UInt64 = 1) -> [Int32] {
      data.windows(step: step, count: count, order: .random, seed: seed).map { window in
        #expect(window.tokens == (0...8).map { window.tokens[0] + $0 })
        return window.tokens[0]
      }
    }
    expectEqual(starts(5, 4), starts(5, 4))
    expectEqual(starts(5, 4), Array(starts(5, 16).prefix(4)))
    #expect(starts(5, 4) != starts(6, 4) && starts(5, 4) != starts(5, 4, seed: 2))
    let many = (0..<2_000).flatMap { starts($0, 10) }
    expectEqual(many.min(), 0)
    expectEqual(many.max(), 991)
    // 20,000 draws of 992 places: each comes up 20 times, with a standard deviation of 4.5.
    let counts = Dictionary(many.map { ($0, 1) }, uniquingKeysWith: +)
    #expect(counts.count == 992 && counts.values.allSatisfy { (1...48).contains($0) })
    #expect(Set((0..<50).flatMap { starts($0, 10) }).count > 350)
    // One place only.
    let least = try npy(9, context: 8)
    expectEqual(
      least.windows(step: 3, count: 2, order: .random, seed: 9).map(\.tokens), [Array(0...8), Array(0...8)])
  }

  @Test func theSameTokensAreTheSameData() throws {
    let data = try self.data(Self.letters, validation: 0.25, context: 3)
    try expectEqual(self.data(Self.letters, validation: 0.25, context: 5).identity, data.identity)
    #expect(try self.data(Self.letters + "A", validation: 0.25, context: 3).identity != data.identity)
    #expect(try self.data(Self.letters, validation: 0.3, context: 3).identity != data.identity)
    let other = try self.data(
      Self.letters.replacingOccurrences(of: "Z", with: "a"), validation: 0.25, context: 3)
    #expect(other.identity.digest != data.identity.digest)
    expectEqual(other.identity.trainingTokens, 19)
    expectEqual(other.identity.validationTokens, 7)
  }

  @Test func aVocabularyIsLearntFromWhatIsNotKeptBack() throws {
    let text = String(repeating: "ab ", count: 100) + String(repeating: "xy ", count: 100)
    let split = try TrainingText(folder.write(text, to: "text"), validation: 0.5)
    let tokenizer = try split.learnTokenizer(vocabulary: 259)
    #expect(try tokenizer.bytes(of: 256) == Array("ab".utf8) && tokenizer.bytes(of: 257) == Array(" ab".utf8))
    let data = try TokenData(split, tokenizer, vocabulary: 300, context: 16, inFolder: folder.path)
    expectEqual(data.training.ids(0..<4), [256, 257, 257, 257])
    expectEqual(data.training.count, 101)
    expectEqual(
      message { try split.learnTokenizer(vocabulary: 300) },
      "the text makes 259 tokens, expected the 300 of the vocabulary: give more text, or a smaller vocabulary"
    )
  }

  @Test func badDataEndWithOneLine() throws {
    func text(_ text: String, _ share: Double = 0.1, context: Int = 8) -> String? {
      message { try data(text, validation: share, context: context) }
    }
    let path = folder("text")
    expectEqual(text(""), "\(path): the file is empty, expected a text")
    expectEqual(
      text("a b", 0),
      "\(path): found 3 tokens to train on, expected at least 9 for a window of 8: give a longer text, or a smaller --context"
    )
    expectEqual(text("a", 0)?.contains("found 1 token to train on"), true)
    expectEqual(
      text(Self.letters),
      "\(path): found 3 tokens to validate with, expected at least 9 for a window of 8: give a longer text, a larger --validation or none (0), or a smaller --context"
    )
    expectEqual(text(Self.letters, 0.99)?.contains("found 0 tokens to train on"), true)
    let ids = folder("ids.npy")
    expectEqual(message { try npy(8, context: 8) }?.hasPrefix("\(ids): found 8 tokens to train on"), true)
    expectEqual(
      message { try TokenData(npy: ids, vocabulary: 5, validation: 0, context: 2) },
      "\(ids): [5]: found 5, expected a token below the vocabulary's 5")
    try folder.write([0x61, 0xFF, 0x62], to: "bytes")
    expectEqual(
      message {
        try TokenData(
          TrainingText(folder("bytes"), validation: 0), bytes, vocabulary: 257, context: 1,
          inFolder: folder.path)
      }, "\(folder("bytes")): found byte 0xFF at offset 1, expected UTF-8 text")
    expectEqual(
      message { try TrainingText(folder("none"), validation: 0) },
      "\(folder("none")): no such file, expected a text")
    expectEqual(
      message { try TrainingText(folder.path, validation: 0) },
      "\(folder.path): is a folder, expected a text")
    expectEqual(
      message { try TrainingText("/dev/null", validation: 0) },
      "/dev/null: is no plain file, expected one whose size is known")
  }
}
