import Foundation

extension Checkpoint {
  /// Opens a Hugging Face folder: `config.json` and `model.safetensors`.
  public convenience init(folder: String) throws(ModelError) {
    let configuration = try Configuration(huggingFace: folder + "/config.json")
    try self.init(
      safetensors: folder + "/model.safetensors", configuration: configuration, name: folder)
  }

  /// Opens a bare `.safetensors` file. Its shape comes from a `config.json` beside it where there is one,
  /// otherwise from the tensors themselves; the number of heads, which no tensor shows, is then the file's
  /// metadata `n_head`, or one head for each 64 channels, as in every released GPT-2. A file with a matrix of its
  /// own for the logits is not tied.
  public convenience init(safetensors path: String) throws(ModelError) {
    let sibling = URL(fileURLWithPath: path).deletingLastPathComponent().appendingPathComponent("config.json")
    if FileManager.default.fileExists(atPath: sibling.path) {
      let configuration = try Configuration(huggingFace: sibling.path)
      try self.init(safetensors: path, configuration: configuration, name: path)
    } else {
      try self.init(safetensors: path, configuration: nil, name: path)
    }
  }

  /// - Parameter given: the shape that the file must have; nil to take it from the file.
  convenience init(
    safetensors path: String, configuration given: Configuration?, name: String
  ) throws(ModelError) {
    var mapping = try Mapping(readingFile: path)
    let bytes = UnsafeRawBufferPointer(start: mapping.base, count: mapping.count)
    let header = try SafetensorsHeader(file: bytes, path: path)
    let configuration: Configuration
    if let given { configuration = given } else { configuration = try header.inferConfiguration(path: path) }
    let dataOffsets = try header.offsets(of: configuration, path: path)
    var dataStart = header.dataStart
    var file: String? = path
    let isAligned = dataOffsets.allSatisfy { (dataStart + $0) % MemoryLayout<Float>.alignment == 0 }
    if !isAligned {
      guard dataOffsets.allSatisfy({ $0 % MemoryLayout<Float>.alignment == 0 }) else {
        throw .malformed(path: path, problem: "a float32 tensor does not begin at a multiple of 4 bytes")
      }
      let copy = try Mapping(anonymousBytes: mapping.count - dataStart)
      copy.base.copyMemory(from: mapping.base + dataStart, byteCount: mapping.count - dataStart)
      mapping = copy
      dataStart = 0
      file = nil
    }
    self.init(
      name: name, configuration: configuration, path: file, mapping: mapping,
      offsets: dataOffsets.map { dataStart + $0 })
  }
}

extension SafetensorsHeader {
  /// An entry under its own name or under `transformer.`'s.
  private func find(_ name: String) -> Entry? { entries[name] ?? entries["transformer." + name] }

  /// Where each parameter's data begins in the data section; tensors that GPT-2 does not have are ignored.
  fileprivate func offsets(
    of configuration: Configuration, path: String
  ) throws(ModelError) -> [Int] {
    var offsets: [Int] = []
    for parameter in configuration.parameters {
      guard let entry = find(parameter.name) else {
        throw .missingTensor(path: path, name: parameter.name)
      }
      guard entry.dtype == "F32" else {
        throw .tensor(
          path: path, name: parameter.name, property: "dtype", found: entry.dtype, expected: "F32")
      }
      guard entry.shape == parameter.shape else {
        throw .tensor(
          path: path, name: parameter.name, property: "shape", found: "\(entry.shape)",
          expected: "\(parameter.shape)")
      }
      offsets.append(entry.offsets.lowerBound)
    }
    if find("h.\(configuration.layers).ln_1.weight") != nil {
      throw .tensor(
        path: path, name: "h.\(configuration.layers).ln_1.weight", property: "its layer",
        found: "\(configuration.layers)", expected: "below the configuration's \(configuration.layers) layers"
      )
    }
    return offsets
  }

  fileprivate func inferConfiguration(path: String) throws(ModelError) -> Configuration {
    func matrix(_ name: String) throws(ModelError) -> [Int] {
      guard let entry = find(name) else { throw .missingTensor(path: path, name: name) }
      guard entry.shape.count == 2 else {
        throw .tensor(
          path: path, name: name, property: "shape", found: "\(entry.shape)", expected: "two dimensions")
      }
      return entry.shape
    }
    let tokens = try matrix("wte.weight")
    let positions = try matrix("wpe.weight")
    var layers = 0
    while find("h.\(layers).ln_1.weight") != nil { layers += 1 }
    let channels = tokens[1]
    let heads: Int
    if let text = metadata["n_head"] {
      guard let number = Int(text) else {
        throw .field(path: path, field: "__metadata__.n_head", found: text, expected: "a whole number")
      }
      heads = number
    } else {
      guard channels > 0, channels % 64 == 0 else {
        throw .field(
          path: path, field: "number of heads", found: "unknown for \(channels) channels",
          expected: "n_head in the metadata or a config.json beside the file")
      }
      heads = channels / 64
    }
    let epsilonText = metadata["layer_norm_epsilon"] ?? "1e-5"
    guard let epsilon = Float(epsilonText) else {
      throw .field(
        path: path, field: "__metadata__.layer_norm_epsilon", found: epsilonText, expected: "a number")
    }
    return try Configuration(
      layers: layers, heads: heads, channels: channels, vocabulary: tokens[0], context: positions[0],
      layerNormEpsilon: epsilon, tiesEmbeddings: find("lm_head.weight") == nil, source: path)
  }
}
