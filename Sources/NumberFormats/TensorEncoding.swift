/// How the matrix of a linear layer lies in a file.
public enum MatrixOrder: Sendable, Equatable {
  /// (in, out), as Hugging Face's `Conv1D` has it, and `Parameter.shape` says.
  case inputsFirst
  /// (out, in), as PyTorch's `Linear` has it, and llm.c's files.
  case outputsFirst
}

/// The numbers that a file holds, and how they become float32: exactly, or as ggml widens its blocks.
package enum TensorEncoding: Sendable, Equatable {
  case float32
  /// IEEE 754's half precision.
  case float16
  /// The upper half of a float32.
  case bfloat16
  /// ggml's blocks of 32 values, eight or four bits each, and of 256 values of six bits: `QuantizedBlocks`.
  case q8, q4, q6

  /// A piece of the file that cannot be divided: how many values it holds, and how many bytes it takes.
  private var block: (values: Int, bytes: Int) {
    switch self {
    case .float32: (1, 4)
    case .float16, .bfloat16: (1, 2)
    case .q8: (32, 34)
    case .q4: (32, 18)
    case .q6: (256, 210)
    }
  }

  package var blockLength: Int { block.values }

  /// What `count` values, whole blocks, take in the file.
  package func bytes(of count: Int) -> Int { count / block.values * block.bytes }

  /// Widens `count` values, whole blocks, little-endian, at any address. NaNs keep their payload.
  package func decode(_ source: UnsafeRawPointer, _ count: Int, to target: UnsafeMutablePointer<Float>) {
    switch self {
    case .float32: UnsafeMutableRawPointer(target).copyMemory(from: source, byteCount: 4 * count)
    case .float16:
      for i in 0..<count {
        target[i] = Self.widen(half: source.loadUnaligned(fromByteOffset: 2 &* i, as: UInt16.self))
      }
    case .bfloat16:
      for i in 0..<count {
        let bits = source.loadUnaligned(fromByteOffset: 2 &* i, as: UInt16.self)
        target[i] = Float(bitPattern: UInt32(bits) << 16)
      }
    case .q8:
      for block in 0..<count / 32 { QuantizedBlocks.widenQ8(source + 34 * block, to: target + 32 * block) }
    case .q4:
      for block in 0..<count / 32 { QuantizedBlocks.widenQ4(source + 18 * block, to: target + 32 * block) }
    case .q6:
      for block in 0..<count / 256 { QuantizedBlocks.widenQ6(source + 210 * block, to: target + 256 * block) }
    }
  }

  /// Half precision's exponent and fraction in float32's places are the value times 2⁻¹¹², subnormal or not; all
  /// ones in the exponent stay. It needs no instruction of its own.
  @inline(__always)
  static func widen(half bits: UInt16) -> Float {
    let sign = UInt32(bits & 0x8000) << 16
    let magnitude = UInt32(bits & 0x7FFF) << 13
    let isFinite = magnitude < 0x0F80_0000
    let finite = (Float(bitPattern: magnitude) * 0x1p112).bitPattern
    return Float(bitPattern: sign | (isFinite ? finite : magnitude | 0x7F80_0000))
  }

  /// The nearest of half precision's numbers, ties to even; infinity from 65,520 on, and for NaN.
  @inlinable @inline(__always)
  package static func narrow(half value: Float) -> UInt16 {
    let sign = UInt16(truncatingIfNeeded: value.bitPattern >> 16) & 0x8000
    let magnitude = value.magnitude
    guard magnitude < 65520 else { return sign | 0x7C00 }
    guard magnitude >= 0x1p-14 else {
      // The floats from a half to one have the step of half precision's subnormal numbers.
      return sign | UInt16(truncatingIfNeeded: (magnitude + 0.5).bitPattern &- Float(0.5).bitPattern)
    }
    let bits = magnitude.bitPattern &- 112 << 23
    return sign | UInt16(truncatingIfNeeded: (bits &+ 0xFFF &+ (bits >> 13 & 1)) >> 13)
  }
}

/// ggml's quantized blocks (ggml-quants.c), widened as its `dequantize_row_…` does, to the bit.
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

  /// The lower four bits of 256 values (128 bytes), their upper two (64), a signed scale for each 16 values (16), and
  /// a scale of all. Within each half of 128 values, value 32 · q + i has its lower bits in byte i (or i + 32, for
  /// odd q), in that byte's upper half for q > 1, and its upper bits in pair q of byte i. All are 32 too large.
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
