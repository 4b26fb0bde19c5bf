import Files
import Foundation

public enum TokenizerLocation: Equatable, Sendable {
  /// `tokenizer.json`, or `vocab.json` and `merges.txt`, in a folder, with what lies beside them.
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
    case .huggingFace(let folder): HuggingFaceTokenizer(folder).mainFile
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

  /// The model's tokenizer; nil where none lies with it. Ids that the model has and the tokenizer lacks stand for no
  /// text. Its ends are the model's, where the model's files name some.
  ///
  /// - Throws: `TokenizerError` or `ModelError`, also where its ids go beyond the model's: then text would become ids
  ///   that the model has not.
  public func tokenizer(for configuration: Configuration) throws -> Tokenizer? {
    guard let location = tokenizerLocation else { return nil }
    var tokenizer = try location.load()
    guard tokenizer.vocabularyCount <= configuration.vocabulary else {
      throw ModelError.malformed(
        path: location.path,
        problem: "found \(tokenizer.vocabularyCount) tokens, expected at most the model's vocabulary of "
          + "\(configuration.vocabulary)")
    }
    tokenizer.vocabulary.idCount = configuration.vocabulary
    let ends = try endTokens(for: configuration)
    if !ends.isEmpty { tokenizer.ends = ends }
    return tokenizer
  }

  /// The tokens that end a text, as Hugging Face's files beside the weights name them: `eos_token_id` of
  /// `generation_config.json`, else of `config.json`; a number or a list. Empty where neither names a token that the
  /// model has; then the tokenizer says.
  ///
  /// - Throws: `ModelError`.
  public func endTokens(for configuration: Configuration) throws(ModelError) -> Set<Int> {
    let folder: String
    switch self {
    case .folder(let path):
      guard ModelFolder.gguf(in: path) == nil else { return [] }
      folder = path
    case .file(let path, .safetensors), .file(let path, .safetensorsIndex):
      folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
    case .synthetic, .file: return []
    }
    for name in ["generation_config.json", "config.json"] {
      let ids = try JSONFields(pathIfThere: folder + "/" + name)?.integers("eos_token_id") ?? []
      let known = ids.filter { 0..<configuration.vocabulary ~= $0 }
      if !known.isEmpty { return Set(known) }
    }
    return []
  }
}

extension Tokenizer {
  /// Loads what Hugging Face's files in a folder say: `tokenizer.json`, or `vocab.json` and `merges.txt`, and the files
  /// beside them that name added tokens. See weights/README.md.
  /// - Throws: `TokenizerError` or `ModelError`.
  public init(folder: String) throws { self = try HuggingFaceTokenizer(folder).load() }

  /// Loads two files, without what may lie beside them.
  /// - Throws: `TokenizerError`.
  public init(vocabularyFile: String, mergesFile: String) throws {
    let (index, merges) = try Self.parts(vocabularyFile: vocabularyFile, mergesFile: mergesFile)
    self.init(index, merges)
  }

  /// A vocabulary with `<|endoftext|>` as the only special token, where it has that.
  init(_ index: TokenIndex, _ merges: MergeTable) {
    var rules = TextRules(endOfText: index.id(of: Self.endOfTextSpelling))
    if let endOfText = rules.endOfText {
      rules.added.add(
        [AddedToken(content: Self.endOfTextSpelling, isSpecial: true, isNormalized: true)],
        known: { _ in endOfText }, count: index.count)
    }
    self.init(index: index, merges: merges, rules: rules)
  }

  static func parts(vocabularyFile: String, mergesFile: String) throws -> (TokenIndex, MergeTable) {
    let index = try read(vocabularyFile) { text in
      var cursor = try JSONCursor(text, path: vocabularyFile)
      let entries = try TokenEntries(&cursor)
      try cursor.end()
      return try TokenIndex(entries, path: vocabularyFile)
    }
    return (index, try read(mergesFile) { try MergeTable(parsing: $0, index: index, path: mergesFile) })
  }

  static func read<Result>(
    _ path: String, _ body: (UnsafeBufferPointer<UInt8>) throws -> Result
  ) throws -> Result {
    guard FileManager.default.fileExists(atPath: path) else { throw TokenizerError.missingFile(path: path) }
    guard !ModelFile.isOther(path) else {
      throw TokenizerError.unreadableFile(path: path, reason: ModelFile.notAFile)
    }
    let data: Data
    do {
      data = try Data(contentsOf: URL(fileURLWithPath: path))
    } catch {
      throw TokenizerError.unreadableFile(path: path, reason: systemReason(of: error))
    }
    return try data.withUnsafeBytes { try body($0.bindMemory(to: UInt8.self)) }
  }
}
