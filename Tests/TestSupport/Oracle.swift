import Foundation

/// The operations of a GPT-2 in Double, straight from the formulas, each with a bound of what float32 may be off.
///
/// The bounds follow one rule: a sum of n terms is off by at most 2(√n + 1) · 2⁻²⁴ of the sum of the terms' sizes,
/// because roundings cancel like steps of a random walk (Higham and Mary, 2019, doi 10.1137/18M1226312).
public enum Oracle {
  public struct Value: Sendable {
    public let exact: Double
    public let tolerance: Double

    public init(exact: Double, tolerance: Double) {
      self.exact = exact
      self.tolerance = tolerance
    }

    /// False for NaN, whatever is expected.
    public func allows(_ x: Float) -> Bool { abs(Double(x) - exact) <= tolerance }
  }

  public static let unitRoundoff = 0x1p-24

  public static func sumFactor(_ terms: Int) -> Double {
    2 * (Double(terms).squareRoot() + 1) * unitRoundoff
  }

  /// out[m, n] = Σₖ x[m, k] · w[n, k] + bias[n]; x is (m, k), w is (n, k).
  public static func linear(
    _ x: [Float], _ w: [Float], bias: [Float]?, m: Int, n: Int, k: Int
  ) -> [Value] {
    var out: [Value] = []
    out.reserveCapacity(m * n)
    x.withUnsafeBufferPointer { x in
      w.withUnsafeBufferPointer { w in
        for row in 0..<m {
          for column in 0..<n {
            let start = bias.map { Double($0[column]) } ?? 0
            var (sum, size) = (start, abs(start))
            var (i, j) = (row &* k, column &* k)
            for _ in 0..<k {
              let product = Double(x[i]) * Double(w[j])
              sum += product
              size += abs(product)
              i &+= 1
              j &+= 1
            }
            out.append(Value(exact: sum, tolerance: sumFactor(k) * size))
          }
        }
      }
    }
    return out
  }

  /// (x − mean) / √(variance + ε) · weight + bias of one row.
  public static func layerNorm(
    _ x: [Float], weight: [Float], bias: [Float], epsilon: Float
  ) -> [Value] {
    let n = Double(x.count)
    let mean = x.reduce(0) { $0 + Double($1) } / n
    let size = x.reduce(0) { $0 + abs(Double($1)) } / n
    let variance = x.reduce(0) { $0 + (Double($1) - mean) * (Double($1) - mean) } / n
    let deviation = (variance + Double(epsilon)).squareRoot()
    return x.indices.map { i in
      let (w, b) = (Double(weight[i]), Double(bias[i]))
      let centered = Double(x[i]) - mean
      // The mean is off by a sum's bound, and the division, root and products add a few roundings.
      let scale = abs(w) * (abs(centered) + abs(Double(x[i])) + size) / deviation + abs(b)
      return Value(
        exact: centered / deviation * w + b, tolerance: (sumFactor(x.count) + 4 * unitRoundoff) * scale)
    }
  }

  /// ½ x (1 + tanh(√(2/π) (x + 0.044715 x³)))
  public static func gelu(_ x: Float) -> Value {
    let x = Double(x)
    let u = (2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x)
    // 1 + tanh(u) for u < 0 without its cancellation: 2 / (1 + e^(−2u)).
    let exact = u < 0 ? x / (1 + exp(-2 * u)) : 0.5 * x * (1 + tanh(u))
    return Value(exact: exact, tolerance: 6 * unitRoundoff * abs(x) + 0x1p-149)
  }

  /// exp(x[i] − max) / Σ exp(x[j] − max)
  public static func softmax(_ x: [Double]) -> [Double] {
    let largest = x.max() ?? 0
    let powers = x.map { exp($0 - largest) }
    let sum = powers.reduce(0, +)
    return powers.map { $0 / sum }
  }

  /// One query against its visible positions: Σₜ softmaxₜ(q · k[t] / √size) · v[t].
  /// - Parameter rounding: by how much of itself each key and value may have been changed.
  public static func attention(
    query: [Float], keys: [[Float]], values: [[Float]], rounding: Double = 0
  ) -> [Value] {
    let size = query.count
    let scale = 1 / Double(size).squareRoot()
    var (worst, largest) = (0.0, 0.0)
    let scores = keys.map { key in
      let terms = zip(query, key).map { Double($0) * Double($1) }
      let magnitude = terms.reduce(0) { $0 + abs($1) } * scale
      worst = max(worst, magnitude * (sumFactor(size) + 2 * unitRoundoff))
      largest = max(largest, magnitude)
      return terms.reduce(0, +) * scale
    }
    let weights = softmax(scores)
    // A score's error shifts its weight and the denominator alike; the difference to the largest rounds too.
    let spread = (scores.max() ?? 0) - (scores.min() ?? 0)
    let relative =
      2 * worst + sumFactor(keys.count) * 2 + (8 + spread) * unitRoundoff
      + expm1(2 * largest * rounding) * (1 + rounding) + rounding
    return (0..<size).map { i in
      var (sum, magnitude) = (0.0, 0.0)
      for (weight, value) in zip(weights, values) {
        sum += weight * Double(value[i])
        magnitude += weight * abs(Double(value[i]))
      }
      return Value(exact: sum, tolerance: relative * magnitude)
    }
  }
}
