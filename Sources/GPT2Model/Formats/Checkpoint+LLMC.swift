import Foundation

/// The header of llm.c's checkpoints: 256 int32, of which eight are used.
///
/// Behind it lie the tensors, all in the version's encoding: `wte` with its rows padded with zeros to a multiple of
/// 128, `wpe`, then by name each tensor of a layer, all layers of one behind the other, and `ln_f`. Linear weights are
/// (out, in). Source: `write_model` in train_gpt2.py, and `gpt2_build_from_checkpoint` in train_gpt2.c,
/// https://github.com/karpathy/llm.c.
struct LLMCHeader {
  static let magic: Int32 = 20_240_326
  static let count = 256
  /// To a multiple of how many the vocabulary is padded.
  static let vocabularyMultiple = 128

  let configuration: Configuration
  let encoding: TensorEncoding
  let paddedVocabulary: Int

  init(_ file: Mapping, path: String) throws(ModelError) {
    let header = try IntegerHeader(file, count: Self.count, path: path)
    try header.expect(header[0] == Self.magic, "magic", header[0], "\(Self.magic)")
    switch header[1] {
    case 3: encoding = .float32
    case 5: encoding = .bfloat16
    default:
      throw header.refusal("version", header[1], "3 (float32) or 5 (bfloat16), both with a padded vocabulary")
    }
    configuration = try Configuration(
      layers: Int(header[4]), heads: Int(header[5]), channels: Int(header[6]), vocabulary: Int(header[3]),
      context: Int(header[2]), source: path)
    paddedVocabulary = Int(header[7])
    let largest = 2 * Configuration.largestDimensions.any
    try header.expect(
      (configuration.vocabulary...largest).contains(paddedVocabulary), "padded vocabulary", header[7],
      "from the vocabulary's \(configuration.vocabulary) to \(largest)")
  }

  /// Of a file to be written.
  init(_ configuration: Configuration) {
    self.configuration = configuration
    encoding = .float32
    let multiple = Self.vocabularyMultiple
    paddedVocabulary = (configuration.vocabulary + multiple - 1) / multiple * multiple
  }

  var fields: [Int32] {
    let c = configuration
    let used = [Int(Self.magic), 3, c.context, c.vocabulary, c.layers, c.heads, c.channels, paddedVocabulary]
    return used.map(Int32.init) + [Int32](repeating: 0, count: Self.count - used.count)
  }

  var layout: SequentialLayout {
    let ofLayers = LayerParameter.allCases.flatMap { parameter in
      (0..<configuration.layers).map { Configuration.index(of: parameter, layer: $0) }
    }
    let final = configuration.finalNormIndex
    return SequentialLayout(
      of: configuration, order: [0, 1] + ofLayers + [final, final + 1],
      vocabularyPadding: paddedVocabulary - configuration.vocabulary)
  }
}

extension Checkpoint {
  /// Opens a checkpoint of llm.c's, version 3 (float32) or 5 (bfloat16). The rows that pad the vocabulary are left
  /// alone.
  convenience init(llmc path: String, name: String) throws(ModelError) {
    let mapping = try Mapping(readingFile: path)
    let header = try LLMCHeader(mapping, path: path)
    let start = LLMCHeader.count * MemoryLayout<Int32>.stride
    self.init(
      name: name, configuration: header.configuration, files: [path],
      tensors: try header.layout.tensors(
        in: mapping, from: start, header.encoding, of: header.configuration, path: path))
  }

  /// Writes a checkpoint as llm.c's version 3.
  ///
  /// - Throws: `ModelError.unwritable`, also for a model that the format cannot hold.
  public func exportLLMC(to path: String) throws(ModelError) {
    try refuseUnlessPlain(for: "llm.c's format", at: path)
    let header = LLMCHeader(configuration)
    try write(header.layout, header: header.fields, to: path)
  }
}
