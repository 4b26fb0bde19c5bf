import GPT2Engine
import GPT2Kernels
import Record

/// An operation of a record as the engine checks and times it alone.
extension OperationShape {
  var modelOperation: ModelOperation {
    get throws {
      switch self {
      case .matmul(let m, let k, let n): .linear(m: m, n: n, k: k)
      case .layerNorm(let rows, let channels): .layerNorm(rows: rows, channels: channels)
      case .gelu(let rows, let channels): .gelu(rows: rows, channels: channels)
      case .softmax(let rows, let heads, let depth): .softmax(rows: rows, heads: heads, depth: depth)
      case .attention(let rows, let heads, let headSize, let depth):
        .attention(rows: rows, heads: heads, headSize: headSize, depth: depth)
      case .embedding(let rows, let channels, let vocabulary):
        .embedding(rows: rows, channels: channels, vocabulary: vocabulary)
      case .sampling(let vocabulary, let choice):
        .sampling(vocabulary: vocabulary, try choice.parameters)
      }
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
