/// What one cell measures. Its `name` is the `test` column.
public enum Test: Sendable, Hashable {
  /// A prompt of `tokens` ids, then one token: TTFT and prefill. `pp64`
  case prefill(tokens: Int, batch: Int)
  /// A prompt of `depth` ids, then `tokens` new ones: TPOT, ITL and decode tok/s. `tg32 @ d64`
  case decode(tokens: Int, depth: Int, batch: Int)
  /// An operation alone. `64x768x3072` of a matrix product, `layernorm 64x768`
  case operation(OperationShape)

  /// `pp64`, `tg32 @ d64`, `64x768x3072` (M, K, N), `layernorm 64x768`; ` b4` after it for a batch of four.
  public var name: String {
    switch self {
    case .prefill(let tokens, let batch):
      return "pp\(tokens)" + Self.suffix(batch: batch)
    case .decode(let tokens, let depth, let batch):
      return "tg\(tokens)" + (depth > 0 ? " @ d\(depth)" : "") + Self.suffix(batch: batch)
    case .operation(let shape):
      return shape.name
    }
  }

  private static func suffix(batch: Int) -> String { batch > 1 ? " b\(batch)" : "" }

  /// Sequences computed together.
  public var batch: Int {
    switch self {
    case .prefill(_, let batch), .decode(_, _, let batch): return batch
    case .operation: return 1
    }
  }

  /// Tokens that one primary duration of the cell yields; nil for an operation.
  public var tokensPerPrimaryDuration: Double? {
    switch self {
    case .prefill(let tokens, let batch): return Double(tokens) * Double(batch)
    case .decode(_, _, let batch): return Double(batch)
    case .operation: return nil
    }
  }

  /// 2·M·N·K of a matrix product; nil for another test.
  public var matmulFlops: Double? {
    guard case .operation(.matmul(let m, let k, let n)) = self else { return nil }
    return 2 * Double(m) * Double(n) * Double(k)
  }
}

extension Test: Codable {
  /// As JSON has it: a matrix product has a word of its own there.
  enum Stored: Codable {
    case prefill(tokens: Int, batch: Int)
    case decode(tokens: Int, depth: Int, batch: Int)
    case gemm(m: Int, k: Int, n: Int)
    case operation(shape: OperationShape)
  }

  public init(from decoder: any Decoder) throws {
    self =
      switch try Stored(from: decoder) {
      case .prefill(let tokens, let batch): .prefill(tokens: tokens, batch: batch)
      case .decode(let tokens, let depth, let batch): .decode(tokens: tokens, depth: depth, batch: batch)
      case .gemm(let m, let k, let n): .operation(.matmul(m: m, k: k, n: n))
      case .operation(let shape): .operation(shape)
      }
  }

  public func encode(to encoder: any Encoder) throws {
    let stored: Stored =
      switch self {
      case .prefill(let tokens, let batch): .prefill(tokens: tokens, batch: batch)
      case .decode(let tokens, let depth, let batch): .decode(tokens: tokens, depth: depth, batch: batch)
      case .operation(.matmul(let m, let k, let n)): .gemm(m: m, k: k, n: n)
      case .operation(let shape): .operation(shape: shape)
      }
    try stored.encode(to: encoder)
  }
}
