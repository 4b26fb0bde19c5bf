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

  fileprivate var ggufNames: [String] {
    let ofLayers = (0..<layers).flatMap { layer in Self.ggufLayerNames.map { "blk.\(layer).\($0)" } }
    return ["token_embd.weight", "position_embd.weight"] + ofLayers
      + ["output_norm.weight", "output_norm.bias"] + (tiesEmbeddings ? [] : ["output.weight"])
  }
}

extension Tokenizer {
  /// The tokenizer in a GGUF file: `tokenizer.ggml.tokens`, `.merges`, and, where they are there, `.token_type` and
  /// `.eos_token_id`. Errors count tokens and merges from 1.
  /// - Throws: `ModelError` for the file's structure, `TokenizerError` for what its tokens and merges say.
  public init(gguf path: String) throws {
    let header = try GGUFHeader(path)
    try header.refuseOtherTokenizers()
    let index = try TokenIndex(header.tokens(), path: "\(path): \(GGUFHeader.tokensKey)")
    try self.init(
      index: index, merges: header.merges(index), literal: header.literalTokens(count: index.count),
      endOfText: header.endOfText(count: index.count))
  }
}

extension GGUFHeader {
  /// Whether a file is sound and names no tokenizer. One that is not sound says so when it is read.
  static func lacksTokenizer(_ path: String) -> Bool {
    guard let header = try? GGUFHeader(path) else { return false }
    return header.metadata[modelKey] == nil
  }

  private static let modelKey = "tokenizer.ggml.model"
  fileprivate static let tokensKey = "tokenizer.ggml.tokens"
  private static let mergesKey = "tokenizer.ggml.merges"

  /// Another model or pre-tokenizer would give other ids for the same text.
  fileprivate func refuseOtherTokenizers() throws(ModelError) {
    let model = try required(string(Self.modelKey), Self.modelKey, "gpt2: a tokenizer in the file")
    try expect(model == "gpt2", Self.modelKey, found: model, expected: "gpt2")
    // Files from before May 2024 name no pre-tokenizer; GPT-2's was the only one that could be meant.
    let splitting = "tokenizer.ggml.pre"
    let name = try string(splitting) ?? "default"
    try expect(["gpt-2", "gpt2", "default"].contains(name), splitting, found: name, expected: "gpt-2")
  }

  fileprivate func tokens() throws(ModelError) -> VocabularyParser.Entries {
    let ranges = try required(strings(Self.tokensKey), Self.tokensKey, "the tokens")
    try expect(!ranges.isEmpty, Self.tokensKey, found: "nothing", expected: "the tokens")
    var entries = VocabularyParser.Entries()
    for (id, range) in ranges.enumerated() {
      try expect(
        text(range) != nil, "\(Self.tokensKey)[\(id)]", found: "bytes that are not UTF-8", expected: "UTF-8")
      entries.keys.append(contentsOf: file.bytes[range])
      entries.offsets.append(entries.keys.count)
      entries.ids.append(id)
    }
    return entries
  }

  fileprivate func merges(_ index: TokenIndex) throws -> MergeTable {
    let ranges = try required(strings(Self.mergesKey), Self.mergesKey, "the merges")
    var merges = MergeTable(capacity: ranges.count)
    for (rank, range) in ranges.enumerated() {
      let content = UnsafeRawBufferPointer(rebasing: file.bytes[range]).bindMemory(to: UInt8.self)
      try merges.add(content, rank: rank, line: rank + 1, index: index, path: "\(path): \(Self.mergesKey)")
    }
    return merges
  }

  /// Tokens of the types 3 (control) and 4 (user-defined), which are spelled as text and not in the alphabet
  /// of bytes: `llama_token_type` in llama.h.
  fileprivate func literalTokens(count: Int) throws(ModelError) -> Set<Int> {
    let key = "tokenizer.ggml.token_type"
    guard let types = try integers(key) else { return [] }
    try expect(
      types.count == count, key, found: "\(types.count) entries", expected: "\(count), one for each token")
    return Set(types.indices.filter { types[$0] == 3 || types[$0] == 4 })
  }

  fileprivate func endOfText(count: Int) throws(ModelError) -> Int? {
    let key = "tokenizer.ggml.eos_token_id"
    guard let id = try optionalInteger(key) else { return nil }
    try expect(0..<count ~= id, key, found: "\(id)", expected: "a number from 0 to \(count - 1)")
    return id
  }
}
