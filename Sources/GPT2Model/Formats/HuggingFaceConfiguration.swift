extension Configuration {
  /// Reads a Hugging Face `config.json` and refuses whatever this engine would compute differently.
  init(huggingFace path: String) throws(ModelError) {
    let reader = try JSONFields(path: path)
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

extension JSONFields {
  /// GPT-2 has one architecture; a file that switches parts of it names a model this engine does not run.
  fileprivate func refuseOtherModels() throws(ModelError) {
    try expect("model_type", in: ["gpt2"], expected: "gpt2")
    try expect(
      "activation_function", in: ["gelu_new", "gelu_pytorch_tanh"],
      expected: "gelu_new (the tanh approximation)")
    try expect("scale_attn_weights", is: true)
    try expect("scale_attn_by_inverse_layer_idx", is: false)
    try expect("add_cross_attention", is: false)
  }
}
