/// The quantized blocks of ggml (ggml-quants.c), each widened to what ggml's `dequantize_row_…` makes of it,
/// to the bit.
enum QuantizedBlocks {
  /// A scale in half precision, then 32 signed bytes.
  static func widenQ8(_ block: UnsafeRawPointer, to values: UnsafeMutablePointer<Float>) {
    let scale = half(block, 0)
    for i in 0..<32 { values[i] = scale * Float(block.load(fromByteOffset: 2 + i, as: Int8.self)) }
  }

  /// A scale, then 16 bytes: values 0…15 in their lower halves, 16…31 in their upper ones, all 8 too large.
  static func widenQ4(_ block: UnsafeRawPointer, to values: UnsafeMutablePointer<Float>) {
    let scale = half(block, 0)
    for i in 0..<16 {
      let pair = Int32(block.load(fromByteOffset: 2 + i, as: UInt8.self))
      values[i] = scale * Float((pair & 15) - 8)
      values[i + 16] = scale * Float((pair >> 4) - 8)
    }
  }

  /// The lower four bits of 256 values (128 bytes), their upper two (64), a signed scale for each 16 values
  /// (16), and a scale of all. Within each half of 128 values, value 32 · q + i has its lower bits in byte i
  /// (or i + 32, for odd q), in that byte's upper half for q > 1, and its upper bits in pair q of byte i. All
  /// are 32 too large.
  static func widenQ6(_ block: UnsafeRawPointer, to values: UnsafeMutablePointer<Float>) {
    let scale = half(block, 208)
    for part in 0..<2 {
      let lower = block + 64 * part
      let upper = block + 128 + 32 * part
      let scales = block + 192 + 8 * part
      for quarter in 0..<4 {
        for i in 0..<32 {
          let nibbles = Int32(lower.load(fromByteOffset: i + 32 * (quarter & 1), as: UInt8.self))
          let pairs = Int32(upper.load(fromByteOffset: i, as: UInt8.self))
          let quant = ((nibbles >> (quarter > 1 ? 4 : 0)) & 15) | ((pairs >> Int32(2 * quarter)) & 3) << 4
          let groupScale = scale * Float(scales.load(fromByteOffset: 2 * quarter + i / 16, as: Int8.self))
          values[128 * part + 32 * quarter + i] = groupScale * Float(quant - 32)
        }
      }
    }
  }

  @inline(__always)
  private static func half(_ source: UnsafeRawPointer, _ offset: Int) -> Float {
    TensorEncoding.widen(half: source.loadUnaligned(fromByteOffset: offset, as: UInt16.self))
  }
}
