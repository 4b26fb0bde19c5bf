import GPT2Model
import TestSupport
import Testing

/// A `.safetensors` file made by hand, so that each part of it can be made wrong.
struct SafetensorsFile {
  struct Tensor {
    var name: String
    var dtype = "F32"
    var shape: [Int]
    /// Bytes in the data section; nil for the shape's own, after the tensors before it.
    var offsets: [Int]?
    var data: [UInt8]
  }

  var tensors: [Tensor]
  var metadata: [String: String]?
  /// Spaces after the JSON.
  var padding = 0

  /// All tensors of a configuration, element i of tensor t being t + i / 1024.
  init(of configuration: Configuration, prefix: String = "") {
    tensors = configuration.parameters.enumerated().map { number, parameter in
      Tensor(
        name: prefix + parameter.name, shape: parameter.shape,
        data: (0..<parameter.count).flatMap { i in
          littleEndian(Self.value(number, i).bitPattern)
        })
    }
  }

  static func value(_ tensor: Int, _ element: Int) -> Float { Float(tensor) + Float(element) / 1024 }

  subscript(_ name: String) -> Tensor {
    get { tensors.first { $0.name == name }! }
    set { tensors[tensors.firstIndex { $0.name == name }!] = newValue }
  }

  var json: String {
    var fields: [String] = []
    if let metadata {
      let pairs = metadata.map { "\"\($0.key)\": \"\($0.value)\"" }.sorted()
      fields.append("\"__metadata__\": {\(pairs.joined(separator: ", "))}")
    }
    var end = 0
    for tensor in tensors {
      let offsets = tensor.offsets ?? [end, end + tensor.data.count]
      fields.append(
        "\"\(tensor.name)\": {\"dtype\": \"\(tensor.dtype)\", \"shape\": \(tensor.shape), \"data_offsets\": \(offsets)}"
      )
      end += tensor.data.count
    }
    return "{\(fields.joined(separator: ", "))}" + String(repeating: " ", count: padding)
  }

  var bytes: [UInt8] { Self.bytes(header: Array(json.utf8), data: tensors.flatMap(\.data)) }

  static func bytes(header: [UInt8], length: UInt64? = nil, data: [UInt8]) -> [UInt8] {
    littleEndian(length ?? UInt64(header.count)) + header + data
  }
}

/// An llm.c checkpoint or a seed file made by hand, value for value, so that each part of it can be made wrong.
struct SequentialFile {
  enum Values { case float32, bfloat16 }

  var header: [Int32]
  /// Tensors by their Hugging Face names, in the file's order.
  let names: [String]
  let configuration: Configuration
  var values = Values.float32
  /// Rows after the token embedding.
  var padding = 0

  private static let ofLayer = [
    "ln_1.weight", "ln_1.bias", "attn.c_attn.weight", "attn.c_attn.bias", "attn.c_proj.weight",
    "attn.c_proj.bias",
    "ln_2.weight", "ln_2.bias", "mlp.c_fc.weight", "mlp.c_fc.bias", "mlp.c_proj.weight", "mlp.c_proj.bias",
  ]

  static func llmc(_ c: Configuration, padded: Int, version: Int = 3) -> SequentialFile {
    let used = [20_240_326, version, c.context, c.vocabulary, c.layers, c.heads, c.channels, padded]
    let names = ofLayer.flatMap { name in (0..<c.layers).map { "h.\($0).\(name)" } }
    return SequentialFile(
      header: used.map(Int32.init) + [Int32](repeating: 0, count: 248),
      names: ["wte.weight", "wpe.weight"] + names + ["ln_f.weight", "ln_f.bias"], configuration: c,
      values: version == 5 ? .bfloat16 : .float32, padding: padded - c.vocabulary)
  }

  static func seed(_ c: Configuration) -> SequentialFile {
    let names = (0..<c.layers).flatMap { layer in ofLayer.map { "h.\(layer).\($0)" } }
    return SequentialFile(
      header: [c.layers, c.heads, c.channels, c.vocabulary, c.context].map(Int32.init),
      names: ["wte.weight", "wpe.weight"] + names + ["ln_f.weight", "ln_f.bias"], configuration: c)
  }

  /// What element `i`, in Hugging Face's order, of a tensor is: a number that bfloat16 holds, too.
  static func value(_ tensor: Int, _ element: Int) -> Float { Float((tensor * 31 + element * 7) % 251) - 125 }

  var bytes: [UInt8] {
    var bytes = header.flatMap { littleEndian($0) }
    func append(_ value: Float) {
      let four = littleEndian(value.bitPattern)
      bytes += values == .float32 ? four : Array(four[2...])
    }
    let parameters = configuration.parameters
    for name in names {
      guard let number = parameters.firstIndex(where: { $0.name == name }) else { continue }
      let shape = parameters[number].shape
      if parameters[number].role == .linearWeight {
        for output in 0..<shape[1] {
          for input in 0..<shape[0] { append(Self.value(number, input * shape[1] + output)) }
        }
      } else {
        for element in 0..<parameters[number].count { append(Self.value(number, element)) }
      }
      if name == "wte.weight" {
        for _ in 0..<padding * configuration.channels { append(.nan) }
      }
    }
    return bytes
  }
}

/// A GGUF file made by hand, so that each part of it can be made wrong.
struct GGUFFile {
  struct Entry {
    var key: String
    var type: UInt32
    var value: [UInt8]
  }

  struct Tensor {
    var name: String
    /// The fastest-running first.
    var dimensions: [UInt64]
    var type: UInt32 = 0
    /// Bytes in the data; nil for the next aligned place after the tensors before it.
    var offset: UInt64?
    var data: [UInt8]
  }

  var version: UInt32 = 3
  var entries: [Entry]
  var tensors: [Tensor]
  var alignment = 32
  /// Says other counts than there are.
  var declaredTensors: UInt64?
  var declaredEntries: UInt64?

  /// The model that `SafetensorsFile(of:)` holds, in float32, as the converter lays it out.
  init(of configuration: Configuration) {
    entries = [
      .string("general.architecture", "gpt2"), .uint32("gpt2.block_count", configuration.layers),
      .uint32("gpt2.context_length", configuration.context),
      .uint32("gpt2.embedding_length", configuration.channels),
      .uint32("gpt2.feed_forward_length", configuration.hidden),
      .uint32("gpt2.attention.head_count", configuration.heads),
      .float("gpt2.attention.layer_norm_epsilon", configuration.layerNormEpsilon),
    ]
    tensors = configuration.parameters.enumerated().map { number, parameter in
      let isLinear = parameter.role == .linearWeight
      let order = isLinear ? Self.transposed(parameter.shape) : Array(0..<parameter.count)
      return Tensor(
        name: Self.name(of: parameter.name),
        dimensions: (isLinear ? parameter.shape : parameter.shape.reversed()).map(UInt64.init),
        data: order.flatMap { littleEndian(SafetensorsFile.value(number, $0).bitPattern) })
    }
  }

  /// For each element of the transpose, where it is in the row-major matrix.
  static func transposed(_ shape: [Int]) -> [Int] {
    (0..<shape[1]).flatMap { column in (0..<shape[0]).map { $0 * shape[1] + column } }
  }

  static func name(of parameter: String) -> String {
    let whole = [
      "wte.weight": "token_embd.weight", "wpe.weight": "position_embd.weight",
      "ln_f.weight": "output_norm.weight",
      "ln_f.bias": "output_norm.bias", "lm_head.weight": "output.weight",
    ]
    if let name = whole[parameter] { return name }
    let parts = [
      "ln_1": "attn_norm", "attn.c_attn": "attn_qkv", "attn.c_proj": "attn_output", "ln_2": "ffn_norm",
      "mlp.c_fc": "ffn_up", "mlp.c_proj": "ffn_down",
    ]
    let words = parameter.split(separator: ".").map(String.init)
    return "blk.\(words[1]).\(parts[words[2..<words.count - 1].joined(separator: ".")]!).\(words.last!)"
  }

  /// Adds a tokenizer: tokens as `vocab.json` spells them, merges as `merges.txt` does.
  mutating func addTokenizer(tokens: [String], types: [Int]? = nil, merges: [String], endOfText: Int? = nil) {
    entries += [
      .string("tokenizer.ggml.model", "gpt2"), .string("tokenizer.ggml.pre", "gpt-2"),
      .strings("tokenizer.ggml.tokens", tokens),
      .array(
        "tokenizer.ggml.token_type", of: 5, (types ?? tokens.map { _ in 1 }).map { littleEndian(Int32($0)) }),
      .strings("tokenizer.ggml.merges", merges),
    ]
    if let endOfText { entries.append(.uint32("tokenizer.ggml.eos_token_id", endOfText)) }
  }

  subscript(_ name: String) -> Tensor {
    get { tensors.first { $0.name == name }! }
    set { tensors[tensors.firstIndex { $0.name == name }!] = newValue }
  }

  /// Replaces, adds or (nil) removes a metadata entry.
  subscript(entry key: String) -> Entry? {
    get { entries.first { $0.key == key } }
    set {
      let place = entries.firstIndex { $0.key == key }
      switch (place, newValue) {
      case (let place?, let entry?): entries[place] = entry
      case (let place?, nil): entries.remove(at: place)
      case (nil, let entry?): entries.append(entry)
      case (nil, nil): break
      }
    }
  }

  /// Everything before the data, unpadded, and where its integers lie: counts, lengths, types, sizes,
  /// offsets.
  var headerFields: (bytes: [UInt8], integers: [Range<Int>]) {
    var header = Array("GGUF".utf8)
    var integers: [Range<Int>] = []
    func put(_ integer: some FixedWidthInteger) {
      let start = header.count
      header += littleEndian(integer)
      integers.append(start..<header.count)
    }
    func put(_ text: String) {
      put(UInt64(text.utf8.count))
      header += text.utf8
    }
    put(version)
    put(declaredTensors ?? UInt64(tensors.count))
    put(declaredEntries ?? UInt64(entries.count))
    for entry in entries {
      put(entry.key)
      put(entry.type)
      if entry.value.count >= 4 { integers.append(header.count..<header.count + (entry.type == 4 ? 4 : 8)) }
      header += entry.value
    }
    for (tensor, offset) in zip(tensors, offsets) {
      put(tensor.name)
      put(UInt32(tensor.dimensions.count))
      for size in tensor.dimensions { put(size) }
      put(tensor.type)
      put(offset)
    }
    return (header, integers.filter { $0.upperBound <= header.count })
  }

  var header: [UInt8] { headerFields.bytes }

  private var offsets: [UInt64] {
    var end = 0
    return tensors.map { tensor in
      let start = end
      end += padded(tensor.data).count
      return tensor.offset ?? UInt64(start)
    }
  }

  private func padded(_ bytes: [UInt8]) -> [UInt8] {
    bytes + [UInt8](repeating: 0, count: (alignment - bytes.count % alignment) % alignment)
  }

  var bytes: [UInt8] { padded(header) + tensors.flatMap { padded($0.data) } }

  static func string(_ text: String) -> [UInt8] {
    littleEndian(UInt64(text.utf8.count)) + text.utf8
  }
}

extension GGUFFile.Entry {
  static func string(_ key: String, _ text: String) -> Self {
    Self(key: key, type: 8, value: GGUFFile.string(text))
  }

  static func uint32(_ key: String, _ value: Int) -> Self {
    Self(key: key, type: 4, value: littleEndian(UInt32(value)))
  }

  static func float(_ key: String, _ value: Float) -> Self {
    Self(key: key, type: 6, value: littleEndian(value.bitPattern))
  }

  static func strings(_ key: String, _ texts: [String]) -> Self {
    array(key, of: 8, texts.map(GGUFFile.string))
  }

  static func array(_ key: String, of type: UInt32, count: UInt64? = nil, _ elements: [[UInt8]]) -> Self {
    Self(
      key: key, type: 9,
      value: littleEndian(type) + littleEndian(count ?? UInt64(elements.count)) + elements.flatMap { $0 })
  }
}

extension Configuration {
  /// The smallest model with more than one of everything.
  static func small(tied: Bool = true) throws -> Configuration {
    try Configuration(
      layers: 2, heads: 2, channels: 6, vocabulary: 11, context: 5, tiesEmbeddings: tied)
  }
}

/// The error's description, which must be one line that starts with the path.
func refusal(naming path: String, _ body: () throws -> some Any) -> String? {
  do {
    _ = try body()
    return nil
  } catch let error as ModelError {
    let text = error.description
    return text.hasPrefix(path) && !text.contains(where: \.isNewline)
      ? text : "not one line with the path: \(text)"
  } catch {
    return "not a ModelError: \(error)"
  }
}

/// One way to make a file wrong.
struct Mutation<File>: Sendable, CustomTestStringConvertible {
  let testDescription: String
  /// What the error has to say.
  let says: String
  let change: @Sendable (inout File) -> Void

  init(
    _ description: String, says: String? = nil, change: @escaping @Sendable (inout File) -> Void
  ) {
    testDescription = description
    self.says = says ?? description
    self.change = change
  }
}

/// Expects the values of a file made by hand in every tensor.
func expectValues(of checkpoint: Checkpoint, _ value: (Int, Int) -> Float = SafetensorsFile.value) {
  for (number, parameter) in checkpoint.configuration.parameters.enumerated() {
    let tensor = checkpoint.tensor(at: number)
    expectEqual(tensor.count, parameter.count)
    let wrong = tensor.indices.first { tensor[$0] != value(number, $0) }
    expectNil(wrong, "\(parameter.name)")
  }
}

/// A tensor of a safetensors file as the engine takes it.
func takenOnce(_ number: Int, from checkpoint: Checkpoint) -> [Float] {
  let parameter = checkpoint.configuration.parameters[number]
  let taken = GuardedFloats(parameter.count)
  if parameter.role == .linearWeight {
    let columns = parameter.shape[1]
    checkpoint.withMatrixOnce(number, grain: 3) { values, rows, order in
      expectEqual(order, .inputsFirst)
      expectEqual(rows.lowerBound % 3, 0)
      (taken.base + rows.lowerBound * columns).update(from: values, count: rows.count * columns)
    }
  } else {
    checkpoint.copyOnce(number, 0..<parameter.count, to: taken.base)
  }
  #expect(taken.guardsHold, "\(parameter.name)")
  return taken.values
}

/// The name of the first tensor in which two checkpoints of one shape differ in a bit.
func firstDifferentTensor(_ left: Checkpoint, _ right: Checkpoint) -> String? {
  for (number, parameter) in left.configuration.parameters.enumerated()
  where firstBitDifference(left.tensor(at: number), right.tensor(at: number)) != nil {
    return parameter.name
  }
  return nil
}
