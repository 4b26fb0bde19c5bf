import GPT2Kernels

/// An operation of a GPT-2 of some shape, as it is checked and timed alone: what makes its problem, and what it takes.
public enum ModelOperation: Hashable, Sendable {
  /// out(m, n) = input(m, k) · weight(n, k)ᵀ
  case linear(m: Int, n: Int, k: Int)
  case layerNorm(rows: Int, channels: Int)
  case gelu(rows: Int, channels: Int)
  /// Of the scores of `rows` new positions after `depth` others, of all heads.
  case softmax(rows: Int, heads: Int, depth: Int)
  /// Of `rows` new positions after `depth` others.
  case attention(rows: Int, heads: Int, headSize: Int, depth: Int)
  case embedding(rows: Int, channels: Int, vocabulary: Int)
  /// The choice of one token.
  case sampling(vocabulary: Int, SamplingParameters)

  /// - Parameters:
  ///   - rotation: the memory that weights take turns in, the same for all operations of a process; nil for a problem
  ///     that will only be checked.
  ///   - operands: of a problem that will only be checked. Softmax, embedding and sampling have none but ordinary ones.
  public func problem(
    kernel: any Kernel, rotation: WeightRotation?, operands: Operands = .ordinary
  ) throws(EngineError) -> any OperationProblem {
    switch self {
    case .linear(let m, let n, let k):
      try LinearProblem(m: m, n: n, k: k, kernel: kernel, rotation: rotation, operands: operands)
    case .layerNorm(let rows, let channels):
      try LayerNormProblem(
        rows: rows, channels: channels, kernel: kernel, rotation: rotation, operands: operands)
    case .gelu(let rows, let channels):
      try GELUProblem(count: rows * channels, kernel: kernel, operands: operands)
    case .softmax(let rows, let heads, let depth):
      try SoftmaxProblem(rows: rows, heads: heads, depth: depth, kernel: kernel)
    case .attention(let rows, let heads, let headSize, let depth):
      try AttentionProblem(
        rows: rows, heads: heads, headSize: headSize, depth: depth, kernel: kernel, rotation: rotation,
        operands: operands)
    case .embedding(let rows, let channels, let vocabulary):
      try EmbeddingProblem(
        rows: rows, channels: channels, vocabulary: vocabulary, kernel: kernel, rotation: rotation)
    case .sampling(let vocabulary, let parameters):
      try SamplingProblem(vocabulary: vocabulary, parameters: parameters, kernel: kernel, rotation: rotation)
    }
  }

  /// The first failure among ragged shapes of the same operation, in a line; nil where all are right. Each is computed
  /// several times: what threads do to each other shows in some runs only.
  public func firstRaggedFailure(of kernel: any Kernel) throws(EngineError) -> String? {
    for operands in Operands.allCases where operands == .ordinary || hasSubnormalOperands {
      for shape in raggedShapes {
        let problem = try shape.problem(kernel: kernel, rotation: nil, operands: operands)
        for _ in 0..<Self.repetitions {
          guard let failure = problem.check().failure else { continue }
          return "\(shape.sizes)\(operands == .subnormal ? " of subnormal numbers" : ""): \(failure)"
        }
      }
    }
    return nil
  }

  private static let repetitions = 3

  private var hasSubnormalOperands: Bool {
    switch self {
    case .linear, .layerNorm, .gelu, .attention: true
    case .softmax, .embedding, .sampling: false
    }
  }

  /// Shapes that every kernel is checked on before any is timed: sizes around the widths of vectors and tiles.
  private var raggedShapes: [ModelOperation] {
    let widths = [1, 7, 8, 9, 15, 17, 63, 65]
    let someRows = [1, 2, 5, 9]
    switch self {
    case .linear:
      return [1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 16, 17].flatMap { m in
        [1, 3, 7, 8, 9, 17].flatMap { n in
          [1, 7, 8, 9, 17, 63, 65, 130].map { k in .linear(m: m, n: n, k: k) }
        }
      }
    case .layerNorm: return someRows.flatMap { rows in widths.map { .layerNorm(rows: rows, channels: $0) } }
    case .gelu:
      // The last two have parts for several threads.
      return (widths + [2049, 8193]).map { .gelu(rows: 1, channels: $0) }
    case .softmax:
      return [(1, 1), (1, 3), (5, 1), (9, 3)].flatMap { rows, heads in
        widths.filter { $0 >= rows }.map { .softmax(rows: rows, heads: heads, depth: $0 - rows) }
      }
    case .attention:
      return [(1, 1), (1, 3), (5, 2), (9, 3)].flatMap { rows, heads in
        widths.flatMap { size in
          [0, 1, 7, 46, 63].map { .attention(rows: rows, heads: heads, headSize: size, depth: $0) }
        }
      }
    case .embedding:
      return someRows.flatMap { rows in widths.map { .embedding(rows: rows, channels: $0, vocabulary: 50) } }
    case .sampling(_, let parameters): return widths.map { .sampling(vocabulary: $0, parameters) }
    }
  }

  private var sizes: String {
    switch self {
    case .linear(let m, let n, let k): "\(m)x\(k)x\(n)"
    case .gelu(let rows, let channels): "\(rows * channels)"
    case .layerNorm(let rows, let channels), .embedding(let rows, let channels, _): "\(rows)x\(channels)"
    case .softmax(let rows, let heads, let depth): "\(rows)x\(heads) @ d\(depth)"
    case .attention(let rows, let heads, let size, let depth): "\(rows)x\(heads)x\(size) @ d\(depth)"
    case .sampling(let vocabulary, _): "\(vocabulary)"
    }
  }

  /// What a worker keeps for it beside the rotation, in bytes.
  public func bytes(streamedBytes: Int) -> Double {
    switch self {
    case .linear(let m, let n, let k): LinearProblem.bytes(m: m, n: n, k: k)
    case .layerNorm(let rows, let channels): LayerNormProblem.bytes(rows: rows, channels: channels)
    case .gelu(let rows, let channels): 8 * Double(rows) * Double(channels)
    case .softmax(let rows, let heads, let depth): 4 * Double(rows) * Double(heads) * Double(depth + rows)
    case .attention(let rows, let heads, let headSize, let depth):
      AttentionProblem.bytes(
        rows: rows, heads: heads, headSize: headSize, depth: depth, streamedBytes: streamedBytes)
    case .embedding(let rows, let channels, let vocabulary):
      EmbeddingProblem.bytes(rows: rows, channels: channels, vocabulary: vocabulary)
    case .sampling(let vocabulary, _): 16 * Double(vocabulary)
    }
  }
}
