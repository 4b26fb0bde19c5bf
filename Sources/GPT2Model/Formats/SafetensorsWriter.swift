import Foundation

/// Writes a model's tensors, all float32, as `.safetensors`.
enum SafetensorsWriter {
  /// - Parameters:
  ///   - metadata: words and numbers, which JSON needs no escapes for.
  ///   - body: fills the values of `configuration.parameters`, one at a time, in their order.
  static func write(
    _ configuration: Configuration, metadata: [String: String], to path: String,
    filling body: (UnsafeMutableBufferPointer<Float>, Int) -> Void
  ) throws(ModelError) {
    let header = header(of: configuration, metadata: metadata)
    let parameters = configuration.parameters
    let bytes = header.count + configuration.parameterCount * MemoryLayout<Float>.stride
    try ModelFile.write(bytes, to: path) { file in
      file.copyBytes(from: header)
      var offset = header.count
      for (index, parameter) in parameters.enumerated() {
        let end = offset + parameter.count * MemoryLayout<Float>.stride
        body(UnsafeMutableRawBufferPointer(rebasing: file[offset..<end]).bindMemory(to: Float.self), index)
        offset = end
      }
    }
  }

  /// The length and the JSON, padded with spaces so that the data begins at a multiple of 64 bytes.
  private static func header(of configuration: Configuration, metadata: [String: String]) -> [UInt8] {
    var fields: [String] = []
    let pairs = metadata.sorted { $0.key < $1.key }.map { "\"\($0.key)\":\"\($0.value)\"" }
    fields.append("\"__metadata__\":{\(pairs.joined(separator: ","))}")
    var offset = 0
    for parameter in configuration.parameters {
      let end = offset + parameter.count * MemoryLayout<Float>.stride
      let shape = parameter.shape.map(String.init).joined(separator: ",")
      fields.append(
        "\"\(parameter.name)\":{\"dtype\":\"F32\",\"shape\":[\(shape)],\"data_offsets\":[\(offset),\(end)]}")
      offset = end
    }
    var json = Array("{\(fields.joined(separator: ","))}".utf8)
    while (json.count + 8) % 64 != 0 { json.append(UInt8(ascii: " ")) }
    return withUnsafeBytes(of: UInt64(json.count).littleEndian, Array.init) + json
  }
}

extension Checkpoint {
  /// Writes a Hugging Face folder, `config.json` and `model.safetensors`, with tokenizer files copied by the
  /// caller; or, where `path` ends in `.safetensors`, that one file, whose metadata then names what no
  /// tensor shows: `n_head` and `layer_norm_epsilon`.
  public func exportSafetensors(to path: String) throws(ModelError) {
    if path.hasSuffix(".safetensors") {
      return try writeSafetensors(to: path)
    }
    let config: Data
    do {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
      config = try JSONSerialization.data(
        withJSONObject: configuration.huggingFaceFields, options: [.prettyPrinted, .sortedKeys])
    } catch {
      throw .unwritable(path: path, reason: (error as NSError).localizedDescription)
    }
    try writeSafetensors(to: path + "/model.safetensors")
    try ModelFile.write(config, to: path + "/config.json")
  }

  private func writeSafetensors(to path: String) throws(ModelError) {
    let metadata = [
      "format": "pt", "n_head": "\(configuration.heads)",
      "layer_norm_epsilon": "\(configuration.layerNormEpsilon)",
    ]
    try SafetensorsWriter.write(configuration, metadata: metadata, to: path) { target, index in
      read(index, into: target, order: .inputsFirst)
    }
  }
}
