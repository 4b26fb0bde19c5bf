import NumberFormats

/// llm.c's checkpoints: 256 int32, of which eight are used, then the tensors, all in the version's encoding: `wte`
/// with its rows padded with zeros to a multiple of 128, `wpe`, then by name each tensor of a layer, all layers of one
/// after the other, and `ln_f`. Source: `write_model` in train_gpt2.py, and `gpt2_build_from_checkpoint` in
/// train_gpt2.c, https://github.com/karpathy/llm.c.
extension SequentialFile {
  static let llmcMagic: Int32 = 20_240_326
  private static let llmcFields = 256

  /// Reads version 3 (float32) or 5 (bfloat16). The rows that pad the vocabulary are left alone.
  init(llmc file: Mapping, path: String) throws(ModelError) {
    let header = try Self.header(of: file, count: Self.llmcFields, path: path)
    func refusal(_ field: String, _ found: Int32, _ expected: String) -> ModelError {
      .field(path: path, field: field, found: "\(found)", expected: expected)
    }
    guard header[0] == Self.llmcMagic else { throw refusal("magic", header[0], "\(Self.llmcMagic)") }
    let encodings: [Int32: TensorEncoding] = [3: .float32, 5: .bfloat16]
    guard let encoding = encodings[header[1]] else {
      throw refusal("version", header[1], "3 (float32) or 5 (bfloat16), both with a padded vocabulary")
    }
    let configuration = try Configuration(
      layers: Int(header[4]), heads: Int(header[5]), channels: Int(header[6]), vocabulary: Int(header[3]),
      context: Int(header[2]), source: path)
    let largest = 2 * Configuration.largestDimensions.any
    guard (configuration.vocabulary...largest).contains(Int(header[7])) else {
      throw refusal(
        "padded vocabulary", header[7], "from the vocabulary's \(configuration.vocabulary) to \(largest)")
    }
    self.init(llmc: configuration, encoding, header: header)
  }

  /// A file to be written, in version 3.
  fileprivate init(llmc c: Configuration) {
    let padded = (c.vocabulary + 127) / 128 * 128
    let used = [Int(Self.llmcMagic), 3, c.context, c.vocabulary, c.layers, c.heads, c.channels, padded]
    let unused = [Int32](repeating: 0, count: Self.llmcFields - used.count)
    self.init(llmc: c, .float32, header: used.map(Int32.init) + unused)
  }

  private init(llmc configuration: Configuration, _ encoding: TensorEncoding, header: [Int32]) {
    let ofLayers = LayerParameter.allCases.flatMap { parameter in
      (0..<configuration.layers).map { Configuration.index(of: parameter, layer: $0) }
    }
    let final = configuration.finalNormIndex
    self.init(
      configuration: configuration, encoding: encoding, header: header,
      order: [0, 1] + ofLayers + [final, final + 1],
      vocabularyPadding: Int(header[7]) - configuration.vocabulary)
  }
}

extension Checkpoint {
  /// Writes a checkpoint as llm.c's version 3.
  /// - Throws: `ModelError.unwritable`, also for a model that the format cannot hold.
  public func exportLLMC(to path: String) throws(ModelError) {
    try SequentialFile(llmc: configuration).write(self, as: "llm.c's format", to: path)
  }
}

/// llm.c's `gpt2_tokenizer.bin`: 256 int32 (magic, version, tokens, the id of `<|endoftext|>`), then each token as a
/// byte of length and its bytes. Version 1 does not hold the end of text, and means GPT-2's vocabulary. Source:
/// `write_tokenizer` in train_gpt2.py and `tokenizer_init` in llmc/tokenizer.h, https://github.com/karpathy/llm.c.
public enum LLMCTokenizer {
  public static let fileName = "gpt2_tokenizer.bin"

  fileprivate static let magic = 20_240_328
  fileprivate static let fields = 256
  /// What version 1 leaves out.
  private static let gpt2 = (tokens: 50_257, endOfText: 50_256)

  static func read(_ path: String) throws(ModelError) -> Tokenizer {
    var file = try TokenFile(path)
    let found = try file.integer("magic")
    try file.expect(found == magic, "magic", found: "\(found)", expected: "\(magic)")
    let version = try file.integer("version")
    try file.expect(1...2 ~= version, "version", found: "\(version)", expected: "1 or 2")
    let count = try file.tokenCount()
    try file.expect(
      version == 2 || count == gpt2.tokens, "vocabulary", found: "\(count) tokens",
      expected: "\(gpt2.tokens), which version 1 means")
    let last = try file.integer("end of text")
    let endOfText = version == 1 ? gpt2.endOfText : last
    try file.expect(
      0..<count ~= endOfText, "end of text", found: "\(endOfText)", expected: "an id from 0 to \(count - 1)")
    _ = try file.take(4 * (fields - 4), "the header")
    let vocabulary = try file.tokens(count, of: 1...255) { file, field throws(ModelError) in
      Int(try file.take(1, field)[0])
    }
    return Tokenizer(vocabulary, endOfText: endOfText)
  }
}

extension Tokenizer {
  /// Writes the tokens as llm.c's version 2.
  /// - Throws: `ModelError.unwritable`, also for a vocabulary that the format cannot hold.
  public func exportLLMC(to path: String) throws(ModelError) {
    guard let endOfText else {
      throw .unwritable(
        path: path, reason: "llm.c needs \(Self.endOfTextSpelling), which this vocabulary lacks")
    }
    try requirePlain("llm.c's format", path: path)
    let unused = [Int](repeating: 0, count: LLMCTokenizer.fields - 4)
    var bytes = littleEndian([LLMCTokenizer.magic, 2, vocabularyCount, endOfText] + unused)
    for id in 0..<vocabularyCount {
      let token = vocabulary[id]
      guard let length = UInt8(exactly: token.count), length > 0 else {
        throw .unwritable(
          path: path, reason: "token \(id) has \(token.count) bytes, and llm.c takes 1 to 255")
      }
      bytes.append(length)
      bytes.append(contentsOf: token)
    }
    try ModelFile.write(bytes, to: path)
  }
}
