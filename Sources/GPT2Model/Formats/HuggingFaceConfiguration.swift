import Foundation

extension Configuration {
  /// Reads a Hugging Face `config.json` and refuses whatever this engine would compute differently.
  init(huggingFace path: String) throws(ModelError) {
    let data: Data
    do { data = try Data(contentsOf: URL(fileURLWithPath: path)) } catch {
      throw .unreadable(path: path, reason: "no such file, or it may not be read")
    }
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
    if let inner, inner != hidden {
      throw .field(
        path: path, field: "n_inner", found: "\(inner)", expected: "null or 4 × n_embd = \(hidden)")
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

/// Typed access to the fields of one `config.json`.
private struct HuggingFaceFields {
  let path: String
  let fields: [String: Any]

  func optionalInteger(_ name: String) throws(ModelError) -> Int? {
    guard let value = fields[name], !(value is NSNull) else { return nil }
    guard let number = value as? Int, !isBoolean(value) else {
      throw .field(path: path, field: name, found: "\(value)", expected: "a whole number")
    }
    return number
  }

  func integer(_ name: String) throws(ModelError) -> Int {
    guard let value = try optionalInteger(name) else {
      throw .field(path: path, field: name, found: "nothing", expected: "a whole number")
    }
    return value
  }

  func number(_ name: String) throws(ModelError) -> Double? {
    guard let value = fields[name], !(value is NSNull) else { return nil }
    guard let number = value as? Double, !isBoolean(value) else {
      throw .field(path: path, field: name, found: "\(value)", expected: "a number")
    }
    return number
  }

  func boolean(_ name: String) throws(ModelError) -> Bool? {
    guard let value = fields[name], !(value is NSNull) else { return nil }
    guard isBoolean(value), let flag = value as? Bool else {
      throw .field(path: path, field: name, found: "\(value)", expected: "true or false")
    }
    return flag
  }

  func string(_ name: String) throws(ModelError) -> String? {
    guard let value = fields[name], !(value is NSNull) else { return nil }
    guard let text = value as? String else {
      throw .field(path: path, field: name, found: "\(value)", expected: "a string")
    }
    return text
  }

  /// GPT-2 has one architecture; a file that switches parts of it names a model this engine does not run.
  func refuseOtherModels() throws(ModelError) {
    let type = try string("model_type") ?? "gpt2"
    guard type == "gpt2" else {
      throw .field(path: path, field: "model_type", found: type, expected: "gpt2")
    }
    let activation = try string("activation_function") ?? "gelu_new"
    guard ["gelu_new", "gelu_pytorch_tanh"].contains(activation) else {
      throw .field(
        path: path, field: "activation_function", found: activation,
        expected: "gelu_new (the tanh approximation)")
    }
    let fixed = [
      ("scale_attn_weights", true), ("scale_attn_by_inverse_layer_idx", false),
      ("add_cross_attention", false),
    ]
    for (name, expected) in fixed {
      if let value = try boolean(name), value != expected {
        throw .field(path: path, field: name, found: "\(value)", expected: "\(expected)")
      }
    }
  }

  private func isBoolean(_ value: Any) -> Bool {
    guard let number = value as? NSNumber else { return value is Bool }
    return String(cString: number.objCType) == "c"
  }
}
