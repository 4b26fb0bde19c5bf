import NumberFormats

extension Checkpoint {
  /// Opens a GPT-2 as llama.cpp's `convert_hf_to_gguf.py` writes it. Linear weights lie there (out, in).
  public convenience init(gguf path: String, name: String? = nil) throws(ModelError) {
    let header = try GGUFHeader(path)
    let configuration = try Configuration(header)
    let tensors = try header.tensors(of: configuration)
    self.init(name: name ?? path, configuration: configuration, files: [path], tensors: tensors)
  }
}

extension Configuration {
  fileprivate init(_ header: GGUFHeader) throws(ModelError) {
    let architecture = try header.string("general.architecture") ?? "nothing"
    try header.expect(architecture == "gpt2", "general.architecture", found: architecture, expected: "gpt2")
    let parts = try header.optionalInteger("split.count") ?? 1
    try header.expect(
      parts <= 1, "split.count", found: "\(parts)",
      expected: "a model in one file: join its parts with llama-gguf-split --merge")
    let channels = try header.integer("gpt2.embedding_length")
    let heads = try header.integer("gpt2.attention.head_count")
    let embedding = try header.tensor("token_embd.weight")
    try header.expect(
      embedding.dimensions.count == 2, tensor: "token_embd.weight", "dimensions",
      found: "\(embedding.dimensions)", expected: "two, the channels first")
    try self.init(
      layers: header.integer("gpt2.block_count"), heads: heads, channels: channels,
      vocabulary: embedding.dimensions[1], context: header.integer("gpt2.context_length"),
      layerNormEpsilon: Float(header.number("gpt2.attention.layer_norm_epsilon")),
      tiesEmbeddings: header.tensors["output.weight"] == nil, source: header.path)
    for (key, expected) in [
      ("gpt2.feed_forward_length", hidden), ("gpt2.attention.head_count_kv", heads),
      ("gpt2.vocab_size", vocabulary),
    ] {
      let found = try header.optionalInteger(key) ?? expected
      try header.expect(found == expected, key, found: "\(found)", expected: "\(expected), as GPT-2 has it")
    }
  }
}

extension GGUFHeader {
  /// The tensor of each parameter, in their order; tensors that GPT-2 does not have are ignored.
  fileprivate func tensors(of configuration: Configuration) throws(ModelError) -> [StoredTensor] {
    let excess = "blk.\(configuration.layers).attn_norm.weight"
    try expect(
      tensors[excess] == nil, tensor: excess, "its layer", found: "\(configuration.layers)",
      expected: "below gpt2.block_count, \(configuration.layers)")
    var stored: [StoredTensor] = []
    var places: [(range: Range<Int>, name: String)] = []
    for (name, parameter) in zip(configuration.ggufNames, configuration.parameters) {
      let tensor = try tensor(name)
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
      throw refusal(
        tensor: second.name, "offset", found: "\(second.range.lowerBound - dataStart)",
        expected: "none of the bytes of \(first.name)")
    }
    return stored
  }

  fileprivate func tensor(_ name: String) throws(ModelError) -> Tensor {
    guard let tensor = tensors[name] else { throw .missingTensor(path: path, name: name) }
    return tensor
  }

  private func encoding(
    _ tensor: Tensor, named name: String, for parameter: Parameter
  ) throws(ModelError) -> TensorEncoding {
    guard let encoding = GGMLType.readable[tensor.type] else {
      throw refusal(
        tensor: name, "type", found: GGMLType.name(tensor.type), expected: "one of \(GGMLType.readableNames)")
    }
    let dimensions = parameter.role == .linearWeight ? parameter.shape : parameter.shape.reversed()
    try expect(
      tensor.dimensions == dimensions, tensor: name, "dimensions", found: "\(tensor.dimensions)",
      expected: "\(dimensions)")
    try expect(
      dimensions[0] % encoding.blockLength == 0, tensor: name, "row", found: "\(dimensions[0]) values",
      expected: "a multiple of \(GGMLType.name(tensor.type))'s \(encoding.blockLength)")
    return encoding
  }

  private func range(_ tensor: Tensor, named name: String, bytes: Int) throws(ModelError) -> Range<Int> {
    try expect(
      tensor.offset % UInt64(alignment) == 0, tensor: name, "offset", found: "\(tensor.offset)",
      expected: "a multiple of the alignment, \(alignment)")
    let space = max(file.count - dataStart, 0)
    try expect(
      bytes <= space && tensor.offset <= UInt64(space - bytes), tensor: name, "offset",
      found: "\(tensor.offset) for \(bytes) bytes",
      expected: "a place within the file's \(space) bytes of data (is the file truncated?)")
    let start = dataStart + Int(tensor.offset)
    return start..<start + bytes
  }
}

extension Configuration {
  /// In the order of `LayerParameter`, each after `blk.N.`: gguf-py's `TENSOR_NAMES`.
  private static let ggufLayerNames = [
    "attn_norm.weight", "attn_norm.bias", "attn_qkv.weight", "attn_qkv.bias", "attn_output.weight",
    "attn_output.bias", "ffn_norm.weight", "ffn_norm.bias", "ffn_up.weight", "ffn_up.bias", "ffn_down.weight",
    "ffn_down.bias",
  ]

  /// Of each parameter, in their order.
  var ggufNames: [String] {
    let ofLayers = (0..<layers).flatMap { layer in Self.ggufLayerNames.map { "blk.\(layer).\($0)" } }
    return ["token_embd.weight", "position_embd.weight"] + ofLayers
      + ["output_norm.weight", "output_norm.bias"] + (tiesEmbeddings ? [] : ["output.weight"])
  }
}
