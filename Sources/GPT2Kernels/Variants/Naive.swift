import Foundation

extension Variant {
  static let naive = Variant(
    name: "naive",
    summary: "triple loop, one accumulator; recomputes the whole sequence for each token",
    makeKernel: { _ in Naive() })
}

/// The reference operations, with nothing changed.
struct Naive: DivisibleKernel {
  var trainingPath: TrainingPath { .reference }
}

/// The reference operations: what `naive` runs and what every variant starts from. They are the oracle, so they
/// follow the formulas word for word and are never optimised.
extension DivisibleKernel {
  public func linear(_ operation: Linear, outputs: Range<Int>) {
    let inputs = operation.weight.inputs
    for m in 0..<operation.input.rows {
      let x = operation.input.row(m)
      let out = operation.output.row(m)
      for n in outputs {
        let w = operation.weight.row(n)
        var sum: Float = 0
        for k in 0..<inputs { sum += x[k] * w[k] }
        out[n] = sum + (operation.bias?.base[n] ?? 0)
      }
    }
  }

  public func layerNorm(_ operation: LayerNorm, rows: Range<Int>) {
    let channels = operation.input.columns
    for row in rows {
      let x = operation.input.row(row)
      let out = operation.output.row(row)
      var sum: Float = 0
      for i in 0..<channels { sum += x[i] }
      let mean = sum / Float(channels)
      var squares: Float = 0
      for i in 0..<channels { squares += (x[i] - mean) * (x[i] - mean) }
      let inverse = 1 / (squares / Float(channels) + operation.epsilon).squareRoot()
      for i in 0..<channels {
        out[i] = (x[i] - mean) * inverse * operation.weight.base[i] + operation.bias.base[i]
      }
    }
  }

  public func gelu(_ operation: GELU, elements: Range<Int>) {
    Probe.enter(.gelu)
    let scale = (2 / Float.pi).squareRoot()
    for i in elements {
      let x = operation.inputs[i]
      operation.values[i] = 0.5 * x * (1 + tanhf(scale * (x + 0.044715 * x * x * x)))
    }
    Probe.enter(.operation)
  }

  public func add(_ operation: Addition, elements: Range<Int>) {
    Probe.enter(.residual)
    for i in elements { operation.target[i] += operation.addend[i] }
    Probe.enter(.operation)
  }

  public func attention(_ operation: Attention, heads: Range<Int>) {
    let size = operation.headSize
    for head in heads {
      let keys = operation.keys + head * operation.capacity * size
      let values = operation.values + head * operation.capacity * size
      let scores = operation.scores + head * operation.capacity
      for row in 0..<operation.queries.rows {
        let query = operation.queries.row(row) + head * size
        let out = operation.output.row(row) + head * size
        let positions = operation.firstPosition + row + 1
        Probe.enter(.scores)
        for t in 0..<positions {
          var sum: Float = 0
          for i in 0..<size { sum += query[i] * keys[t * size + i] }
          scores[t] = sum * operation.scale
        }
        Probe.enter(.softmax)
        referenceSoftmax(scores, count: positions)
        Probe.enter(.values)
        for i in 0..<size {
          var sum: Float = 0
          for t in 0..<positions { sum += scores[t] * values[t * size + i] }
          out[i] = sum
        }
      }
    }
    Probe.enter(.operation)
  }

  public func softmaxRows(_ operation: Softmax, heads: Range<Int>) {
    operation.forEachRow(of: heads) { row, count, divisor in
      referenceSoftmax(row, count: count)
      divisor.pointee = 1
    }
  }
}

/// x[i] ← exp(x[i] − max) / Σ exp(x[j] − max), in place.
func referenceSoftmax(_ x: UnsafeMutablePointer<Float>, count: Int) {
  var maximum = -Float.infinity
  for i in 0..<count { maximum = max(maximum, x[i]) }
  var sum: Float = 0
  for i in 0..<count {
    x[i] = expf(x[i] - maximum)
    sum += x[i]
  }
  for i in 0..<count { x[i] /= sum }
}
