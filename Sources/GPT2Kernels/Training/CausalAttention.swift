import Foundation

/// Causal attention of whole sequences, as training has it: out[p] = Σ_{t ≤ p} d · softmaxₜ(q[p] · k[t] / √headSize) · v[t],
/// for each head of each sequence on its own, with d the probability's factor of dropout.
public struct CausalAttention: @unchecked Sendable {
  /// (batch · context, 3 · channels): queries, keys and values side by side, in each the heads.
  public let qkv: Matrix
  public let batch, context, heads: Int
  /// (batch · context, channels), heads side by side.
  public let output: MutableMatrix
  /// (batch, heads, context): of each query ln Σₜ exp(its scaled scores), for the gradient.
  public let logSums: UnsafeMutablePointer<Float>
  /// Of the probabilities; that of a query and a key has the index ((sequence · heads + head) · context + query) ·
  /// context + key.
  public let dropout: Dropout

  public init(
    qkv: Matrix, batch: Int, context: Int, heads: Int, output: MutableMatrix,
    logSums: UnsafeMutablePointer<Float>, dropout: Dropout
  ) {
    assert(qkv.rows == batch * context && output.rows == qkv.rows)
    assert(qkv.columns == 3 * output.columns && output.columns % heads == 0)
    (self.qkv, self.batch, self.context, self.heads) = (qkv, batch, context, heads)
    (self.output, self.logSums, self.dropout) = (output, logSums, dropout)
  }
}

/// What the projections to queries, keys and values gain from the gradient of `CausalAttention`'s output.
public struct CausalAttentionGradient: @unchecked Sendable {
  /// As `CausalAttention` had and has left them.
  public let qkv, output: Matrix
  public let logSums: UnsafePointer<Float>
  public let batch, context, heads: Int
  /// (batch · context, channels)
  public let outputGradient: Matrix
  /// (batch · context, 3 · channels), which is overwritten.
  public let qkvGradient: MutableMatrix
  public let dropout: Dropout

  public init(
    qkv: Matrix, output: Matrix, logSums: UnsafePointer<Float>, batch: Int, context: Int, heads: Int,
    outputGradient: Matrix, qkvGradient: MutableMatrix, dropout: Dropout
  ) {
    assert(qkv.rows == batch * context && output.rows == qkv.rows && outputGradient.rows == qkv.rows)
    assert(qkv.columns == 3 * output.columns && output.columns % heads == 0)
    assert(outputGradient.columns == output.columns)
    assert(qkvGradient.rows == qkv.rows && qkvGradient.columns == qkv.columns)
    (self.qkv, self.output, self.logSums) = (qkv, output, logSums)
    (self.batch, self.context, self.heads) = (batch, context, heads)
    (self.outputGradient, self.qkvGradient, self.dropout) = (outputGradient, qkvGradient, dropout)
  }
}

extension CausalAttention {
  func runByTheFormula(on kernel: some Kernel) {
    let channels = output.columns
    let size = channels / heads
    let scale = 1 / Float(size).squareRoot()
    kernel.forEach(batch * heads) { part in
      let (firstRow, column) = (part / heads * context, part % heads * size)
      withThreadMemory(context) { scores in
        for query in 0..<context {
          let q = qkv.row(firstRow + query) + column
          var maximum = -Float.infinity
          for key in 0...query {
            let k = qkv.row(firstRow + key) + (channels + column)
            var sum: Float = 0
            for i in 0..<size { sum += q[i] * k[i] }
            scores[key] = sum * scale
            maximum = max(maximum, scores[key])
          }
          var sum: Float = 0
          for key in 0...query { sum += expf(scores[key] - maximum) }
          let logSum = maximum + logf(sum)
          logSums[part * context + query] = logSum
          let out = output.row(firstRow + query) + column
          for i in 0..<size { out[i] = 0 }
          for key in 0...query {
            let factor = dropout.factor((part * context + query) * context + key)
            let weight = expf(scores[key] - logSum) * factor
            let v = qkv.row(firstRow + key) + (2 * channels + column)
            for i in 0..<size { out[i] += weight * v[i] }
          }
        }
      }
    }
  }
}

extension CausalAttentionGradient {
  /// With p a probability, f its factor of dropout, o an output: dv[t] = Σ f · p · do, dp = f · do · v[t],
  /// ds = p · (dp − do · o) / √headSize, dq = Σₜ ds · k[t], dk[t] = Σ ds · q.
  func runByTheFormula(on kernel: some Kernel) {
    let channels = output.columns
    let size = channels / heads
    let scale = 1 / Float(size).squareRoot()
    kernel.forEach(batch * heads) { part in
      let (firstRow, column) = (part / heads * context, part % heads * size)
      for row in firstRow..<firstRow + context {
        for third in 0..<3 {
          (qkvGradient.row(row) + (third * channels + column)).update(repeating: 0, count: size)
        }
      }
      for query in 0..<context {
        let row = firstRow + query
        let (q, dq) = (qkv.row(row) + column, qkvGradient.row(row) + column)
        let (o, dO) = (output.row(row) + column, outputGradient.row(row) + column)
        var mean: Float = 0
        for i in 0..<size { mean += dO[i] * o[i] }
        for key in 0...query {
          let k = qkv.row(firstRow + key) + (channels + column)
          let v = k + channels
          let dk = qkvGradient.row(firstRow + key) + (channels + column)
          let dv = dk + channels
          var (score, product): (Float, Float) = (0, 0)
          for i in 0..<size {
            score += q[i] * k[i]
            product += dO[i] * v[i]
          }
          let factor = dropout.factor((part * context + query) * context + key)
          let probability = expf(score * scale - logSums[part * context + query])
          let ds = probability * (factor * product - mean) * scale
          for i in 0..<size {
            dv[i] += factor * probability * dO[i]
            dq[i] += ds * k[i]
            dk[i] += ds * q[i]
          }
        }
      }
    }
  }
}
