import CSystem

/// The two loops that ceilings are measured with.
enum PeakKernels {
  /// Chains of multiply-adds that do not wait for each other: at least latency × units of any core (4 × 2 on
  /// x86-64, 4 × 4 on Apple's), and few enough for 16 registers of 32 bytes.
  #if arch(arm64)
    static let chains = 16
  #else
    static let chains = 12
  #endif

  /// Floating-point operations of one pass of `multiplyAdd`: each lane of each chain multiplies and adds.
  static var operationsPerPass: Int { 2 * chains * Int(csystem_vector_bytes()) / 4 }

  /// `passes` fused multiply-adds on every chain, in vectors as wide as this build may use. Nothing is loaded
  /// or stored inside the loop.
  @inline(never)
  static func multiplyAdd(passes: Int) {
    switch csystem_vector_bytes() {
    case 64: multiplyAdd(passes, SIMD16<Float>.self)
    case 32: multiplyAdd(passes, SIMD8<Float>.self)
    default: multiplyAdd(passes, SIMD4<Float>.self)
    }
  }

  @inline(__always)
  private static func multiplyAdd<Vector: SIMD>(_ passes: Int, _ type: Vector.Type)
  where Vector.Scalar == Float {
    // x·y is small enough that no sum leaves the range of ordinary numbers.
    let x = Vector(repeating: Float(launder(3)) * 0x1p-20)
    let y = Vector(repeating: Float(launder(5)) * 0x1p-20)
    #if arch(arm64)
      var sums = InlineArray<16, Vector>(repeating: x)
    #else
      var sums = InlineArray<12, Vector>(repeating: x)
    #endif
    for _ in 0..<launder(passes) {
      for chain in sums.indices { sums[chain].addProduct(x, y) }
    }
    blackHole(sums)
  }

  /// Reads every byte of the buffer once, in order, and uses it. `bytes` is a multiple of 512.
  @inline(never)
  static func readAll(_ start: UnsafeRawPointer, bytes: Int) {
    typealias Vector = SIMD16<UInt32>
    var sums = InlineArray<8, Vector>(repeating: .zero)
    var offset = 0
    while offset < bytes {
      for part in sums.indices {
        sums[part] ^= start.loadUnaligned(fromByteOffset: offset + 64 * part, as: Vector.self)
      }
      offset += 512
    }
    blackHole(sums)
  }
}
