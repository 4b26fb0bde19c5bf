extension Checkpoint {
  /// Opens a GPT-2 as llama.cpp's `convert_hf_to_gguf.py` writes it. Linear weights lie there (out, in).
  public convenience init(gguf path: String) throws(ModelError) { try self.init(gguf: path, name: path) }

  convenience init(gguf path: String, name: String) throws(ModelError) {
    let header = try GGUFHeader(path)
    let configuration = try Configuration(header)
    let tensors = try header.tensors(of: configuration)
    self.init(name: name, configuration: configuration, files: [path], tensors: tensors)
  }
}

extension Configuration {
  fileprivate init(_ header: GGUFHeader) throws(ModelError) {
    let path = header.path
    let architecture = try header.string("general.architecture") ?? "nothing"
    guard architecture == "gpt2" else {
      throw .field(path: path, field: "general.architecture", found: architecture, expected: "gpt2")
    }
    if let parts = try header.optionalInteger("split.count"), parts > 1 {
      throw .field(
        path: path, field: "split.count", found: "\(parts)",
        expected: "a model in one file: join its parts with llama-gguf-split --merge")
    }
    let channels = try header.integer("gpt2.embedding_length")
    let heads = try header.integer("gpt2.attention.head_count")
    guard let embedding = header.tensors["token_embd.weight"] else {
      throw .missingTensor(path: path, name: "token_embd.weight")
    }
    guard embedding.dimensions.count == 2 else {
      throw .tensor(
        path: path, name: "token_embd.weight", property: "dimensions", found: "\(embedding.dimensions)",
        expected: "two, the channels first")
    }
    try self.init(
      layers: header.integer("gpt2.block_count"), heads: heads, channels: channels,
      vocabulary: embedding.dimensions[1], context: header.integer("gpt2.context_length"),
      layerNormEpsilon: Float(header.number("gpt2.attention.layer_norm_epsilon")),
      tiesEmbeddings: header.tensors["output.weight"] == nil, source: path)
    for (key, expected) in [
      ("gpt2.feed_forward_length", hidden), ("gpt2.attention.head_count_kv", heads),
      ("gpt2.vocab_size", vocabulary),
    ] {
      if let found = try header.optionalInteger(key), found != expected {
        throw .field(path: path, field: key, found: "\(found)", expected: "\(expected), as GPT-2 has it")
      }
    }
  }
}

extension GGUFHeader {
  /// The tensor of each parameter, in their order; tensors that GPT-2 does not have are ignored.
  fileprivate func tensors(
    of configuration: Configuration
  ) throws(ModelError) -> [StoredTensor] {
    let excess = "blk.\(configuration.layers).attn_norm.weight"
    guard tensors[excess] == nil else {
      throw .tensor(
        path: path, name: excess, property: "its layer", found: "\(configuration.layers)",
        expected: "below gpt2.block_count, \(configuration.layers)")
    }
    var stored: [StoredTensor] = []
    var places: [(range: Range<Int>, name: String)] = []
    for (index, parameter) in configuration.parameters.enumerated() {
      let name = configuration.ggufName(ofParameter: index)
      guard let tensor = tensors[name] else { throw .missingTensor(path: path, name: name) }
      let encoding = try encoding(tensor, named: name, for: parameter)
      let range = try range(tensor, named: name, bytes: encoding.bytes(of: parameter.count))
      stored.append(
        StoredTensor(
          mapping: file, offset: range.lowerBound, encoding: encoding,
          order: parameter.role == .linearWeight ? .outputsFirst : .inputsFirst))
      places.append((range, name))
    }
    places.sort { $0.range.lowerBound < $1.range.lowerBound }
    for (first, second) in zip(places, places.dropFirst()) where first.range.overlaps(second.range) {
      throw .tensor(
        path: path, name: second.name, property: "offset", found: "\(second.range.lowerBound - dataStart)",
        expected: "none of the bytes of \(first.name)")
    }
    return stored
  }

  private func encoding(
    _ tensor: Tensor, named name: String, for parameter: Parameter
  ) throws(ModelError) -> TensorEncoding {
    guard let encoding = tensor.type.encoding else {
      throw .tensor(
        path: path, name: name, property: "type", found: tensor.type.name,
        expected: "one of \(GGMLType.readableNames)")
    }
    let dimensions = parameter.role == .linearWeight ? parameter.shape : parameter.shape.reversed()
    guard tensor.dimensions == dimensions else {
      throw .tensor(
        path: path, name: name, property: "dimensions", found: "\(tensor.dimensions)",
        expected: "\(dimensions)")
    }
    guard dimensions[0] % encoding.blockLength == 0 else {
      throw .tensor(
        path: path, name: name, property: "row", found: "\(dimensions[0]) values",
        expected: "a multiple of \(tensor.type.name)'s \(encoding.blockLength)")
    }
    return encoding
  }

  /// Where in the file a tensor lies.
  private func range(
    _ tensor: Tensor, named name: String, bytes: Int
  ) throws(ModelError) -> Range<Int> {
    guard tensor.offset % UInt64(alignment) == 0 else {
      throw .tensor(
        path: path, name: name, property: "offset", found: "\(tensor.offset)",
        expected: "a multiple of the alignment, \(alignment)")
    }
    let space = max(file.count - dataStart, 0)
    guard bytes <= space, tensor.offset <= UInt64(space - bytes) else {
      throw .tensor(
        path: path, name: name, property: "offset", found: "\(tensor.offset) for \(bytes) bytes",
        expected: "a place within the file's \(space) bytes of data (is the file truncated?)")
    }
    let start = dataStart + Int(tensor.offset)
    return start..<start + bytes
  }
}

extension LayerParameter {
  /// As in gguf-py's `TENSOR_NAMES`, behind `blk.N.`.
  fileprivate var ggufName: String {
    switch self {
    case .norm1Weight: "attn_norm.weight"
    case .norm1Bias: "attn_norm.bias"
    case .qkvWeight: "attn_qkv.weight"
    case .qkvBias: "attn_qkv.bias"
    case .projectionWeight: "attn_output.weight"
    case .projectionBias: "attn_output.bias"
    case .norm2Weight: "ffn_norm.weight"
    case .norm2Bias: "ffn_norm.bias"
    case .upWeight: "ffn_up.weight"
    case .upBias: "ffn_up.bias"
    case .downWeight: "ffn_down.weight"
    case .downBias: "ffn_down.bias"
    }
  }
}

extension Configuration {
  /// The name that GGUF gives to number `index` of `parameters`.
  fileprivate func ggufName(ofParameter index: Int) -> String {
    switch index {
    case 0: return "token_embd.weight"
    case 1: return "position_embd.weight"
    case finalNormIndex: return "output_norm.weight"
    case finalNormIndex + 1: return "output_norm.bias"
    case finalNormIndex + 2: return "output.weight"
    default:
      let (layer, number) = (index - 2).quotientAndRemainder(dividingBy: LayerParameter.allCases.count)
      return "blk.\(layer).\(LayerParameter.allCases[number].ggufName)"
    }
  }
}
