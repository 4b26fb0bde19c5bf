import Files
import Foundation

/// A tensor for a `.safetensors` file.
public struct NewTensor: Equatable, Sendable {
  public enum Numbers: String, Sendable {
    case float32 = "F32"
    case bytes = "U8"
  }

  public let name: String
  public let numbers: Numbers
  public let shape: [Int]

  /// - Parameter name: words and numbers, which JSON needs no escapes for.
  public init(_ name: String, _ numbers: Numbers, shape: [Int]) {
    (self.name, self.numbers, self.shape) = (name, numbers, shape)
  }

  var byteCount: Int { shape.reduce(numbers == .float32 ? MemoryLayout<Float>.stride : 1, *) }
}

enum SafetensorsWriter {
  /// Writes a model's parameters.
  ///
  /// - Parameters:
  ///   - metadata: words and numbers, which JSON needs no escapes for.
  ///   - body: fills the values of `configuration.parameters`, one at a time, in their order.
  static func write(
    _ configuration: Configuration, metadata: [String: String], to path: String,
    filling body: (UnsafeMutableBufferPointer<Float>, Int) -> Void
  ) throws(ModelError) {
    let tensors = configuration.parameters.map { NewTensor($0.name, .float32, shape: $0.shape) }
    try write(tensors, metadata: metadata, to: path) { file, places in
      for (index, place) in places.enumerated() {
        body(UnsafeMutableRawBufferPointer(rebasing: file[place]).bindMemory(to: Float.self), index)
      }
    }
  }

  /// - Parameter body: gets the whole file and each tensor's place in it, which it fills.
  static func write(
    _ tensors: [NewTensor], metadata: [String: String], to path: String,
    filling body: (UnsafeMutableRawBufferPointer, [Range<Int>]) throws(ModelError) -> Void
  ) throws(ModelError) {
    let header = header(of: tensors, metadata: metadata)
    var end = header.count
    var places: [Range<Int>] = []
    for tensor in tensors {
      places.append(end..<end + tensor.byteCount)
      end += tensor.byteCount
    }
    try ModelFile.write(end, to: path) { file throws(ModelError) in
      file.copyBytes(from: header)
      try body(file, places)
    }
  }

  /// The length and the JSON, padded with spaces so that the data begins at a multiple of 64 bytes.
  private static func header(of tensors: [NewTensor], metadata: [String: String]) -> [UInt8] {
    var fields: [String] = []
    let pairs = metadata.sorted { $0.key < $1.key }.map { "\"\($0.key)\":\"\($0.value)\"" }
    fields.append("\"__metadata__\":{\(pairs.joined(separator: ","))}")
    var offset = 0
    for tensor in tensors {
      let end = offset + tensor.byteCount
      let shape = tensor.shape.map(String.init).joined(separator: ",")
      fields.append(
        "\"\(tensor.name)\":{\"dtype\":\"\(tensor.numbers.rawValue)\",\"shape\":[\(shape)],"
          + "\"data_offsets\":[\(offset),\(end)]}")
      offset = end
    }
    var json = Array("{\(fields.joined(separator: ","))}".utf8)
    while (json.count + 8) % 64 != 0 { json.append(UInt8(ascii: " ")) }
    return withUnsafeBytes(of: UInt64(json.count).littleEndian, Array.init) + json
  }
}

extension Configuration {
  /// What no tensor of a file shows.
  var safetensorsMetadata: [String: String] {
    ["format": "pt", "n_head": "\(heads)", "layer_norm_epsilon": "\(layerNormEpsilon)"]
  }

  /// Writes a Hugging Face folder, `config.json` and `model.safetensors`, without a tokenizer; or, where `path` ends
  /// in `.safetensors`, that file, whose metadata names what no tensor shows: `n_head` and `layer_norm_epsilon`.
  ///
  /// - Parameters:
  ///   - ends: the tokens that end a text, for `config.json`.
  ///   - body: fills the values of `parameters`, one at a time, in their order, each row-major in its shape.
  public func exportSafetensors(
    to path: String, ends: Set<Int> = [], filling body: (UnsafeMutableBufferPointer<Float>, Int) -> Void
  ) throws(ModelError) {
    guard !path.hasSuffix(".safetensors") else {
      return try SafetensorsWriter.write(self, metadata: safetensorsMetadata, to: path, filling: body)
    }
    var fields = huggingFaceFields
    if let only = ends.first, ends.count == 1 {
      fields["eos_token_id"] = only
      // GPT-2 begins a text with what ends one. The id that transformers takes else is not in a small vocabulary.
      fields["bos_token_id"] = only
    } else if !ends.isEmpty {
      fields["eos_token_id"] = ends.sorted()
    }
    let config: Data
    do {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
      config = try JSONSerialization.data(
        withJSONObject: fields, options: [.prettyPrinted, .sortedKeys])
    } catch {
      throw .unwritable(path: path, reason: systemReason(of: error))
    }
    try SafetensorsWriter.write(
      self, metadata: safetensorsMetadata, to: path + "/model.safetensors", filling: body)
    try ModelFile.write(config, to: path + "/config.json")
  }
}

extension Checkpoint {
  /// Writes the weights; as `Configuration.exportSafetensors(to:ends:filling:)`.
  public func exportSafetensors(to path: String, ends: Set<Int> = []) throws(ModelError) {
    try configuration.exportSafetensors(to: path, ends: ends) { target, index in
      read(index, into: target, order: .inputsFirst)
    }
  }
}
