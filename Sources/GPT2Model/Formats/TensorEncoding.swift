/// The numbers that a file holds, each of which float32 holds exactly.
enum TensorEncoding: Sendable, Equatable {
  case float32
  /// IEEE 754's half precision.
  case float16
  /// The upper half of a float32.
  case bfloat16

  /// What `count` values take in the file.
  func bytes(of count: Int) -> Int {
    switch self {
    case .float32: 4 * count
    case .float16, .bfloat16: 2 * count
    }
  }

  /// Widens `count` values, little-endian and at any address, to float32. NaNs keep their payload.
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
    }
  }

  /// Half precision's exponent and fraction in float32's places are the value times 2⁻¹¹², subnormal or not; all
  /// ones in the exponent stay all ones. In integers and one product, so that it needs no instruction of its own.
  @inline(__always)
  private static func widen(half bits: UInt16) -> Float {
    let sign = UInt32(bits & 0x8000) << 16
    let magnitude = UInt32(bits & 0x7FFF) << 13
    let isFinite = magnitude < 0x0F80_0000
    let finite = (Float(bitPattern: magnitude) * 0x1p112).bitPattern
    return Float(bitPattern: sign | (isFinite ? finite : magnitude | 0x7F80_0000))
  }
}
