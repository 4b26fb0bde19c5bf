import CSystem

extension Variant {
  static let packed = Variant(
    name: "packed",
    summary: "weights in panels, 8 × 3-vector tiles at the CPU's full width, cache blocking, fused epilogues",
    decoding: .cache, isThreaded: true,
    makeKernel: { Packed(pool: $0) })
}

/// `PanelKernel` at the width that this build's CPU has. Each case names its type, so that the compiler specialises
/// every one of them; a generic conformance would run unspecialised as `any Kernel`.
struct Packed: Kernel {
  let pool: ThreadPool
  /// Floats in a vector: 4, 8 or 16.
  let lanes: Int
  /// Rows of the highest tile: 4 or 8.
  let tileRows: Int

  init(pool: ThreadPool, lanes: Int, tileRows: Int) {
    (self.pool, self.lanes, self.tileRows) = (pool, lanes, tileRows)
  }

  /// As wide and as high as this build's CPU allows.
  init(pool: ThreadPool) {
    self.init(
      pool: pool, lanes: Int(csystem_vector_bytes()) / 4, tileRows: csystem_vector_registers() >= 32 ? 8 : 4)
  }

  var weightLayout: WeightLayout { .panels(vector: lanes) }
  var cacheLayout: CacheLayout { .panels(vector: lanes) }
  var trainingPath: TrainingPath { .vectors(of: lanes) }

  @inline(__always)
  private func pick(
    _ four: (PanelKernel<SIMD4<Float>>) -> Void, _ eight: (PanelKernel<SIMD8<Float>>) -> Void,
    _ sixteen: (PanelKernel<SIMD16<Float>>) -> Void
  ) {
    switch lanes {
    case 4: four(PanelKernel(pool: pool, tileRows: tileRows))
    case 8: eight(PanelKernel(pool: pool, tileRows: tileRows))
    default: sixteen(PanelKernel(pool: pool, tileRows: tileRows))
    }
  }

  func run(_ work: Linear) { pick({ $0.run(work) }, { $0.run(work) }, { $0.run(work) }) }
  func run(_ work: LayerNorm) { pick({ $0.run(work) }, { $0.run(work) }, { $0.run(work) }) }
  func run(_ work: GELU) { pick({ $0.run(work) }, { $0.run(work) }, { $0.run(work) }) }
  func run(_ work: Addition) { pick({ $0.run(work) }, { $0.run(work) }, { $0.run(work) }) }
  func run(_ work: [CacheStore]) { pick({ $0.run(work) }, { $0.run(work) }, { $0.run(work) }) }
  func run(_ work: [Attention]) { pick({ $0.run(work) }, { $0.run(work) }, { $0.run(work) }) }
  func run(_ work: Softmax) { pick({ $0.run(work) }, { $0.run(work) }, { $0.run(work) }) }
  func forEach(_ count: Int, _ body: (Int) -> Void) { pool.forEach(count, body) }
}
