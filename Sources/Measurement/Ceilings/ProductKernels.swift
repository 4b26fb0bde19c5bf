import CSystem
import Record

/// A loop of one of the CPU's instructions for products of narrow numbers, or of the few that stand for one.
enum ProductKernel: String, CaseIterable {
  case amxBF16 = "amx_bf16"
  case avx512BF16 = "avx512_bf16"
  case avx512VNNI = "avx512_vnni"
  case avxVNNI = "avx_vnni"
  case avx2

  /// The fastest that this build has for such numbers; nil where it has none, as on arm64.
  static func fastest(for numbers: ProductPeak.Numbers) -> ProductKernel? {
    allCases.first { $0.numbers == numbers && $0.isBuilt }
  }

  var numbers: ProductPeak.Numbers { self == .amxBF16 || self == .avx512BF16 ? .bf16 : .int8 }

  private var isBuilt: Bool {
    switch self {
    case .amxBF16: csystem_allows_amx_bf16() != 0
    case .avx512BF16: csystem_has_avx512_bf16() != 0
    case .avx512VNNI: csystem_has_avx512_vnni() != 0
    case .avxVNNI: csystem_has_avx_vnni() != 0
    case .avx2: csystem_has_avx2() != 0
    }
  }

  /// Chains that do not wait for each other, as many as 16 registers hold beside the operands: at least latency × units of
  /// any core.
  private static let chains = 12

  /// Two for each product of each lane of each chain.
  var operationsPerPass: Int {
    switch self {
    case .amxBF16: 6 * 16 * 16 * 32 * 2
    case .avx512BF16: Self.chains * 16 * 2 * 2
    case .avx512VNNI: Self.chains * 16 * 4 * 2
    case .avxVNNI, .avx2: Self.chains * 8 * 4 * 2
    }
  }

  /// Nothing is loaded or stored inside the loop.
  func run(passes: Int) {
    switch self {
    case .amxBF16: tiles(passes)
    case .avx512BF16: pairs(passes)
    case .avx512VNNI: bytes16(passes)
    case .avxVNNI: bytes8(passes)
    case .avx2: bytesByWords(passes)
    }
  }

  /// Six tiles of sums, each 16 rows by 16 columns.
  @inline(never)
  private func tiles(_ passes: Int) {
    var sums = InlineArray<1536, Float>(repeating: 0)
    var span = sums.mutableSpan
    span.withUnsafeMutableBufferPointer {
      csystem_amx_bf16_loop(
        launder(passes), Float(bitPattern: UInt32(launder(0x3000_3000))), $0.baseAddress!)
    }
    blackHole(sums[0])
  }

  @inline(never)
  private func pairs(_ passes: Int) {
    // As two bfloat16 it is small enough that no sum leaves the range of ordinary numbers.
    let x = SIMD16<Float>(repeating: Float(bitPattern: UInt32(launder(0x3000_3000))))
    var sums = InlineArray<12, SIMD16<Float>>(repeating: x)
    for _ in 0..<launder(passes) {
      for chain in sums.indices { sums[chain] = csystem_dot_bf16(sums[chain], x, x) }
    }
    blackHole(sums)
  }

  @inline(never)
  private func bytes16(_ passes: Int) {
    let x = SIMD16<Int32>(repeating: Int32(launder(0x0102_0304)))
    var sums = InlineArray<12, SIMD16<Int32>>(repeating: x)
    for _ in 0..<launder(passes) {
      for chain in sums.indices { sums[chain] = csystem_dot_bytes_16(sums[chain], x, x) }
    }
    blackHole(sums)
  }

  @inline(never)
  private func bytes8(_ passes: Int) {
    let x = SIMD8<Int32>(repeating: Int32(launder(0x0102_0304)))
    var sums = InlineArray<12, SIMD8<Int32>>(repeating: x)
    for _ in 0..<launder(passes) {
      for chain in sums.indices { sums[chain] = csystem_dot_bytes_8(sums[chain], x, x) }
    }
    blackHole(sums)
  }

  /// Each product takes its chain's sum: of operands that stay the same it would be taken out of the loop.
  @inline(never)
  private func bytesByWords(_ passes: Int) {
    let x = SIMD8<Int32>(repeating: Int32(launder(0x0102_0304)))
    var sums = InlineArray<12, SIMD8<Int32>>(repeating: x)
    for _ in 0..<launder(passes) {
      for chain in sums.indices { sums[chain] = csystem_dot_small_bytes_8(sums[chain], sums[chain], x) }
    }
    blackHole(sums)
  }
}
