import Foundation
import GPT2Model

/// A GPT-2's mean loss in Double, straight from the formulas: shares nothing with the kernels.
public struct DoubleModel {
  public let configuration: Configuration
  /// In the order of `configuration.parameters`, row-major.
  public var parameters: [[Double]]

  public init(_ checkpoint: Checkpoint) {
    configuration = checkpoint.configuration
    parameters = checkpoint.configuration.parameters.indices.map {
      checkpoint.tensor(at: $0).map(Double.init)
    }
  }

  /// Mean −ln p of what rows of ids predict: of each id but the first.
  public func loss(of windows: [[Int]]) -> Double {
    let losses = windows.map { ids in
      let normal = norm(stream(after: Array(ids.dropLast())), configuration.finalNormIndex)
      let nats = zip(normal, ids.dropFirst()).map { row, target in
        let logits = (0..<configuration.vocabulary).map { id in
          dot(row, parameters[configuration.outputEmbeddingIndex][id * row.count..<(id + 1) * row.count])
        }
        return logSum(logits) - logits[target]
      }
      return nats.reduce(0, +) / Double(nats.count)
    }
    return losses.reduce(0, +) / Double(losses.count)
  }

  /// The residual stream after the last layer, a row for each token.
  private func stream(after ids: [Int]) -> [[Double]] {
    let c = configuration.channels
    var stream = ids.enumerated().map { position, id in
      (0..<c).map { parameters[0][id * c + $0] + parameters[1][position * c + $0] }
    }
    for layer in 0..<configuration.layers {
      func place(_ parameter: LayerParameter) -> Int { Configuration.index(of: parameter, layer: layer) }
      let qkv = linear(norm(stream, place(.norm1Weight)), place(.qkvWeight))
      add(linear(attention(qkv), place(.projectionWeight)), to: &stream)
      let up = linear(norm(stream, place(.norm2Weight)), place(.upWeight))
      add(linear(up.map { $0.map(gelu) }, place(.downWeight)), to: &stream)
    }
    return stream
  }

  private func attention(_ qkv: [[Double]]) -> [[Double]] {
    let (c, size) = (configuration.channels, configuration.headSize)
    return qkv.indices.map { position in
      var out: [Double] = []
      for head in 0..<configuration.heads {
        let (q, k, v) = (head * size, c + head * size, 2 * c + head * size)
        let query = qkv[position][q..<q + size]
        let scores = qkv[...position].map { dot(query, $0[k..<k + size]) / Double(size).squareRoot() }
        let sum = logSum(scores)
        for i in 0..<size {
          out.append(zip(scores, qkv).reduce(0) { $0 + exp($1.0 - sum) * $1.1[v + i] })
        }
      }
      return out
    }
  }

  /// - Parameter weight: (inputs, outputs); its bias follows.
  private func linear(_ rows: [[Double]], _ weight: Int) -> [[Double]] {
    let (matrix, bias) = (parameters[weight], parameters[weight + 1])
    return rows.map { row in
      var out = bias
      for (k, x) in row.enumerated() {
        for n in out.indices { out[n] += x * matrix[k * out.count + n] }
      }
      return out
    }
  }

  /// - Parameter weight: its bias follows.
  private func norm(_ rows: [[Double]], _ weight: Int) -> [[Double]] {
    let epsilon = Double(configuration.layerNormEpsilon)
    return rows.map { row in
      let mean = row.reduce(0, +) / Double(row.count)
      let variance = row.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(row.count)
      return row.indices.map {
        (row[$0] - mean) / (variance + epsilon).squareRoot() * parameters[weight][$0]
          + parameters[weight + 1][$0]
      }
    }
  }

  private func add(_ block: [[Double]], to stream: inout [[Double]]) {
    for row in stream.indices { for c in stream[row].indices { stream[row][c] += block[row][c] } }
  }

  private func gelu(_ x: Double) -> Double {
    0.5 * x * (1 + tanh((2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x)))
  }

  private func dot(_ a: some Sequence<Double>, _ b: some Sequence<Double>) -> Double {
    zip(a, b).reduce(0) { $0 + $1.0 * $1.1 }
  }

  private func logSum(_ values: [Double]) -> Double {
    let largest = values.max() ?? 0
    return largest + log(values.reduce(0) { $0 + exp($1 - largest) })
  }
}
