import Foundation

// Every function here answers nil where its figure is undefined: too few values, or a value that is not
// finite. A NaN therefore never travels into a table.

/// Σx / n, or nil for no values or a value that is not finite.
public func mean(_ values: [Double]) -> Double? {
  guard !values.isEmpty, values.allSatisfy(\.isFinite) else { return nil }
  let result = values.reduce(0, +) / Double(values.count)
  return result.isFinite ? result : nil
}

/// The middle value; the mean of the two middle values of an even count.
public func median(_ values: [Double]) -> Double? { quantile(values, 0.5) }

/// The medians of a series cut into so many blocks of nearly equal length, in order. Nil for more blocks than values, none,
/// or where a value is not finite.
public func blockMedians(_ series: [Double], blocks: Int) -> [Double]? {
  guard (1...max(series.count, 1)).contains(blocks), series.allSatisfy(\.isFinite) else { return nil }
  let bounds = (0...blocks).map { $0 * series.count / blocks }
  return zip(bounds, bounds.dropFirst()).compactMap { median(Array(series[$0..<$1])) }
}

/// The quantile at `probability` in 0...1, type 7 of Hyndman and Fan, "Sample Quantiles in Statistical Packages"
/// (1996), the default of R and NumPy: with x sorted from index 0 and h = (n − 1)·p, x⌊h⌋ + (h − ⌊h⌋)·(x⌊h⌋₊₁ − x⌊h⌋).
/// Nil for no values, a value that is not finite, or a probability outside 0...1.
public func quantile(_ values: [Double], _ probability: Double) -> Double? {
  quantiles(values, [probability])?.first
}

/// Several type-7 quantiles of the same values, in the order of `probabilities`; nil as for `quantile`.
public func quantiles(_ values: [Double], _ probabilities: [Double]) -> [Double]? {
  guard !values.isEmpty, values.allSatisfy(\.isFinite) else { return nil }
  guard probabilities.allSatisfy({ (0...1).contains($0) }) else { return nil }
  let sorted = values.sorted()
  return probabilities.map { quantile(sorted: sorted, $0) }
}

/// P90 / P10 − 1: how far apart values above zero lie, without the tenth at either end. Nil for fewer than three values, and
/// where P10 is not above zero.
public func relativeSpread(_ values: [Double]) -> Double? {
  guard values.count > 2, let ends = quantiles(values, [0.1, 0.9]), ends[0] > 0 else { return nil }
  return ends[1] / ends[0] - 1
}

/// The standard deviation of a sample, √(Σ(x − x̄)² / (n − 1)), in two passes so that values close together
/// and far from zero lose no digits. Nil for fewer than two values.
public func standardDeviation(_ values: [Double]) -> Double? {
  guard values.count > 1, let center = mean(values) else { return nil }
  let squares = values.reduce(0) { $0 + ($1 - center) * ($1 - center) }
  let result = (squares / Double(values.count - 1)).squareRoot()
  return result.isFinite ? result : nil
}

/// exp(Σ ln x / n): the mean of ratios. Nil for no values, or where one is not a finite number above zero.
public func geometricMean(_ values: [Double]) -> Double? {
  guard values.allSatisfy({ $0 > 0 && $0.isFinite }) else { return nil }
  return mean(values.map { log($0) }).map { exp($0) }
}

/// Type 7 on values that are sorted, finite and at least one.
func quantile(sorted: [Double], _ probability: Double) -> Double {
  let position = Double(sorted.count - 1) * probability
  let lower = min(Int(position), sorted.count - 1)
  let upper = min(lower + 1, sorted.count - 1)
  let fraction = position - Double(lower)
  return sorted[lower] + fraction * (sorted[upper] - sorted[lower])
}

/// P(Z ≥ z) of a standard normal Z.
func normalUpperTail(_ z: Double) -> Double { 0.5 * erfc(z / 2.squareRoot()) }
