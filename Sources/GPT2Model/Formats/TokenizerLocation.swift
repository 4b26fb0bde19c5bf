import Foundation

/// Where a model's tokenizer lies.
public enum TokenizerLocation: Equatable, Sendable {
  /// `vocab.json` and `merges.txt` in a folder.
  case huggingFace(folder: String)
  /// llm.c's `gpt2_tokenizer.bin`.
  case llmc(String)
  /// The seed format's `vocab.bin`.
  case seed(String)
  /// Within a GGUF file of weights.
  case gguf(String)

  /// - Throws: `TokenizerError` or `ModelError`.
  public func load() throws -> Tokenizer {
    switch self {
    case .huggingFace(let folder): try Tokenizer(folder: folder)
    case .llmc(let path): try LLMCTokenizer.read(path)
    case .seed(let path): try SeedVocabulary.read(path)
    case .gguf(let path): try Tokenizer(gguf: path)
    }
  }

  /// The file that must be there.
  public var path: String {
    switch self {
    case .huggingFace(let folder): folder + "/vocab.json"
    case .llmc(let path), .seed(let path), .gguf(let path): path
    }
  }

  /// What may lie in a folder, first the one that belongs to weights of that format.
  static func candidates(in folder: String, for format: WeightsFormat?) -> [TokenizerLocation] {
    let own = Self.huggingFace(folder: folder)
    let llmc = Self.llmc(folder + "/" + LLMCTokenizer.fileName)
    let seed = Self.seed(folder + "/" + SeedVocabulary.fileName)
    return switch format {
    case .llmc: [llmc, own, seed]
    case .seed: [seed, own, llmc]
    case .safetensors, .safetensorsIndex, .gguf, .pytorch, nil: [own, llmc, seed]
    }
  }

  /// A GGUF file's own, unless it was written without one.
  fileprivate static func within(_ path: String) -> [TokenizerLocation] {
    GGUFHeader.lacksTokenizer(path) ? [] : [.gguf(path)]
  }
}

extension ModelSource {
  /// Where the model's tokenizer lies; nil where there is none, as for synthetic models.
  public var tokenizerLocation: TokenizerLocation? {
    let candidates: [TokenizerLocation] =
      switch self {
      case .synthetic: []
      case .folder(let folder):
        TokenizerLocation.candidates(in: folder, for: nil)
          + (ModelFolder.gguf(in: folder).map(TokenizerLocation.within) ?? [])
      case .file(let path, let format):
        (format == .gguf ? TokenizerLocation.within(path) : [])
          + TokenizerLocation.candidates(
            in: URL(fileURLWithPath: path).deletingLastPathComponent().path, for: format)
      }
    return candidates.first { FileManager.default.fileExists(atPath: $0.path) }
  }

  /// The model's tokenizer; nil where none lies with it.
  ///
  /// - Throws: `TokenizerError` or `ModelError`, also where its ids go beyond the model's: then text would become ids
  ///   that the model has not.
  public func tokenizer(for configuration: Configuration) throws -> Tokenizer? {
    guard let location = tokenizerLocation else { return nil }
    let tokenizer = try location.load()
    guard tokenizer.vocabularyCount <= configuration.vocabulary else {
      throw ModelError.malformed(
        path: location.path,
        problem: "found \(tokenizer.vocabularyCount) tokens, expected at most the model's vocabulary of "
          + "\(configuration.vocabulary)")
    }
    return tokenizer
  }
}
