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

  /// As the engine makes problems of it.
  var modelOperation: ModelOperation {
    get throws {
      switch self {
      case .product(let shape): .linear(m: shape.m, n: shape.n, k: shape.k)
      case .operation(.layerNorm(let rows, let channels)): .layerNorm(rows: rows, channels: channels)
      case .operation(.gelu(let rows, let channels)): .gelu(rows: rows, channels: channels)
      case .operation(.softmax(let rows, let heads, let depth)):
        .softmax(rows: rows, heads: heads, depth: depth)
      case .operation(.attention(let rows, let heads, let headSize, let depth)):
        .attention(rows: rows, heads: heads, headSize: headSize, depth: depth)
      case .operation(.embedding(let rows, let channels, let vocabulary)):
        .embedding(rows: rows, channels: channels, vocabulary: vocabulary)
      case .operation(.sampling(let vocabulary, let choice)):
        .sampling(vocabulary: vocabulary, try choice.parameters)
      }
    }
  }

  func problem(kernel: any Kernel, rotation: WeightRotation?) throws -> any OperationProblem {
    try modelOperation.problem(kernel: kernel, rotation: rotation)
  }

  func firstRaggedFailure(of kernel: any Kernel) throws -> String? {
    try modelOperation.firstRaggedFailure(of: kernel)
  }

  func bytes(streamedBytes: Int) throws -> Double { try modelOperation.bytes(streamedBytes: streamedBytes) }

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
