import Files
import Foundation
import NumberFormats

/// The tensors of one `.safetensors` file, or of the several that a `model.safetensors.index.json` names: an object
/// whose `weight_map` goes from tensor names to the names of files beside it.
struct SafetensorsContents: FileReader {
  private struct Place: FileReader {
    let path: String
    let mapping: Mapping
    /// Bytes from the start of the file.
    let offset: Int
    let entry: SafetensorsHeader.Entry
  }

  /// The file, or the index.
  let path: String
  let files: [String]
  private var metadata: [String: String] = [:]
  private var places: [String: Place] = [:]
  /// The paths of the files that an index says its tensors are in, by name.
  private var indexed: [String: String] = [:]

  init(file path: String) throws(ModelError) {
    let mapping = try Mapping(readingFile: path)
    self.init(path, mapping, try SafetensorsHeader(mapping.bytes, path: path))
  }

  /// A file that is open already.
  init(_ path: String, _ mapping: Mapping, _ header: SafetensorsHeader) {
    self.path = path
    files = [path]
    add(path, mapping, header) { _ in true }
  }

  init(index path: String) throws(ModelError) {
    self.path = path
    let data = try ModelFile.read(path)
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
      let mapping = try Mapping(readingFile: file)
      add(file, mapping, try SafetensorsHeader(mapping.bytes, path: file)) { map[$0] == name }
    }
    indexed = map.mapValues { folder + "/" + $0 }
  }

  private mutating func add(
    _ file: String, _ mapping: Mapping, _ header: SafetensorsHeader, where isWanted: (String) -> Bool
  ) {
    for (name, entry) in header.entries where isWanted(name) {
      places[name] = Place(
        path: file, mapping: mapping, offset: header.dataStart + entry.offsets.lowerBound, entry: entry)
    }
    metadata.merge(header.metadata) { first, _ in first }
  }

  /// A tensor under its own name or under `transformer.`'s; nil where there is neither.
  private func find(_ name: String) -> Place? { places[name] ?? places["transformer." + name] }

  /// - Throws: `ModelError` for a tensor that an index names and its file lacks.
  private func has(_ name: String) throws(ModelError) -> Bool {
    if find(name) != nil { return true }
    for name in [name, "transformer." + name] {
      if let file = indexed[name] { throw .missingTensor(path: file, name: name) }
    }
    return false
  }

  private func place(_ name: String) throws(ModelError) -> Place {
    guard try has(name), let place = find(name) else { throw .missingTensor(path: path, name: name) }
    return place
  }

  private static let encodings: [String: TensorEncoding] = [
    "F32": .float32, "F16": .float16, "BF16": .bfloat16,
  ]

  /// Where each parameter lies; tensors that GPT-2 does not have are ignored.
  func tensors(of configuration: Configuration) throws(ModelError) -> [StoredTensor] {
    var tensors: [StoredTensor] = []
    for parameter in configuration.parameters {
      let place = try place(parameter.name)
      let other = "transformer." + parameter.name
      try place.expect(
        places[parameter.name] == nil || places[other] == nil, tensor: parameter.name, "its name",
        found: "there, and so is \(other)", expected: "one of the two")
      guard let encoding = Self.encodings[place.entry.dtype] else {
        throw place.refusal(
          tensor: parameter.name, "dtype", found: place.entry.dtype, expected: "F32, F16 or BF16")
      }
      try place.expect(
        place.entry.shape == parameter.shape, tensor: parameter.name, "shape", found: "\(place.entry.shape)",
        expected: "\(parameter.shape)")
      tensors.append(StoredTensor(mapping: place.mapping, offset: place.offset, encoding: encoding))
    }
    let excess = "h.\(configuration.layers).ln_1.weight"
    try expect(
      !has(excess), tensor: excess, "its layer", found: "\(configuration.layers)",
      expected: "below the configuration's \(configuration.layers) layers")
    return tensors
  }

  /// What the tensors themselves show, and the metadata.
  func inferConfiguration() throws(ModelError) -> Configuration {
    func matrix(_ name: String) throws(ModelError) -> [Int] {
      let place = try place(name)
      try place.expect(
        place.entry.shape.count == 2, tensor: name, "shape", found: "\(place.entry.shape)",
        expected: "two dimensions")
      return place.entry.shape
    }
    let tokens = try matrix("wte.weight")
    let positions = try matrix("wpe.weight")
    var layers = 0
    while try has("h.\(layers).ln_1.weight") { layers += 1 }
    func described<Value: LosslessStringConvertible>(
      _ name: String, _ expected: String
    ) throws(ModelError) -> Value? {
      guard let text = metadata[name] else { return nil }
      guard let value = Value(text) else {
        throw refusal("__metadata__.\(name)", found: text, expected: expected)
      }
      return value
    }
    let channels = tokens[1]
    let heads: Int? = try described("n_head", "a whole number")
    try expect(
      heads != nil || (channels > 0 && channels % 64 == 0), "number of heads",
      found: "unknown for \(channels) channels",
      expected: "n_head in the metadata or a config.json beside the file")
    let epsilon: Float? = try described("layer_norm_epsilon", "a number")
    return try Configuration(
      layers: layers, heads: heads ?? channels / 64, channels: channels, vocabulary: tokens[0],
      context: positions[0], layerNormEpsilon: epsilon ?? Configuration.defaultEpsilon,
      tiesEmbeddings: !has("lm_head.weight"), source: path)
  }
}

/// The table of contents of a `.safetensors` file: eight bytes of header length (little-endian), a JSON object from
/// tensor names to dtype, shape and offsets, then the data. Format: README of
/// https://github.com/huggingface/safetensors.
struct SafetensorsHeader: FileReader {
  struct Entry {
    let dtype: String
    let shape: [Int]
    /// Bytes from the start of the data section.
    let offsets: Range<Int>
  }

  /// The longest header that the reference implementation accepts.
  static let longestHeader = 100_000_000

  private static let elementSizes = [
    "BOOL": 1, "U8": 1, "I8": 1, "F8_E5M2": 1, "F8_E4M3": 1, "I16": 2, "U16": 2, "F16": 2,
    "BF16": 2, "I32": 4, "U32": 4, "F32": 4, "F64": 8, "I64": 8, "U64": 8,
  ]

  let path: String
  private(set) var entries: [String: Entry] = [:]
  private(set) var metadata: [String: String] = [:]
  private(set) var dataStart = 0

  init(_ file: UnsafeRawBufferPointer, path: String) throws(ModelError) {
    self.path = path
    guard file.count >= 8 else {
      throw .malformed(
        path: path, problem: "truncated: \(file.count) bytes, expected a safetensors header of at least 8")
    }
    let declared = UInt64(littleEndian: file.loadUnaligned(as: UInt64.self))
    let longest = min(Self.longestHeader, file.count - 8)
    try expect(
      declared <= UInt64(longest), "header length", found: "\(declared)",
      expected: "at most \(longest), which the file can hold")
    dataStart = 8 + Int(declared)
    let json = Data(UnsafeRawBufferPointer(rebasing: file[8..<dataStart]))
    guard let object = try? JSONSerialization.jsonObject(with: json) as? [String: Any] else {
      throw .malformed(path: path, problem: "the safetensors header is not a JSON object")
    }
    let dataBytes = file.count - dataStart
    for (name, value) in object {
      if name == "__metadata__" {
        guard !(value is NSNull) else { continue }
        guard let strings = value as? [String: String] else {
          throw refusal(name, found: "something else", expected: "an object of strings")
        }
        metadata = strings
      } else {
        entries[name] = try entry(value, name: name, dataBytes: dataBytes)
      }
    }
    let end = entries.values.map(\.offsets.upperBound).max() ?? 0
    try expect(
      end == dataBytes, "size", found: "\(file.count) bytes",
      expected: "\(dataStart + end), where its last tensor ends")
    try refuseOverlapsAndHoles()
  }

  /// The format has each byte of the data in one tensor.
  private func refuseOverlapsAndHoles() throws(ModelError) {
    let places = entries.filter { !$0.value.offsets.isEmpty }
      .sorted { ($0.value.offsets.lowerBound, $0.key) < ($1.value.offsets.lowerBound, $1.key) }
    var end = 0
    var previous: String?
    for (name, entry) in places {
      let found = "[\(entry.offsets.lowerBound), \(entry.offsets.upperBound)]"
      if let previous, entry.offsets.lowerBound < end {
        throw refusal(
          tensor: name, "data_offsets", found: found, expected: "none of the bytes of \(previous.shortened)")
      }
      try expect(
        entry.offsets.lowerBound == end, tensor: name, "data_offsets", found: found,
        expected: "\(end) at first: the bytes before it are in no tensor")
      (end, previous) = (entry.offsets.upperBound, name)
    }
  }

  private func entry(_ value: Any, name: String, dataBytes: Int) throws(ModelError) -> Entry {
    guard let fields = value as? [String: Any] else {
      throw refusal(
        tensor: name, "its entry", found: "not an object",
        expected: "an object with dtype, shape and data_offsets")
    }
    guard let dtype = fields["dtype"] as? String else {
      throw refusal(tensor: name, "dtype", found: "missing or not a string", expected: "for example F32")
    }
    guard let shape = fields["shape"] as? [Int], shape.allSatisfy({ $0 >= 0 }) else {
      throw refusal(
        tensor: name, "shape", found: "missing or not a list of sizes", expected: "a list of whole numbers")
    }
    guard let pair = fields["data_offsets"] as? [Int], pair.count == 2 else {
      throw refusal(tensor: name, "data_offsets", found: "missing or not a pair", expected: "[begin, end]")
    }
    try expect(
      pair[0] >= 0 && pair[0] <= pair[1] && pair[1] <= dataBytes, tensor: name, "data_offsets",
      found: "\(pair)",
      expected: "a range within the file's \(dataBytes) bytes of data (is the file truncated?)")
    if let size = Self.elementSizes[dtype] {
      var bytes = (partialValue: 1, overflow: false)
      for factor in shape + [size] where !bytes.overflow {
        bytes = bytes.partialValue.multipliedReportingOverflow(by: factor)
      }
      try expect(
        !bytes.overflow && bytes.partialValue == pair[1] - pair[0], tensor: name, "data",
        found: "\(pair[1] - pair[0]) bytes", expected: "the size of shape \(shape) in \(dtype)")
    }
    return Entry(dtype: dtype, shape: shape, offsets: pair[0]..<pair[1])
  }
}

extension Checkpoint {
  /// Opens a `.safetensors` file with tensors in float32, float16 or bfloat16. Its shape comes from a `config.json`
  /// beside it, or the tensors; the number of heads, which these do not show, is then the metadata's `n_head`, or one
  /// for each 64 channels, as in every released GPT-2. With `lm_head` it is not tied.
  public convenience init(safetensors path: String) throws(ModelError) {
    try self.init(try SafetensorsContents(file: path), configuration: nil, name: path)
  }

  /// - Parameter given: the shape that the file must have; nil to look for it as above.
  convenience init(
    _ contents: SafetensorsContents, configuration given: Configuration?, name: String
  ) throws(ModelError) {
    let sibling = URL(fileURLWithPath: contents.path).deletingLastPathComponent()
      .appendingPathComponent("config.json").path
    let configuration: Configuration
    if let given {
      configuration = given
    } else if FileManager.default.fileExists(atPath: sibling) {
      configuration = try Configuration(huggingFace: sibling)
    } else {
      configuration = try contents.inferConfiguration()
    }
    self.init(
      name: name, configuration: configuration, files: contents.files,
      tensors: try contents.tensors(of: configuration))
  }
}
