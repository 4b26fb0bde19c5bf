import Foundation

/// −log softmax(logits)[token] in nats: log Σᵢ exp(lᵢ − max) − (l_token − max), in double, so that the sum of fifty
/// thousand probabilities is exact to what is printed.
///
/// - Parameter logits: (vocabulary)
/// - Returns: at least 0, infinity for a token whose logit is −infinity; NaN where a logit is NaN or +infinity.
func negativeLogLikelihood(of token: Int, _ logits: UnsafeBufferPointer<Float>) -> Double {
  guard let largest = largestOfNumbers(logits), largest.isFinite else { return .nan }
  let shift = Double(largest)
  return log(sumOfExponentials(logits, shift: shift)) - (Double(logits[token]) - shift)
}

/// nil where one of them is NaN.
private func largestOfNumbers(_ logits: UnsafeBufferPointer<Float>) -> Float? {
  let whole = logits.count & ~7
  var largest = SIMD8<Float>(repeating: -.infinity)
  var isNumber = SIMDMask<SIMD8<Int32>>(repeating: true)
  for start in stride(from: 0, to: whole, by: 8) {
    let part = eight(logits, start)
    largest.replace(with: part, where: part .> largest)
    isNumber .&= part .== part
  }
  let rest = logits[whole...]
  guard all(isNumber), !rest.contains(where: \.isNaN) else { return nil }
  return rest.reduce(largest.max(), max)
}

/// Σᵢ exp(lᵢ − shift)
///
/// - Parameter shift: the largest logit.
private func sumOfExponentials(_ logits: UnsafeBufferPointer<Float>, shift: Double) -> Double {
  let whole = logits.count & ~7
  var sums = SIMD8<Double>.zero
  for start in stride(from: 0, to: whole, by: 8) {
    sums += exponential(SIMD8<Double>(eight(logits, start)) - shift)
  }
  return logits[whole...].reduce(sums.sum()) { $0 + exp(Double($1) - shift) }
}

@inline(__always)
private func eight(_ logits: UnsafeBufferPointer<Float>, _ start: Int) -> SIMD8<Float> {
  UnsafeRawPointer(logits.baseAddress! + start).loadUnaligned(as: SIMD8<Float>.self)
}

/// exp(x) for x ≤ 0, within a few units in the last place; what is below −700 counts as −700.
///
/// x = n · ln 2 + r with |r| ≤ ½ ln 2, and exp(r) by its Taylor series up to r¹³, whose rest is below 2⁻⁵⁴. It is needed
/// for every logit of every token, and one at a time the library takes four times as long.
@inline(__always)
private func exponential(_ x: SIMD8<Double>) -> SIMD8<Double> {
  let bounded = x.replacing(with: -700, where: x .< -700)
  // Added to a number, it leaves that number's nearest whole one in the low bits.
  let magic = 0x1.8p52
  let rounded = bounded * 1.442_695_040_888_963_4 + magic
  let n = rounded - magic
  // ln 2 in two parts, the first short enough for n times it to be exact.
  let r = bounded - n * 0x1.62e42fee00000p-1 - n * 0x1.a39ef35793c76p-33
  var series = SIMD8<Double>(repeating: 1 / 6_227_020_800)
  series = series * r + 1 / 479_001_600
  series = series * r + 1 / 39_916_800
  series = series * r + 1 / 3_628_800
  series = series * r + 1 / 362_880
  series = series * r + 1 / 40_320
  series = series * r + 1 / 5_040
  series = series * r + 1 / 720
  series = series * r + 1 / 120
  series = series * r + 1 / 24
  series = series * r + 1 / 6
  series = series * r + 1 / 2
  series = series * r + 1
  series = series * r + 1
  let power = (unsafeBitCast(rounded, to: SIMD8<Int64>.self) &<< 52) &+ Int64(bitPattern: 1.0.bitPattern)
  return series * unsafeBitCast(power, to: SIMD8<Double>.self)
}
