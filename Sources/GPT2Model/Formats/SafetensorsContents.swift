import Foundation

/// The tensors of one `.safetensors` file, or of the several that a `model.safetensors.index.json` names: an object
/// whose `weight_map` goes from tensor names to the names of files beside it.
struct SafetensorsContents {
  struct Place {
    let file: String
    let mapping: Mapping
    /// Bytes from the start of the file.
    let offset: Int
    let entry: SafetensorsHeader.Entry
  }

  /// The file, or the index.
  let path: String
  let files: [String]
  private(set) var metadata: [String: String] = [:]
  private var places: [String: Place] = [:]

  init(file path: String) throws(ModelError) {
    self.path = path
    files = [path]
    try add(path) { _ in true }
  }

  init(index path: String) throws(ModelError) {
    self.path = path
    let data: Data
    do { data = try Data(contentsOf: URL(fileURLWithPath: path)) } catch {
      throw .unreadable(path: path, reason: "no such file, or it may not be read")
    }
    let object = try? JSONSerialization.jsonObject(with: data) as? [String: Any]
    guard let map = object?["weight_map"] as? [String: String], !map.isEmpty else {
      throw .field(
        path: path, field: "weight_map", found: "nothing",
        expected: "an object from tensor names to file names")
    }
    let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
    let names = Set(map.values).sorted()
    if let name = names.first(where: { $0.contains("/") || !$0.hasSuffix(".safetensors") }) {
      throw .field(
        path: path, field: "weight_map", found: name, expected: "names of .safetensors files beside the index"
      )
    }
    files = names.map { folder + "/" + $0 }
    for (name, file) in zip(names, files) {
      try add(file) { map[$0] == name }
    }
    if let (name, file) = map.first(where: { places[$0.key] == nil }) {
      throw .missingTensor(path: folder + "/" + file, name: name)
    }
  }

  private mutating func add(
    _ file: String, where isWanted: (String) -> Bool
  ) throws(ModelError) {
    let mapping = try Mapping(readingFile: file)
    let header = try SafetensorsHeader(file: mapping.bytes, path: file)
    for (name, entry) in header.entries where isWanted(name) {
      places[name] = Place(
        file: file, mapping: mapping, offset: header.dataStart + entry.offsets.lowerBound, entry: entry)
    }
    metadata.merge(header.metadata) { first, _ in first }
  }

  /// A tensor under its own name or under `transformer.`'s.
  private func find(_ name: String) -> Place? { places[name] ?? places["transformer." + name] }

  private static let encodings: [String: TensorEncoding] = [
    "F32": .float32, "F16": .float16, "BF16": .bfloat16,
  ]

  /// Where each parameter lies; tensors that GPT-2 does not have are ignored.
  func tensors(of configuration: Configuration) throws(ModelError) -> [StoredTensor] {
    var tensors: [StoredTensor] = []
    for parameter in configuration.parameters {
      guard let place = find(parameter.name) else {
        throw .missingTensor(path: path, name: parameter.name)
      }
      guard let encoding = Self.encodings[place.entry.dtype] else {
        throw .tensor(
          path: place.file, name: parameter.name, property: "dtype", found: place.entry.dtype,
          expected: "F32, F16 or BF16")
      }
      guard place.entry.shape == parameter.shape else {
        throw .tensor(
          path: place.file, name: parameter.name, property: "shape", found: "\(place.entry.shape)",
          expected: "\(parameter.shape)")
      }
      tensors.append(StoredTensor(mapping: place.mapping, offset: place.offset, encoding: encoding))
    }
    if find("h.\(configuration.layers).ln_1.weight") != nil {
      throw .tensor(
        path: path, name: "h.\(configuration.layers).ln_1.weight", property: "its layer",
        found: "\(configuration.layers)", expected: "below the configuration's \(configuration.layers) layers"
      )
    }
    return tensors
  }

  /// What the tensors themselves show, and the metadata.
  func inferConfiguration() throws(ModelError) -> Configuration {
    func matrix(_ name: String) throws(ModelError) -> [Int] {
      guard let place = find(name) else { throw .missingTensor(path: path, name: name) }
      guard place.entry.shape.count == 2 else {
        throw .tensor(
          path: place.file, name: name, property: "shape", found: "\(place.entry.shape)",
          expected: "two dimensions")
      }
      return place.entry.shape
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
