/// The number that GGUF gives to a tensor's encoding: `ggml_type` in ggml.h.
struct GGMLType: Equatable {
  let number: UInt32

  /// What this program reads. `llama-quantize` gives a tied token embedding Q6_K, whatever the other tensors
  /// get.
  private static let readable: [UInt32: TensorEncoding] = [
    0: .float32, 1: .float16, 2: .q4, 8: .q8, 14: .q6, 30: .bfloat16,
  ]

  private static let names: [UInt32: String] = [
    0: "F32", 1: "F16", 2: "Q4_0", 3: "Q4_1", 6: "Q5_0", 7: "Q5_1", 8: "Q8_0", 9: "Q8_1", 10: "Q2_K",
    11: "Q3_K",
    12: "Q4_K", 13: "Q5_K", 14: "Q6_K", 15: "Q8_K", 16: "IQ2_XXS", 17: "IQ2_XS", 18: "IQ3_XXS", 19: "IQ1_S",
    20: "IQ4_NL", 21: "IQ3_S", 22: "IQ2_S", 23: "IQ4_XS", 24: "I8", 25: "I16", 26: "I32", 27: "I64",
    28: "F64",
    29: "IQ1_M", 30: "BF16", 34: "TQ1_0", 35: "TQ2_0", 39: "MXFP4",
  ]

  static let readableNames = readable.keys.sorted().map { GGMLType(number: $0).name }.joined(separator: ", ")

  /// Nil where it is another program's.
  var encoding: TensorEncoding? { Self.readable[number] }
  var name: String { Self.names[number] ?? "number \(number)" }
}
