import Foundation

/// The operations of training in Double, straight from the formulas, each with a bound of what float32 may be off.
public enum TrainingOracle {
  public typealias Value = Oracle.Value

  private static let unit = Oracle.unitRoundoff

  /// Σ of the terms, on top of `start`.
  public static func sum(_ start: Double, _ terms: [Double]) -> Value {
    let size = terms.reduce(abs(start)) { $0 + abs($1) }
    return Value(
      exact: terms.reduce(start, +), tolerance: Oracle.sumFactor(terms.count + 1) * size)
  }

  public struct LayerNorm {
    let x, weight, dy: [[Double]]
    let epsilon: Double

    public init(x: [[Double]], weight: [[Double]], dy: [[Double]], epsilon: Double) {
      (self.x, self.weight, self.dy, self.epsilon) = (x, weight, dy, epsilon)
    }

    /// Σ y · dy with the bias 0: the scalar whose gradients are asked for.
    public func loss() -> Double {
      zip(x, dy).enumerated().reduce(0) { total, row in
        let (normal, _) = Self.normal(row.element.0, epsilon)
        return total + normal.indices.reduce(0) { $0 + normal[$1] * weight[0][$1] * row.element.1[$1] }
      }
    }

    static func normal(_ x: [Double], _ epsilon: Double) -> (normal: [Double], inverse: Double) {
      let mean = x.reduce(0, +) / Double(x.count)
      let variance = x.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(x.count)
      let inverse = 1 / (variance + epsilon).squareRoot()
      return (x.map { ($0 - mean) * inverse }, inverse)
    }

    /// What each value gains.
    public func inputGradient(_ row: Int) -> [Value] {
      let n = Double(x[row].count)
      let (normal, inverse) = Self.normal(x[row], epsilon)
      let size = x[row].reduce(0) { $0 + abs($1) } / n
      let d = zip(dy[row], weight[0]).map(*)
      let spread = x[row].map { (abs($0) + size) * inverse }
      let mean = d.reduce(0, +) / n
      let product = zip(d, normal).reduce(0) { $0 + $1.0 * $1.1 } / n
      let meanSize = d.reduce(0) { $0 + abs($1) } / n
      let productSize = zip(d, spread).reduce(0) { $0 + abs($1.0) * $1.1 } / n
      return d.indices.map { i in
        Value(
          exact: (d[i] - mean - normal[i] * product) * inverse,
          tolerance: 2 * (Oracle.sumFactor(d.count) + 8 * unit) * inverse
            * (abs(d[i]) + meanSize + spread[i] * productSize))
      }
    }

    public func weightGradient(_ channel: Int, from start: Double) -> Value {
      let terms = x.indices.map { Self.normal(x[$0], epsilon).normal[channel] * dy[$0][channel] }
      let size = x.indices.reduce(abs(start)) { total, row in
        let (_, inverse) = Self.normal(x[row], epsilon)
        let mean = x[row].reduce(0) { $0 + abs($1) } / Double(x[row].count)
        return total + abs(dy[row][channel]) * (abs(x[row][channel]) + mean) * inverse
      }
      let factor = Oracle.sumFactor(x.count) + Oracle.sumFactor(x[0].count) + 8 * unit
      return Value(exact: terms.reduce(start, +), tolerance: factor * size)
    }
  }

  public static func geluSlope(_ x: Double) -> Double {
    let scale = (2 / Double.pi).squareRoot()
    let u = scale * (x + 0.044715 * x * x * x)
    let sigma = 1 / (1 + exp(-2 * u))
    return sigma + x * sigma * (1 - sigma) * 2 * scale * (1 + 3 * 0.044715 * x * x)
  }

  /// One head of one sequence; rows of queries, keys, values, and of the output's gradient.
  public struct Attention {
    public var q, k, v: [[Double]]
    let dO: [[Double]]
    /// Of (query, key).
    let factor: (Int, Int) -> Double

    public init(
      q: [[Double]], k: [[Double]], v: [[Double]], dO: [[Double]], factor: @escaping (Int, Int) -> Double
    ) {
      (self.q, self.k, self.v, self.dO, self.factor) = (q, k, v, dO, factor)
    }

    var scale: Double { 1 / Double(q[0].count).squareRoot() }

    private func dot(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }
    private func size(_ a: [Double], _ b: [Double]) -> Double {
      zip(a, b).reduce(0) { $0 + abs($1.0 * $1.1) }
    }

    func scores(_ query: Int) -> [Double] { (0...query).map { dot(q[query], k[$0]) * scale } }

    /// ln Σ exp(its scaled scores)
    public func logSum(_ query: Int) -> Value {
      let scores = scores(query)
      let largest = scores.max() ?? 0
      let exact = largest + log(scores.reduce(0) { $0 + exp($1 - largest) })
      return Value(exact: exact, tolerance: relativeError(query) + 2 * unit * abs(exact))
    }

    /// What a probability of the query may be off, relatively.
    func relativeError(_ query: Int) -> Double {
      let head = q[0].count
      let worst = (0...query).map { size(q[query], k[$0]) }.max()! * scale
      let scores = scores(query)
      let largest = scores.map(abs).max()!
      return 2 * worst * (Oracle.sumFactor(head) + 2 * unit) + 2 * Oracle.sumFactor(query + 1)
        + (12 + 4 * largest) * unit
    }

    public func output(_ query: Int) -> [Value] {
      let probabilities = Oracle.softmax(scores(query))
      return v[0].indices.map { i in
        var (sum, size) = (0.0, 0.0)
        for key in 0...query {
          let term = probabilities[key] * factor(query, key) * v[key][i]
          sum += term
          size += abs(term)
        }
        return Value(exact: sum, tolerance: relativeError(query) * size)
      }
    }

    /// Σ output · dO
    public func loss() -> Double {
      q.indices.reduce(0) { total, query in total + dot(output(query).map(\.exact), dO[query]) }
    }

    /// Of queries, keys and values, each (context, headSize).
    public func gradients() -> [[[Value]]] {
      let (context, head) = (q.count, q[0].count)
      let zeros = [[Double]](repeating: [Double](repeating: 0, count: head), count: context)
      var (dq, dk, dv) = (zeros, zeros, zeros)
      var (eq, ek, ev) = (zeros, zeros, zeros)
      for query in 0..<context {
        let probabilities = Oracle.softmax(scores(query))
        let error = relativeError(query) + 2 * Oracle.sumFactor(head) + Oracle.sumFactor(context) + 8 * unit
        let out = output(query).map(\.exact)
        let mean = dot(out, dO[query])
        // The output is off by its own bound, relative to what it is a sum of.
        let meanSize =
          head == 0
          ? 0
          : (0...query).reduce(0) { total, key in
            total + probabilities[key] * factor(query, key) * size(v[key], dO[query])
          }
        for key in 0...query {
          let (p, f) = (probabilities[key], factor(query, key))
          let ds = p * (f * dot(dO[query], v[key]) - mean) * scale
          let dsSize = p * (f * size(dO[query], v[key]) + meanSize) * scale
          for i in 0..<head {
            dv[key][i] += f * p * dO[query][i]
            dq[query][i] += ds * k[key][i]
            dk[key][i] += ds * q[query][i]
            ev[key][i] += error * abs(f * p * dO[query][i])
            eq[query][i] += error * abs(dsSize * k[key][i])
            ek[key][i] += error * abs(dsSize * q[query][i])
          }
        }
      }
      return [(dq, eq), (dk, ek), (dv, ev)].map { exact, error in
        (0..<context).map { row in
          (0..<head).map { Value(exact: exact[row][$0], tolerance: error[row][$0] + 0x1p-140) }
        }
      }
    }
  }
}
