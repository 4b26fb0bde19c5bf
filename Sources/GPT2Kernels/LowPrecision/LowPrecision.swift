import CSystem

/// The instructions that products of low precision run on, by the name that a record shows.
public enum DotPath: String, Sendable, CaseIterable {
  case amxBF16 = "amx_bf16"
  case avx512BF16 = "avx512_bf16"
  case avx512VNNI = "avx512_vnni"
  case avxVNNI = "avx_vnni"
  /// float32's own, of numbers that are widened first.
  case avx512F = "avx512f"
  case avx2
  /// Whatever the compiler makes of plain arithmetic; the others are held against it.
  case scalar

  /// Those that this build has for a precision, the fastest first.
  public static func all(for precision: WeightPrecision) -> [DotPath] {
    let paths: [DotPath]
    switch precision {
    case .f32: paths = []
    // Intel's cores take two cycles for a product of pairs, longer than two fused multiply-adds of widened numbers.
    case .bf16:
      paths =
        csystem_is_intel() != 0
        ? [.amxBF16, .avx512F, .avx512BF16, .avx2, .scalar] : [.avx512BF16, .avx512F, .avx2, .scalar]
    case .int8, .int4: paths = [.avx512VNNI, .avxVNNI, .avx2, .scalar]
    }
    return paths.filter(\.isBuilt)
  }

  private static let allowsAMX = csystem_allows_amx_bf16() != 0

  private var isBuilt: Bool {
    switch self {
    case .amxBF16: Self.allowsAMX
    case .avx512BF16: csystem_has_avx512_bf16() != 0
    case .avx512VNNI: csystem_has_avx512_vnni() != 0
    case .avxVNNI: csystem_has_avx_vnni() != 0
    case .avx512F: csystem_vector_bytes() >= 64
    case .avx2: csystem_has_avx2() != 0
    case .scalar: true
    }
  }

  /// Whether rows are rounded to bfloat16 before they are multiplied, and subnormal numbers are taken as 0.
  public var roundsRows: Bool { self == .amxBF16 || self == .avx512BF16 }

  /// Sums in a vector.
  var lanes: Int {
    switch self {
    case .amxBF16, .avx512BF16, .avx512VNNI, .avx512F: 16
    case .avxVNNI, .avx2, .scalar: 8
    }
  }
}

/// `packed` with other weights: products run on panels of narrow numbers, everything else is `packed`'s. Each case
/// names its type, so that the compiler specialises every one of them.
struct LowPrecision: Kernel {
  let base: Packed
  let precision: WeightPrecision
  let path: DotPath

  /// - Parameter path: the fastest that this build has unless given.
  init(
    _ precision: WeightPrecision, pool: ThreadPool, path: DotPath? = nil, cache: WeightPrecision = .f32
  ) {
    base = Packed(pool: pool, cache: cache)
    self.precision = precision
    self.path = path ?? DotPath.all(for: precision)[0]
  }

  var weightLayout: WeightLayout { .panels(vector: path.lanes, of: precision) }
  var outputLayout: WeightLayout { weightLayout }
  var cacheLayout: CacheLayout { base.cacheLayout }
  var trainingPath: TrainingPath { base.trainingPath }
  var instructions: String? { path.rawValue }

  func run(_ work: Linear) {
    if work.weight.layout == .rows || work.weight.layout == .columns { return base.run(work) }
    switch (precision, path) {
    case (.f32, _): base.run(work)
    case (.bf16, .amxBF16): run(work, BrainSum16<MatrixUnit>.self)
    case (.bf16, .avx512BF16): run(work, BrainSum16<VectorUnit>.self)
    case (.bf16, .avx512F): run(work, WidenedBrainSum<SIMD16<Float>>.self)
    case (.bf16, _): run(work, WidenedBrainSum<SIMD8<Float>>.self)
    case (.int8, .avx512VNNI): run(work, ByteSum<AVX512ByteDot>.self)
    case (.int8, .avxVNNI): run(work, ByteSum<AVXByteDot>.self)
    case (.int8, .avx2): run(work, ByteSum<AVX2ByteDot>.self)
    case (.int8, _): run(work, ByteSum<ScalarByteDot>.self)
    case (.int4, .avx512VNNI): run(work, NibbleSum<AVX512ByteDot>.self)
    case (.int4, .avxVNNI): run(work, NibbleSum<AVXByteDot>.self)
    case (.int4, .avx2): run(work, NibbleSum<AVX2ByteDot>.self)
    case (.int4, _): run(work, NibbleSum<ScalarByteDot>.self)
    }
  }

  /// Rows of pairs are read as they are where float32 is multiplied, unless the last pair lacks its second.
  private func readsFloats(_ work: Linear) -> Bool {
    precision == .bf16 && !path.roundsRows && work.weight.inputs % 2 == 0
  }

  @inline(__always)
  private func run<Sum: TileSum>(_ work: Linear, _: Sum.Type) {
    let registers = Int(csystem_vector_registers())
    PanelLinear<Sum>(
      pool: base.pool,
      tileRows: registers >= 32 || Sum.isMatrixUnit ? Sum.highestTile : Sum.highestTile / 2,
      shape: PanelShape(vector: path.lanes, precision),
      convertsRows: !readsFloats(work)
    ).run(work)
  }

  func run(_ work: LayerNorm) { base.run(work) }
  func run(_ work: GELU) { base.run(work) }
  func run(_ work: Addition) { base.run(work) }
  func run(_ work: [CacheStore]) { base.run(work) }
  func run(_ work: [Attention]) { base.run(work) }
  func run(_ work: Softmax) { base.run(work) }
  func forEach(_ count: Int, _ body: (Int) -> Void) { base.forEach(count, body) }
}
