import GPT2Model

/// An llm.c checkpoint or a seed file made by hand, value for value, so that each part of it can be made wrong.
struct SequentialFile {
  enum Values { case float32, bfloat16 }

  var header: [Int32]
  /// Tensors by their Hugging Face names, in the file's order.
  let names: [String]
  let configuration: Configuration
  var values = Values.float32
  /// Rows behind the token embedding.
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
    var bytes = header.flatMap { withUnsafeBytes(of: $0.littleEndian, Array.init) }
    func append(_ value: Float) {
      let four = withUnsafeBytes(of: value.bitPattern.littleEndian, Array.init)
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
