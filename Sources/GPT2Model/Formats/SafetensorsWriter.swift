import Foundation

/// Writes a model's tensors, all float32, as `.safetensors`.
enum SafetensorsWriter {
  /// - Parameter body: fills the values of `configuration.parameters`, one at a time, in their order.
  static func write(
    _ configuration: Configuration, metadata: [String: String], to path: String,
    filling body: (UnsafeMutableBufferPointer<Float>, Int) -> Void
  ) throws(ModelError) {
    let header = header(of: configuration, metadata: metadata)
    let parameters = configuration.parameters
    let bytes = header.count + configuration.parameterCount * MemoryLayout<Float>.stride
    try NewFile.write(bytes, to: path) { file in
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
    let pairs = metadata.sorted { $0.key < $1.key }.map { "\(quoted($0.key)):\(quoted($0.value))" }
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

  private static func quoted(_ text: String) -> String {
    let escaped = text.unicodeScalars.map { scalar -> String in
      switch scalar {
      case "\"": "\\\""
      case "\\": "\\\\"
      case _ where scalar.value < 0x20:
        "\\u" + String(repeating: "0", count: 4 - String(scalar.value, radix: 16).count)
          + String(scalar.value, radix: 16)
      default: String(scalar)
      }
    }
    return "\"\(escaped.joined())\""
  }
}

extension Checkpoint {
  /// Writes a Hugging Face folder, `config.json` and `model.safetensors`, with tokenizer files copied by the
  /// caller; or, where `path` ends in `.safetensors`, that one file, whose metadata then names what no
  /// tensor shows: `n_head` and `layer_norm_epsilon`.
  public func exportSafetensors(to path: String) throws(ModelError) {
    if path.hasSuffix(".safetensors") {
      try writeSafetensors(to: path)
      return
    }
    do {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
      try writeSafetensors(to: path + "/model.safetensors")
      let json = try JSONSerialization.data(
        withJSONObject: configuration.huggingFaceFields, options: [.prettyPrinted, .sortedKeys])
      try json.write(to: URL(fileURLWithPath: path + "/config.json"), options: .atomic)
    } catch let error as ModelError {
      throw error
    } catch {
      throw .unwritable(path: path, reason: (error as NSError).localizedDescription)
    }
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
