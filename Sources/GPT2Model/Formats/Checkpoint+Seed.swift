import Foundation

/// The header of the seed format: five int32, layers, heads, channels, vocabulary and context.
///
/// Behind it lie float32 tensors with nothing between: `wte`, `wpe`, of each layer `ln_1` weight and bias, `c_attn`,
/// `c_proj`, `ln_2`, `c_fc` and the MLP's `c_proj`, and `ln_f`. Linear weights are (out, in), the transpose of what
/// Hugging Face's `Conv1D` holds: so the public converters of this header write them (a `model.bin` with a `vocab.bin`
/// beside it, `struct.pack("iiiii", n_layer, n_head, n_embd, vocab_size, n_positions)`).
enum SeedHeader {
  static let count = 5
  static let start = count * MemoryLayout<Int32>.stride

  static func configuration(of file: Mapping, path: String) throws(ModelError) -> Configuration {
    let header = try IntegerHeader(file, count: count, path: path)
    return try Configuration(
      layers: Int(header[0]), heads: Int(header[1]), channels: Int(header[2]), vocabulary: Int(header[3]),
      context: Int(header[4]), source: path)
  }

  static func layout(of configuration: Configuration) -> SequentialLayout {
    SequentialLayout(of: configuration, order: configuration.parameters.indices)
  }

  static func fields(_ c: Configuration) -> [Int32] {
    [c.layers, c.heads, c.channels, c.vocabulary, c.context].map(Int32.init)
  }

  /// Whether a file without a mark begins with a GPT-2's shape.
  static func isPlausible(_ file: Mapping) -> Bool { (try? configuration(of: file, path: "")) != nil }
}

extension Checkpoint {
  /// Opens a seed `model.bin`.
  convenience init(seed path: String, name: String) throws(ModelError) {
    let mapping = try Mapping(readingFile: path)
    let configuration = try SeedHeader.configuration(of: mapping, path: path)
    self.init(
      name: name, configuration: configuration, files: [path],
      tensors: try SeedHeader.layout(of: configuration).tensors(
        in: mapping, from: SeedHeader.start, .float32, of: configuration, path: path))
  }

  /// Writes a checkpoint as a seed `model.bin`.
  ///
  /// - Throws: `ModelError.unwritable`, also for a model that the format cannot hold.
  public func exportSeed(to path: String) throws(ModelError) {
    try refuseUnlessPlain(for: "the seed format", at: path)
    try write(SeedHeader.layout(of: configuration), header: SeedHeader.fields(configuration), to: path)
  }
}
