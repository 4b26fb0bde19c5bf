import GPT2Engine
import GPT2Kernels
import Record

/// An operation of a GPT-2 as a worker times and checks it alone.
extension OperationShape {
  /// - Parameter rotation: the memory that weights take turns in, the same for all operations of a process; nil for a
  ///   problem that will only be checked.
  func problem(kernel: any Kernel, rotation: WeightRotation?) throws -> any OperationProblem {
    switch self {
    case .matmul(let m, let k, let n):
      try StreamedLinearProblem(m: m, n: n, k: k, kernel: kernel, rotation: rotation)
    case .layerNorm(let rows, let channels):
      try LayerNormProblem(rows: rows, channels: channels, kernel: kernel, rotation: rotation)
    case .gelu(let rows, let channels):
      try GELUProblem(count: rows * channels, kernel: kernel)
    case .softmax(let rows, let heads, let depth):
      try SoftmaxProblem(rows: rows, heads: heads, depth: depth, kernel: kernel)
    case .attention(let rows, let heads, let headSize, let depth):
      try AttentionProblem(
        rows: rows, heads: heads, headSize: headSize, depth: depth, kernel: kernel, rotation: rotation)
    case .embedding(let rows, let channels, let vocabulary):
      try EmbeddingProblem(
        rows: rows, channels: channels, vocabulary: vocabulary, kernel: kernel, rotation: rotation)
    case .sampling(let vocabulary, let choice):
      try SamplingProblem(
        vocabulary: vocabulary, parameters: try choice.parameters, kernel: kernel, rotation: rotation)
    }
  }

  /// What ragged shapes of the same operation show; nil where all are right.
  func firstRaggedFailure(of kernel: any Kernel) throws -> String? {
    switch self {
    case .matmul: try LinearProblem.firstRaggedFailure(of: kernel)
    case .layerNorm: try LayerNormProblem.firstRaggedFailure(of: kernel)
    case .gelu: try GELUProblem.firstRaggedFailure(of: kernel)
    case .softmax: try SoftmaxProblem.firstRaggedFailure(of: kernel)
    case .attention: try AttentionProblem.firstRaggedFailure(of: kernel)
    case .embedding: try EmbeddingProblem.firstRaggedFailure(of: kernel)
    case .sampling(_, let choice):
      try SamplingProblem.firstRaggedFailure(of: try choice.parameters, kernel)
    }
  }

  /// What a worker keeps for it beside the rotation, in bytes.
  func bytes(streamedBytes: Int) -> Double {
    switch self {
    case .matmul(let m, let k, let n): Double(3 * 4 * k * n + 4 * m * (k + n))
    case .layerNorm(let rows, let channels):
      LayerNormProblem.bytes(rows: rows, channels: channels)
    case .embedding(let rows, let channels, let vocabulary):
      EmbeddingProblem.bytes(rows: rows, channels: channels, vocabulary: vocabulary)
    case .gelu(let rows, let channels): 8 * Double(rows) * Double(channels)
    case .softmax(let rows, let heads, let depth):
      4 * Double(rows) * Double(heads) * Double(depth + rows)
    case .attention(let rows, let heads, let headSize, let depth):
      AttentionProblem.bytes(
        rows: rows, heads: heads, headSize: headSize, depth: depth, streamedBytes: streamedBytes)
    case .sampling(let vocabulary, _): 16 * Double(vocabulary)
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
