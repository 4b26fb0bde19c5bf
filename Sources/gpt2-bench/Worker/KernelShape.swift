import GPT2Engine
import GPT2Kernels
import Reporting

/// What is timed alone: a matrix product or another operation of a GPT-2.
enum KernelShape: Hashable {
  case product(GemmShape)
  case operation(OperationShape)

  /// What a message names; nil where it names neither.
  init?(gemm: GemmShape?, operation: OperationShape?) {
    if let gemm {
      self = .product(gemm)
    } else if let operation {
      self = .operation(operation)
    } else {
      return nil
    }
  }

  var gemm: GemmShape? { if case .product(let shape) = self { shape } else { nil } }
  var operation: OperationShape? { if case .operation(let shape) = self { shape } else { nil } }

  /// - Parameter rotation: the memory that weights take turns in, the same for all operations of a process; nil for a
  ///   problem that will only be checked.
  func problem(kernel: any Kernel, rotation: WeightRotation?) throws -> any OperationProblem {
    switch self {
    case .product(let shape):
      try StreamedLinearProblem(m: shape.m, n: shape.n, k: shape.k, kernel: kernel, rotation: rotation)
    case .operation(.layerNorm(let rows, let channels)):
      try LayerNormProblem(rows: rows, channels: channels, kernel: kernel, rotation: rotation)
    case .operation(.gelu(let rows, let channels)):
      try GELUProblem(count: rows * channels, kernel: kernel)
    case .operation(.softmax(let rows, let heads, let depth)):
      try SoftmaxProblem(rows: rows, heads: heads, depth: depth, kernel: kernel)
    case .operation(.attention(let rows, let heads, let headSize, let depth)):
      try AttentionProblem(
        rows: rows, heads: heads, headSize: headSize, depth: depth, kernel: kernel, rotation: rotation)
    case .operation(.embedding(let rows, let channels, let vocabulary)):
      try EmbeddingProblem(
        rows: rows, channels: channels, vocabulary: vocabulary, kernel: kernel, rotation: rotation)
    case .operation(.sampling(let vocabulary, let choice)):
      try SamplingProblem(
        vocabulary: vocabulary, parameters: try choice.parameters, kernel: kernel, rotation: rotation)
    }
  }

  /// What ragged shapes of the same operation show; nil where all are right.
  func firstRaggedFailure(of kernel: any Kernel) throws -> String? {
    switch self {
    case .product: try LinearProblem.firstRaggedFailure(of: kernel)
    case .operation(.layerNorm): try LayerNormProblem.firstRaggedFailure(of: kernel)
    case .operation(.gelu): try GELUProblem.firstRaggedFailure(of: kernel)
    case .operation(.softmax): try SoftmaxProblem.firstRaggedFailure(of: kernel)
    case .operation(.attention): try AttentionProblem.firstRaggedFailure(of: kernel)
    case .operation(.embedding): try EmbeddingProblem.firstRaggedFailure(of: kernel)
    case .operation(.sampling(_, let choice)):
      try SamplingProblem.firstRaggedFailure(of: try choice.parameters, kernel)
    }
  }

  /// What a worker keeps for it beside the rotation, in bytes.
  func bytes(streamedBytes: Int) -> Double {
    switch self {
    case .product(let shape):
      Double(3 * 4 * shape.k * shape.n + 4 * shape.m * (shape.k + shape.n))
    case .operation(.layerNorm(let rows, let channels)):
      LayerNormProblem.bytes(rows: rows, channels: channels)
    case .operation(.embedding(let rows, let channels, let vocabulary)):
      EmbeddingProblem.bytes(rows: rows, channels: channels, vocabulary: vocabulary)
    case .operation(.gelu(let rows, let channels)): 8 * Double(rows) * Double(channels)
    case .operation(.softmax(let rows, let heads, let depth)):
      4 * Double(rows) * Double(heads) * Double(depth + rows)
    case .operation(.attention(let rows, let heads, let headSize, let depth)):
      AttentionProblem.bytes(
        rows: rows, heads: heads, headSize: headSize, depth: depth, streamedBytes: streamedBytes)
    case .operation(.sampling(let vocabulary, _)): 16 * Double(vocabulary)
    }
  }

  /// The cell that a run measures.
  var cell: CellPlan {
    switch self {
    case .product(let shape): GemmCells.make(shape)
    case .operation(let shape): OperationCells.make(shape)
    }
  }
}

extension OperationShape.Choice {
  /// A seed of its own: every sample goes on in one stream of draws.
  var parameters: SamplingParameters {
    get throws {
      switch self {
      case .greedy: .greedy
      case .temperature: try SamplingParameters(temperature: Self.temperatureOfDraws)
      case .topK: try SamplingParameters(temperature: Self.temperatureOfDraws, topK: Self.k)
      case .topP: try SamplingParameters(temperature: Self.temperatureOfDraws, topP: Self.p)
      }
    }
  }
}
