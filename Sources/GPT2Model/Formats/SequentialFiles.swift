import Foundation
import NumberFormats

/// A file that begins with little-endian int32 and then has the tensors one after the other, linear weights (out, in):
/// llm.c's checkpoints and the seed format's.
struct SequentialFile {
  let configuration: Configuration
  var encoding = TensorEncoding.float32
  /// All of the int32 before the first tensor.
  let header: [Int32]
  /// Every number of `configuration.parameters`, as the file has them.
  let order: [Int]
  /// Rows of zeros after the token embedding.
  var vocabularyPadding = 0

  /// - Throws: `ModelError.malformed` for a file that is shorter.
  static func header(of file: Mapping, count: Int, path: String) throws(ModelError) -> [Int32] {
    let bytes = count * MemoryLayout<Int32>.stride
    guard file.count >= bytes else {
      throw .malformed(
        path: path,
        problem: "truncated: \(file.count) bytes, expected a header of \(count) int32, \(bytes) bytes")
    }
    return (0..<count).map {
      Int32(littleEndian: file.bytes.loadUnaligned(fromByteOffset: 4 * $0, as: Int32.self))
    }
  }

  /// Of each of `configuration.parameters`, where its first value lies; and the number of all values, with padding.
  private var layout: (places: [Int], count: Int) {
    let parameters = configuration.parameters
    var places = [Int](repeating: 0, count: parameters.count)
    var next = 0
    for index in order {
      places[index] = next
      next += parameters[index].count + (index == 0 ? vocabularyPadding * configuration.channels : 0)
    }
    return (places, next)
  }

  /// Where the tensors lie.
  /// - Throws: `ModelError.field` for a file that is shorter or longer than its header says.
  func tensors(in mapping: Mapping, path: String) throws(ModelError) -> [StoredTensor] {
    let start = header.count * MemoryLayout<Int32>.stride
    let layout = layout
    let size = start + encoding.bytes(of: layout.count)
    guard mapping.count == size else {
      let c = configuration
      throw .field(
        path: path, field: "size", found: "\(mapping.count) bytes",
        expected: "\(size) for a header of \(c.layers) layers, \(c.heads) heads, \(c.channels) channels, "
          + "vocabulary \(c.vocabulary), context \(c.context)")
    }
    return zip(layout.places, configuration.parameters).map { place, parameter in
      StoredTensor(
        mapping: mapping, offset: start + encoding.bytes(of: place), encoding: encoding,
        order: parameter.role == .linearWeight ? .outputsFirst : .inputsFirst)
    }
  }

  /// Writes the header and all tensors of a checkpoint in float32.
  /// - Throws: `ModelError.unwritable`, also for a model that needs a field which these headers do not have.
  func write(_ checkpoint: Checkpoint, as format: String, to path: String) throws(ModelError) {
    let (epsilon, usual) = (configuration.layerNormEpsilon, Configuration.defaultEpsilon)
    guard configuration.tiesEmbeddings, epsilon == usual else {
      let missing =
        configuration.tiesEmbeddings
        ? "field for layer_norm_epsilon, so it means \(usual), and this model's is \(epsilon)"
        : "room for a matrix of the logits' own, and this model has one"
      throw .unwritable(path: path, reason: "\(format) has no \(missing)")
    }
    let start = header.count * MemoryLayout<Int32>.stride
    let layout = layout
    let parameters = configuration.parameters
    try ModelFile.write(start + layout.count * MemoryLayout<Float>.stride, to: path) { file in
      header.withUnsafeBytes { file.copyMemory(from: $0) }
      let values = UnsafeMutableRawBufferPointer(rebasing: file[start...]).bindMemory(to: Float.self)
      for (index, (place, parameter)) in zip(layout.places, parameters).enumerated() {
        let target = UnsafeMutableBufferPointer(rebasing: values[place..<place + parameter.count])
        checkpoint.read(index, into: target, order: .outputsFirst)
      }
    }
  }
}

extension Checkpoint {
  /// - Parameter read: the header of a file that lies at the path.
  convenience init(
    sequential path: String, name: String, _ read: (Mapping, String) throws(ModelError) -> SequentialFile
  ) throws(ModelError) {
    let mapping = try Mapping(readingFile: path)
    let file = try read(mapping, path)
    self.init(
      name: name, configuration: file.configuration, files: [path],
      tensors: try file.tensors(in: mapping, path: path))
  }
}

/// Reads a file of tokens: integers, then the tokens one after the other, each after its length.
struct TokenFile: FileReader {
  let path: String
  private let data: Data
  private var position = 0

  init(_ path: String) throws(ModelError) {
    data = try ModelFile.read(path)
    self.path = path
  }

  /// The next int32, little-endian.
  mutating func integer(_ field: String) throws(ModelError) -> Int {
    Int(Int32(truncatingIfNeeded: try take(4, field).reversed().reduce(0) { $0 << 8 | Int64($1) }))
  }

  mutating func take(_ count: Int, _ field: String) throws(ModelError) -> [UInt8] {
    guard count <= data.count - position else {
      throw .malformed(
        path: path,
        problem: "truncated: \(field) needs \(count) bytes at \(position), and the file has \(data.count)")
    }
    defer { position += count }
    return [UInt8](data[position..<position + count])
  }

  /// The number of tokens, which must be one that fits a model and the file.
  mutating func tokenCount() throws(ModelError) -> Int {
    let count = try integer("vocabulary")
    let limit = Configuration.largestDimensions.any
    try expect(1...limit ~= count, "vocabulary", found: "\(count)", expected: "1 to \(limit) tokens")
    return count
  }

  /// The file's last part: `count` tokens, the length of each read by `length`, which must lie in `lengths`.
  mutating func tokens(
    _ count: Int, of lengths: ClosedRange<Int>, _ length: (inout TokenFile, String) throws(ModelError) -> Int
  ) throws(ModelError) -> Vocabulary {
    var vocabulary = Vocabulary()
    for id in 0..<count {
      let field = "the length of token \(id)"
      let found = try length(&self, field)
      try expect(
        lengths ~= found, field, found: "\(found)", expected: "\(lengths.lowerBound) to \(lengths.upperBound)"
      )
      vocabulary.append(try take(found, "token \(id)"))
    }
    try expect(
      position == data.count, "size", found: "\(data.count) bytes",
      expected: "\(position), where the last token ends")
    return vocabulary
  }
}

/// Of each number as int32.
func littleEndian(_ numbers: [Int]) -> [UInt8] {
  numbers.flatMap { withUnsafeBytes(of: Int32($0).littleEndian, Array.init) }
}

/// The seed format: five int32, layers, heads, channels, vocabulary and context, then float32 tensors with nothing
/// between: `wte`, `wpe`, of each layer `ln_1` weight and bias, `c_attn`, `c_proj`, `ln_2`, `c_fc` and the MLP's
/// `c_proj`, and `ln_f`. Linear weights are (out, in), as the public converters of this header write them (a
/// `model.bin` with a `vocab.bin`, `struct.pack("iiiii", n_layer, n_head, n_embd, vocab_size, n_positions)`).
extension SequentialFile {
  init(seed file: Mapping, path: String) throws(ModelError) {
    let header = try Self.header(of: file, count: 5, path: path)
    self.init(
      seed: try Configuration(
        layers: Int(header[0]), heads: Int(header[1]), channels: Int(header[2]), vocabulary: Int(header[3]),
        context: Int(header[4]), source: path))
  }

  fileprivate init(seed c: Configuration) {
    self.init(
      configuration: c, header: [c.layers, c.heads, c.channels, c.vocabulary, c.context].map(Int32.init),
      order: Array(c.parameters.indices))
  }
}

extension Checkpoint {
  /// Writes a checkpoint as a seed `model.bin`.
  /// - Throws: `ModelError.unwritable`, also for a model that the format cannot hold.
  public func exportSeed(to path: String) throws(ModelError) {
    try SequentialFile(seed: configuration).write(self, as: "the seed format", to: path)
  }
}

/// The seed format's vocabulary, `vocab.bin` beside `model.bin`: an int32, the number of tokens, then each token as an
/// int32 of length and its bytes. An id without a token has length 0. The end of text is the token that spells it.
public enum SeedVocabulary {
  public static let fileName = "vocab.bin"

  /// The longest token that is believed; GPT-2's longest has 128 bytes.
  private static let longestToken = 1024

  static func read(_ path: String) throws(ModelError) -> Tokenizer {
    var file = try TokenFile(path)
    let vocabulary = try file.tokens(file.tokenCount(), of: 0...longestToken) {
      file, field throws(ModelError) in
      try file.integer(field)
    }
    return Tokenizer(vocabulary, endOfText: vocabulary.id(of: Tokenizer.endOfTextSpelling.utf8))
  }
}

extension Tokenizer {
  public func exportSeed(to path: String) throws(ModelError) {
    try requirePlain("the seed format", path: path)
    var bytes = littleEndian([vocabularyCount])
    for id in 0..<vocabularyCount {
      bytes += littleEndian([vocabulary[id].count])
      bytes += vocabulary[id]
    }
    try ModelFile.write(bytes, to: path)
  }
}
