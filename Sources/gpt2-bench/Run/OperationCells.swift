import GPT2Engine
import GPT2Kernels
import Record

/// The cell of one operation.
enum OperationCells {
  /// What a report says of a matrix product's warm-up, and of another operation's.
  static let matmulWarmup = "as many calls as it took to find out how many last 10 ms"
  static let warmup =
    "as many calls as it took to find out how many last 10 ms, or 2 ms, or 100 ms with its preparation, where each call "
    + "is prepared for"

  static func make(_ shape: OperationShape) -> CellPlan {
    let work = work(of: shape)
    return CellPlan(
      test: .operation(shape), request: RunRequest(operation: shape),
      warmup: nil, work: { _ in (work.flops, work.bytes) }, streamedBytes: work.streamed,
      warmupRatio: { _ in 1 })
  }

  /// Arithmetic, compulsory traffic, and what of it comes from memory; see the operations for what is counted.
  /// Of a matrix product it is all from memory, which its roof knows.
  private static func work(of shape: OperationShape) -> (flops: Double, bytes: Double, streamed: Double?) {
    switch shape {
    case .matmul(let m, let k, let n):
      (Linear.flops(m: m, n: n, k: k), Linear.bytes(m: m, n: n, k: k), nil)
    case .layerNorm(let rows, let channels):
      (
        LayerNorm.flops(rows: rows, channels: channels), LayerNorm.bytes(rows: rows, channels: channels),
        LayerNorm.vectorBytes(channels: channels)
      )
    case .gelu(let rows, let channels):
      (GELU.flops(count: rows * channels), GELU.bytes(count: rows * channels), 0)
    case .softmax(let rows, let heads, let depth):
      (
        Softmax.flops(rows: rows, firstPosition: depth, heads: heads),
        Softmax.bytes(rows: rows, firstPosition: depth, heads: heads), 0
      )
    case .attention(let rows, let heads, let headSize, let depth):
      (
        Attention.flops(rows: rows, firstPosition: depth, channels: heads * headSize),
        Attention.bytes(rows: rows, firstPosition: depth, channels: heads * headSize),
        Attention.cachedBytes(firstPosition: depth, channels: heads * headSize)
      )
    case .embedding(let rows, let channels, _):
      (
        Embedding.flops(rows: rows, channels: channels), Embedding.bytes(rows: rows, channels: channels),
        Embedding.tableBytes(rows: rows, channels: channels)
      )
    case .sampling(let vocabulary, _): (0, 4 * Double(vocabulary), 0)
    }
  }
}
