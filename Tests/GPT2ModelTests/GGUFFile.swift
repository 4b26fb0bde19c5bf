import GPT2Model

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
    /// Bytes in the data; nil for the next aligned place behind the tensors before it.
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

/// Little-endian.
func littleEndian(_ value: some FixedWidthInteger) -> [UInt8] {
  withUnsafeBytes(of: value.littleEndian, Array.init)
}
