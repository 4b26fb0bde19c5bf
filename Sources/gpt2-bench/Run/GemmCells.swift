import GPT2Kernels
import Reporting

/// The cell of one matrix product.
enum GemmCells {
  /// What a report says of it.
  static let warmup = "as many calls as it took to find out how many last 10 ms"

  static func make(_ shape: GemmShape) -> CellPlan {
    let work = (
      flops: Linear.flops(m: shape.m, n: shape.n, k: shape.k),
      bytes: Linear.bytes(m: shape.m, n: shape.n, k: shape.k)
    )
    return CellPlan(
      test: .gemm(m: shape.m, k: shape.k, n: shape.n),
      request: RunRequest(generation: nil, gemm: shape), warmup: nil, work: { _ in work },
      warmupRatio: { _ in 1 })
  }
}
