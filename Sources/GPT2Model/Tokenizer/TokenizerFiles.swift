import Foundation

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

extension Tokenizer {
  /// Loads `vocab.json` and `merges.txt` from a folder, as Hugging Face lays it out.
  /// - Throws: `TokenizerError`.
  public init(folder: String) throws {
    let folder = URL(fileURLWithPath: folder, isDirectory: true)
    try self.init(
      vocabularyFile: folder.appendingPathComponent("vocab.json").path,
      mergesFile: folder.appendingPathComponent("merges.txt").path)
  }

  /// - Throws: `TokenizerError`.
  public init(vocabularyFile: String, mergesFile: String) throws {
    let index = try Self.read(vocabularyFile) {
      try TokenIndex(try VocabularyParser.parse($0, path: vocabularyFile), path: vocabularyFile)
    }
    let merges = try Self.read(mergesFile) { try MergeTable(parsing: $0, index: index, path: mergesFile) }
    self.init(index: index, merges: merges)
  }

  private static func read<Result>(
    _ path: String, _ body: (UnsafeBufferPointer<UInt8>) throws -> Result
  ) throws -> Result {
    guard FileManager.default.fileExists(atPath: path) else { throw TokenizerError.missingFile(path: path) }
    let data: Data
    do {
      data = try Data(contentsOf: URL(fileURLWithPath: path))
    } catch {
      throw TokenizerError.unreadableFile(path: path, reason: error.localizedDescription)
    }
    return try data.withUnsafeBytes { try body($0.bindMemory(to: UInt8.self)) }
  }

  /// Writes `vocab.json` and `merges.txt` into a folder, from which the same tokenizer comes back.
  /// - Throws: `ModelError.unwritable`, also for a vocabulary in which two ids spell the same.
  public func exportHuggingFace(to folder: String) throws(ModelError) {
    let alphabet = ByteAlphabet()
    func spelled(_ id: Int) -> String {
      var text = ""
      for byte in vocabulary[id] { text.unicodeScalars.append(alphabet.scalars[Int(byte)]) }
      return text
    }
    var known: Set<String> = []
    var entries: [String] = []
    for id in 0..<vocabularyCount {
      let token = spelled(id)
      guard known.insert(token).inserted else {
        throw .unwritable(
          path: folder + "/vocab.json",
          reason: "token \(id) spells what a lower id spells, which it cannot hold")
      }
      // The alphabet has no control characters.
      let escaped = token.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
      entries.append("\"\(escaped)\": \(id)")
    }
    try ModelFile.write("{\(entries.joined(separator: ", "))}".utf8, to: folder + "/vocab.json")
    let lines = merges.pairs.map { "\(spelled(Int($0.left))) \(spelled(Int($0.right)))\n" }
    try ModelFile.write(("#version: 0.2\n" + lines.joined()).utf8, to: folder + "/merges.txt")
  }
}
