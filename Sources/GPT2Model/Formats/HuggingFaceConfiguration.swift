import Foundation

extension Configuration {
  /// Reads a Hugging Face `config.json` and refuses whatever this engine would compute differently.
  init(huggingFace path: String) throws(ModelError) {
    let data = try ModelFile.read(path)
    guard let fields = try? JSONSerialization.jsonObject(with: data) as? [String: Any] else {
      throw .malformed(path: path, problem: "not a JSON object")
    }
    let reader = HuggingFaceFields(path: path, fields: fields)
    try reader.refuseOtherModels()
    let channels = try reader.integer("n_embd")
    let inner = try reader.optionalInteger("n_inner")
    let epsilon = try reader.number("layer_norm_epsilon") ?? 1e-5
    let hasPositions = try reader.optionalInteger("n_positions") != nil
    try self.init(
      layers: reader.integer("n_layer"), heads: reader.integer("n_head"), channels: channels,
      vocabulary: reader.integer("vocab_size"),
      context: reader.integer(hasPositions ? "n_positions" : "n_ctx"), layerNormEpsilon: Float(epsilon),
      tiesEmbeddings: reader.boolean("tie_word_embeddings") ?? true, source: path)
    if let inner {
      try reader.expect(
        inner == hidden, "n_inner", found: "\(inner)", expected: "null or 4 × n_embd = \(hidden)")
    }
  }

  /// The fields of `config.json` that bring a model back when it is written by `export`.
  var huggingFaceFields: [String: Any] {
    [
      "architectures": ["GPT2LMHeadModel"], "model_type": "gpt2", "n_layer": layers,
      "n_head": heads, "n_embd": channels, "vocab_size": vocabulary, "n_positions": context,
      "n_ctx": context, "layer_norm_epsilon": Double(layerNormEpsilon.description) ?? 1e-5,
      "activation_function": "gelu_new", "tie_word_embeddings": tiesEmbeddings,
    ]
  }
}

/// Typed access to the fields of one `config.json`; a field that is null is as one that is not there.
private struct HuggingFaceFields: FileReader {
  let path: String
  let fields: [String: Any]

  /// - Parameter read: nil for a value of another type.
  private func optional<Value>(
    _ name: String, expected: String, _ read: (Any) -> Value?
  ) throws(ModelError) -> Value? {
    guard let value = fields[name], !(value is NSNull) else { return nil }
    guard let typed = read(value) else { throw refusal(name, found: "\(value)", expected: expected) }
    return typed
  }

  func optionalInteger(_ name: String) throws(ModelError) -> Int? {
    try optional(name, expected: "a whole number") { isBoolean($0) ? nil : $0 as? Int }
  }

  func integer(_ name: String) throws(ModelError) -> Int {
    try required(optionalInteger(name), name, "a whole number")
  }

  func number(_ name: String) throws(ModelError) -> Double? {
    try optional(name, expected: "a number") { isBoolean($0) ? nil : $0 as? Double }
  }

  func boolean(_ name: String) throws(ModelError) -> Bool? {
    try optional(name, expected: "true or false") { isBoolean($0) ? $0 as? Bool : nil }
  }

  /// GPT-2 has one architecture; a file that switches parts of it names a model this engine does not run.
  func refuseOtherModels() throws(ModelError) {
    for (name, known, expected) in [
      ("model_type", ["gpt2"], "gpt2"),
      ("activation_function", ["gelu_new", "gelu_pytorch_tanh"], "gelu_new (the tanh approximation)"),
    ] {
      let found = try optional(name, expected: "a string") { $0 as? String } ?? known[0]
      try expect(known.contains(found), name, found: found, expected: expected)
    }
    for (name, expected) in [
      ("scale_attn_weights", true), ("scale_attn_by_inverse_layer_idx", false),
      ("add_cross_attention", false),
    ] {
      let value = try boolean(name) ?? expected
      try expect(value == expected, name, found: "\(value)", expected: "\(expected)")
    }
  }

  private func isBoolean(_ value: Any) -> Bool {
    guard let number = value as? NSNumber else { return value is Bool }
    return String(cString: number.objCType) == "c"
  }
}
