import Foundation
import GPT2Model

/// The tests' data, found beside this file.
enum TokenizerFixtures {
  private static let here = URL(fileURLWithPath: #filePath).deletingLastPathComponent()

  /// The committed vocabulary of 600 tokens.
  static let smallFolder = here.appendingPathComponent("Data/small").path
  static let smallCases = here.appendingPathComponent("Data/small.json")

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
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
      "tokenizer-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let vocabularyFile = folder.appendingPathComponent("vocab.json")
    let mergesFile = folder.appendingPathComponent("merges.txt")
    if let vocabulary { try Data(vocabulary).write(to: vocabularyFile) }
    if let merges { try Data(merges).write(to: mergesFile) }
    return try body(vocabularyFile.path, mergesFile.path)
  }

  static func tokenizer(vocabulary: String, merges: String) throws -> Tokenizer {
    try withFiles(vocabulary: Array(vocabulary.utf8), merges: Array(merges.utf8)) {
      try Tokenizer(vocabularyFile: $0, mergesFile: $1)
    }
  }
}

/// SplitMix64 (Steele, Lea and Flood 2014): the same numbers on every machine.
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var value = state
    value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
    value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
    return value ^ (value >> 31)
  }
}
