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
      let weights = try Self.file(out, named: Self.llmcName(checkpoint.configuration))
      let vocabulary = Self.sibling(of: weights, named: LLMCTokenizer.fileName)
      let tokenizer = try source.tokenizer(for: checkpoint.configuration)
      // First what may be refused: half a gigabyte of weights without their vocabulary helps nobody.
      try tokenizer?.exportLLMC(to: vocabulary)
      try checkpoint.exportLLMC(to: weights)
      return [weights] + (tokenizer == nil ? [] : [vocabulary])
    case .seed:
      let weights = try Self.file(out, named: "model.bin")
      let vocabulary = Self.sibling(of: weights, named: SeedVocabulary.fileName)
      let tokenizer = try source.tokenizer(for: checkpoint.configuration)
      try tokenizer?.exportSeed(to: vocabulary)
      try checkpoint.exportSeed(to: weights)
      return [weights] + (tokenizer == nil ? [] : [vocabulary])
    }
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
