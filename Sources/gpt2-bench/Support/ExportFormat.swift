import Foundation
import GPT2Model

/// What `export` writes, and where its parts go.
enum ExportFormat: String, CaseIterable {
  case safetensors, llmc, seed

  /// Writes a model's weights, and its vocabulary where it has one.
  ///
  /// - Parameter out: a folder, made where there is none, or a file that ends as the format's do.
  /// - Returns: the files that were written.
  func write(_ checkpoint: Checkpoint, of source: ModelSource, to out: String) throws -> [String] {
    switch self {
    case .safetensors: return try Self.writeSafetensors(checkpoint, of: source, to: out)
    case .llmc:
      return try Self.write(
        checkpoint, of: source, to: out, named: Self.llmcName(checkpoint.configuration),
        beside: LLMCTokenizer.fileName, { try checkpoint.exportLLMC(to: $0) }, { try $0.exportLLMC(to: $1) })
    case .seed:
      return try Self.write(
        checkpoint, of: source, to: out, named: "model.bin", beside: SeedVocabulary.fileName,
        { try checkpoint.exportSeed(to: $0) }, { try $0.exportSeed(to: $1) })
    }
  }

  /// One file of weights, and one of the vocabulary beside it.
  private static func write(
    _ checkpoint: Checkpoint, of source: ModelSource, to out: String, named name: String,
    beside vocabularyName: String, _ writeWeights: (String) throws -> Void,
    _ writeVocabulary: (Tokenizer, String) throws -> Void
  ) throws -> [String] {
    let weights = try file(out, named: name)
    let vocabulary = sibling(of: weights, named: vocabularyName)
    let tokenizer = try source.tokenizer(for: checkpoint.configuration)
    // First what may be refused: half a gigabyte of weights without their vocabulary helps nobody.
    if let tokenizer { try writeVocabulary(tokenizer, vocabulary) }
    try writeWeights(weights)
    return [weights] + (tokenizer == nil ? [] : [vocabulary])
  }

  private static func writeSafetensors(
    _ checkpoint: Checkpoint, of source: ModelSource, to out: String
  ) throws -> [String] {
    try checkpoint.exportSafetensors(to: out)
    guard !out.hasSuffix(".safetensors") else { return [out] }
    var written = ["config.json", "model.safetensors"]
    let vocabulary = ["vocab.json", "merges.txt"]
    if case .huggingFace(let folder) = source.tokenizerLocation {
      for name in vocabulary where try copy(name, from: folder, to: out) { written.append(name) }
    } else if let tokenizer = try source.tokenizer(for: checkpoint.configuration) {
      try tokenizer.exportHuggingFace(to: out)
      written += vocabulary
    }
    return written.map { out + "/" + $0 }
  }

  /// As they are: a vocabulary's own spelling and order say more than what is read from it.
  private static func copy(_ name: String, from source: String, to target: String) throws -> Bool {
    let (from, to) = (source + "/" + name, target + "/" + name)
    guard FileManager.default.fileExists(atPath: from), from != to else { return false }
    do {
      try Data(contentsOf: URL(fileURLWithPath: from))
        .write(to: URL(fileURLWithPath: to), options: .atomic)
    } catch {
      throw ModelError.unwritable(path: to, reason: (error as NSError).localizedDescription)
    }
    return true
  }

  /// llm.c names its files for the number of parameters: `gpt2_124M.bin`, `gpt2_1558M.bin`.
  private static func llmcName(_ configuration: Configuration) -> String {
    "gpt2_\(max((configuration.parameterCount + 500_000) / 1_000_000, 1))M.bin"
  }

  /// The file itself, or the one of that name in a folder.
  private static func file(_ out: String, named name: String) throws(ModelError) -> String {
    if out.hasSuffix(".bin") { return out }
    do {
      try FileManager.default.createDirectory(atPath: out, withIntermediateDirectories: true)
    } catch {
      throw .unwritable(path: out, reason: (error as NSError).localizedDescription)
    }
    return out + "/" + name
  }

  private static func sibling(of file: String, named name: String) -> String {
    let folder = (file as NSString).deletingLastPathComponent
    return folder.isEmpty ? name : folder + "/" + name
  }
}
