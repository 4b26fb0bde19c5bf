/// The numbers that a file holds, and how they become float32: exactly, or as ggml widens its blocks.
enum TensorEncoding: Sendable, Equatable {
  case float32
  /// IEEE 754's half precision.
  case float16
  /// The upper half of a float32.
  case bfloat16
  /// ggml's blocks of 32 values, eight or four bits each, and of 256 values of six bits: `QuantizedBlocks`.
  case q8, q4, q6

  /// How many values lie in one piece of the file that cannot be divided.
  var blockLength: Int {
    switch self {
    case .float32, .float16, .bfloat16: 1
    case .q8, .q4: 32
    case .q6: 256
    }
  }

  /// What `count` values, whole blocks, take in the file.
  func bytes(of count: Int) -> Int {
    let blockBytes =
      switch self {
      case .float32: 4
      case .float16, .bfloat16: 2
      case .q8: 34
      case .q4: 18
      case .q6: 210
      }
    return count / blockLength * blockBytes
  }

  /// Widens `count` values, whole blocks, little-endian and at any address, to float32. NaNs keep their
  /// payload.
  func decode(_ source: UnsafeRawPointer, _ count: Int, to target: UnsafeMutablePointer<Float>) {
    switch self {
    case .float32:
      UnsafeMutableRawPointer(target).copyMemory(from: source, byteCount: 4 * count)
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

  /// Half precision's exponent and fraction in float32's places are the value times 2⁻¹¹², subnormal or not;
  /// all ones in the exponent stay all ones. In integers and one product, so that it needs no instruction of
  /// its own.
  @inline(__always)
  static func widen(half bits: UInt16) -> Float {
    let sign = UInt32(bits & 0x8000) << 16
    let magnitude = UInt32(bits & 0x7FFF) << 13
    let isFinite = magnitude < 0x0F80_0000
    let finite = (Float(bitPattern: magnitude) * 0x1p112).bitPattern
    return Float(bitPattern: sign | (isFinite ? finite : magnitude | 0x7F80_0000))
  }
}
