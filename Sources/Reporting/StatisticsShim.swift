import Foundation

/// The middle value, the mean of the two middle values of an even count; nil for no values.
func median(_ values: [Double]) -> Double? {
  quantiles(values, [0.5])?.first
}

/// Type-7 quantiles (Hyndman and Fan 1996): with h = (n − 1)·p, x⌊h⌋ + (h − ⌊h⌋)·(x⌊h⌋₊₁ − x⌊h⌋).
func quantiles(_ values: [Double], _ probabilities: [Double]) -> [Double]? {
  guard !values.isEmpty, values.allSatisfy(\.isFinite) else { return nil }
  let sorted = values.sorted()
  return probabilities.map { probability in
    let position = Double(sorted.count - 1) * probability
    let lower = min(Int(position), sorted.count - 1)
    let upper = min(lower + 1, sorted.count - 1)
    return sorted[lower] + (position - Double(lower)) * (sorted[upper] - sorted[lower])
  }
}

/// exp(Σ ln x / n); nil for no values, or one that is not a finite number above zero.
func geometricMean(_ values: [Double]) -> Double? {
  guard !values.isEmpty, values.allSatisfy({ $0 > 0 && $0.isFinite }) else { return nil }
  return exp(values.map { log($0) }.reduce(0, +) / Double(values.count))
}

struct Interval: Sendable, Equatable {
  var lower: Double
  var upper: Double
}

struct Estimate: Sendable, Equatable {
  var value: Double
  var interval: Interval
}

/// The percentile bootstrap, 95 %, seeded; nil for fewer than three values on a side.
struct Bootstrap {
  static let minimumCount = 3
  var resamples = 2000
  var seed: UInt64 = 0x5eed

  func median(_ values: [Double]) -> Estimate? {
    ratio(values, over: nil)
  }

  /// median(`head`) ÷ median(`base`), each side resampled on its own.
  func ratioOfMedians(base: [Double], head: [Double]) -> Estimate? {
    guard base.allSatisfy({ $0 > 0 }) else { return nil }
    return ratio(head, over: base)
  }

  private func ratio(_ values: [Double], over base: [Double]?) -> Estimate? {
    guard values.count >= Self.minimumCount, base.map({ $0.count >= Self.minimumCount }) ?? true,
      let center = Reporting.median(values), let baseCenter = base.map(Reporting.median) ?? 1
    else { return nil }
    var generator = SplitMix64(seed: seed)
    let statistics = (0..<resamples).compactMap { _ -> Double? in
      let denominator = base.map { Reporting.median(resample($0, &generator)) } ?? 1
      guard let denominator, let numerator = Reporting.median(resample(values, &generator)) else {
        return nil
      }
      return numerator / denominator
    }
    guard let bounds = quantiles(statistics, [0.025, 0.975]) else { return nil }
    return Estimate(
      value: center / baseCenter, interval: Interval(lower: bounds[0], upper: bounds[1]))
  }

  private func resample(_ values: [Double], _ generator: inout SplitMix64) -> [Double] {
    values.indices.map { _ in values[Int.random(in: values.indices, using: &generator)] }
  }
}

/// Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators" (2014).
struct SplitMix64: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }
}
