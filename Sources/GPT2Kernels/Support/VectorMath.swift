/// eˣ for eight values, within 2 ulp over the whole range of float32; 0 below −87.3, +∞ never (it stops at e^88).
///
/// x = n·ln 2 + r with |r| ≤ ½ ln 2; eʳ by a polynomial of degree 7; 2ⁿ by adding n to the exponent. The
/// splitting of ln 2 is Cody and Waite's ("Software Manual for the Elementary Functions", 1980); the
/// coefficients are those of the Taylor series, whose first dropped term is below 2⁻²⁷ there.
@inline(__always)
func exp(_ x: SIMD8<Float>) -> SIMD8<Float> {
  let low: Float = -87.3
  let bounded = clamp(x, low: low, high: 88)
  // Adding 1.5 · 2²³ rounds to an integer, which then stands in the low bits.
  let magic: Float = 12_582_912
  let shifted = SIMD8(repeating: magic).addingProduct(bounded, SIMD8(repeating: 1.442_695_04))
  let n = shifted - magic
  var r = bounded.addingProduct(n, SIMD8(repeating: -0.693_359_375))
  r = r.addingProduct(n, SIMD8(repeating: 2.121_944_4e-4))
  var p = SIMD8<Float>(repeating: 1 / 5040)
  p = SIMD8(repeating: 1 / 720).addingProduct(p, r)
  p = SIMD8(repeating: 1 / 120).addingProduct(p, r)
  p = SIMD8(repeating: 1 / 24).addingProduct(p, r)
  p = SIMD8(repeating: 1 / 6).addingProduct(p, r)
  p = SIMD8(repeating: 0.5).addingProduct(p, r)
  p = SIMD8(repeating: 1).addingProduct(p, r)
  p = SIMD8(repeating: 1).addingProduct(p, r)
  let bits = unsafeBitCast(shifted, to: SIMD8<Int32>.self) &<< 23
  let power = unsafeBitCast(bits &+ SIMD8(repeating: 127 << 23), to: SIMD8<Float>.self)
  return (p * power).replacing(with: 0, where: x .< low)
}

@inline(__always)
func clamp(_ x: SIMD8<Float>, low: Float, high: Float) -> SIMD8<Float> {
  x.replacing(with: low, where: x .< low).replacing(with: high, where: x .> high)
}

/// The tanh approximation of GELU as x · σ(2u), u = √(2/π)(x + 0.044715 x³): the same function, because
/// ½(1 + tanh u) = 1/(1 + e^(−2u)). Below −16 that is 0 in float32, and the power, which stops at e^88, must not
/// meet a numerator of its own size.
@inline(__always)
func gelu(_ x: SIMD8<Float>) -> SIMD8<Float> {
  let cubic = x + 0.044715 * x * x * x
  let numerator = x.replacing(with: -16, where: x .< -16)
  return numerator / (1 + exp(-1.595_769_1 * cubic))
}

/// Softmax of `count` values in place, as `referenceSoftmax`.
@inline(__always)
func softmax(_ x: UnsafeMutablePointer<Float>, count: Int) {
  let whole = count & ~7
  var maxima = SIMD8<Float>(repeating: -.infinity)
  for i in stride(from: 0, to: whole, by: 8) { maxima = pointwiseMax(maxima, SIMD8(loading: x + i)) }
  let rest = SIMD8(loading: x + whole, count: count - whole, padding: -.infinity)
  let maximum = pointwiseMax(maxima, rest).max()
  var sums = SIMD8<Float>.zero
  for i in stride(from: 0, to: whole, by: 8) {
    let e = exp(SIMD8(loading: x + i) - maximum)
    e.store(to: x + i)
    sums += e
  }
  let e = exp(rest - maximum)
  e.store(to: x + whole, count: count - whole)
  let scale = 1 / (sums + e).laneSum
  for i in stride(from: 0, to: whole, by: 8) { (SIMD8(loading: x + i) * scale).store(to: x + i) }
  for i in whole..<count { x[i] *= scale }
}
