/// eˣ for each lane, within 2 ulp over the whole range of float32; 0 below −87.3, +∞ never (it stops at e^88). With
/// |r| ≤ ½ ln 2 in x = n·ln 2 + r: eʳ by a polynomial of degree 7; 2ⁿ by adding n to the exponent. The splitting of
/// ln 2 is Cody and Waite's ("Software Manual for the Elementary Functions", 1980); the coefficients are those of the
/// Taylor series, whose first dropped term is below 2⁻²⁷ there.
@inline(__always)
func exp<Vector: FloatVector>(_ x: Vector) -> Vector {
  let low: Float = -87.3
  let bounded = x.clamped(low: low, high: 88)
  // Adding 1.5 · 2²³ rounds to an integer, which then stands in the low bits.
  let magic: Float = 12_582_912
  let shifted = Vector(repeating: magic).adding(bounded, times: Vector(repeating: 1.442_695_04))
  let n = shifted - magic
  var r = bounded.adding(n, times: Vector(repeating: -0.693_359_375))
  r = r.adding(n, times: Vector(repeating: 2.121_944_4e-4))
  var p = Vector(repeating: 1 / 5040)
  p = Vector(repeating: 1 / 720).adding(p, times: r)
  p = Vector(repeating: 1 / 120).adding(p, times: r)
  p = Vector(repeating: 1 / 24).adding(p, times: r)
  p = Vector(repeating: 1 / 6).adding(p, times: r)
  p = Vector(repeating: 0.5).adding(p, times: r)
  p = Vector(repeating: 1).adding(p, times: r)
  p = Vector(repeating: 1).adding(p, times: r)
  return (p * shifted.powerOfTwoOfLowBits).zeroed(where: x, isBelow: low)
}

/// The tanh approximation of GELU as x · σ(2u), u = √(2/π)(x + 0.044715 x³): the same function, because
/// ½(1 + tanh u) = 1/(1 + e^(−2u)). Below −16 that is 0 in float32, and the power, which stops at e^88, must not
/// meet a numerator of its own size.
@inline(__always)
func gelu<Vector: FloatVector>(_ x: Vector) -> Vector {
  let cubic = x + 0.044715 * x * x * x
  let numerator = x.clamped(low: -16, high: .infinity)
  return numerator / (1 + exp(-1.595_769_1 * cubic))
}

/// The slope of that approximation. With σ(2u) as there it is σ + x · σ · (1 − σ) · 2u′; beyond ±16 that is 0 or 1 in
/// float32.
@inline(__always)
func geluSlope<Vector: FloatVector>(_ x: Vector) -> Vector {
  let x = x.clamped(low: -16, high: 16)
  let square = x * x
  let power = exp(-1.595_769_1 * (x + 0.044715 * square * x))
  let sigma = 1 / (1 + power)
  let slope = 1.595_769_1 * (1 + 0.134145 * square)
  return sigma + x * sigma * (power * sigma) * slope
}

/// x[i] ← e^((x[i] − max) · scale) for the first `count` values, the numerators of a softmax; their sum, and max.
/// - Parameter scale: at least 0.
func softmaxNumerators<Vector: FloatVector>(
  _ x: UnsafeMutablePointer<Float>, count: Int, scale: Float, as _: Vector.Type
) -> (sum: Float, maximum: Float) {
  let lanes = Vector.scalarCount
  let whole = count / lanes &* lanes
  var maxima = Vector(loading: x + whole, count: count &- whole, padding: -.infinity)
  var i = 0
  while i < whole {
    maxima = maxima.larger(Vector(loading: x + i))
    i &+= lanes
  }
  let maximum = maxima.largestLane
  let sums = shiftedPowers(x, count: whole, shift: maximum, scale: scale, as: Vector.self)
  guard whole < count else { return (sums.laneSum, maximum) }
  // The rest takes the same way through a vector of its own, so that there is one place for the power.
  return withUnsafeTemporaryAllocation(of: Float.self, capacity: lanes) { rest in
    let base = rest.baseAddress!
    Vector(loading: x + whole, count: count &- whole, padding: -.infinity).store(to: base)
    let sum = shiftedPowers(base, count: lanes, shift: maximum, scale: scale, as: Vector.self)
    Vector(loading: base).store(to: x + whole, count: count &- whole)
    return ((sums + sum).laneSum, maximum)
  }
}

/// x[i] ← e^((x[i] − shift) · scale), each within 2 ulp of its argument's rounding, and their sum. −∞ becomes 0.
/// - Parameters:
///   - x: a multiple of 8 values, none NaN.
///   - scale: finite, at least 0.
public func exponentials(_ x: UnsafeMutableBufferPointer<Float>, shift: Float, scale: Float) -> Float {
  precondition(x.count % 8 == 0, "\(x.count) values, expected a multiple of 8")
  guard let base = x.baseAddress else { return 0 }
  return shiftedPowers(base, count: x.count, shift: shift, scale: scale, as: SIMD8<Float>.self).laneSum
}

/// x[i] ← e^((x[i] − shift) · scale) for whole vectors, and their sum, lane by lane. Small, because in a larger
/// function the compiler does not inline the power.
@inline(never)
private func shiftedPowers<Vector: FloatVector>(
  _ x: UnsafeMutablePointer<Float>, count: Int, shift: Float, scale: Float, as _: Vector.Type
) -> Vector {
  let scale = Vector(repeating: scale)
  let shift = Vector(repeating: shift)
  var sums = Vector(repeating: 0)
  var i = 0
  while i < count {
    let e = exp((Vector(loading: x + i) - shift) * scale)
    e.store(to: x + i)
    sums = sums + e
    i &+= Vector.scalarCount
  }
  return sums
}

/// Softmax of `count` values in place, as `referenceSoftmax`.
@inline(__always)
func softmax(_ x: UnsafeMutablePointer<Float>, count: Int) {
  let scale = 1 / softmaxNumerators(x, count: count, scale: 1, as: SIMD8<Float>.self).sum
  let whole = count & ~7
  for i in stride(from: 0, to: whole, by: 8) { (SIMD8(loading: x + i) * scale).store(to: x + i) }
  for i in whole..<count { x[i] *= scale }
}

/// Layer norm of each of `rows`, the mean first and then the variance around it.
@inline(__always)
func vectorLayerNorm<Vector: FloatVector>(_ operation: LayerNorm, rows: Range<Int>, as _: Vector.Type) {
  let channels = operation.input.columns
  let lanes = Vector.scalarCount
  let whole = channels / lanes &* lanes
  for row in rows {
    let x = operation.input.row(row)
    let out = operation.output.row(row)
    var sums = Vector(repeating: 0)
    for i in stride(from: 0, to: whole, by: lanes) { sums += Vector(loading: x + i) }
    var sum = sums.laneSum
    for i in whole..<channels { sum += x[i] }
    let mean = sum / Float(channels)
    var squares = Vector(repeating: 0)
    for i in stride(from: 0, to: whole, by: lanes) {
      let centered = Vector(loading: x + i) - mean
      squares = squares.adding(centered, times: centered)
    }
    var variance = squares.laneSum
    for i in whole..<channels { variance += (x[i] - mean) * (x[i] - mean) }
    let inverse = 1 / (variance / Float(channels) + operation.epsilon).squareRoot()
    for i in stride(from: 0, to: whole, by: lanes) {
      let normal = (Vector(loading: x + i) - mean) * inverse
      Vector(loading: operation.bias.base + i)
        .adding(normal, times: Vector(loading: operation.weight.base + i)).store(to: out + i)
    }
    for i in whole..<channels {
      out[i] = (x[i] - mean) * inverse * operation.weight.base[i] + operation.bias.base[i]
    }
  }
}

@inline(__always)
func vectorGELU<Vector: FloatVector>(_ operation: GELU, elements: Range<Int>, as _: Vector.Type) {
  Probe.enter(.gelu)
  var i = elements.lowerBound
  while i < elements.upperBound {
    let used = min(Vector.scalarCount, elements.upperBound &- i)
    gelu(Vector(loading: operation.inputs + i, count: used)).store(to: operation.values + i, count: used)
    i &+= Vector.scalarCount
  }
  Probe.enter(.operation)
}
