import Statistics

/// Whether a series in time order changed over the run: its medians before and after the middle differ, and its trend
/// is no accident.
struct Drift: Sendable, Equatable {
  /// Median of the second half ÷ median of the first − 1.
  let change: Double
  /// Mann-Kendall, two-sided.
  let pValue: Double

  /// Fewer cannot show a trend that is no accident.
  static let minimumCount = 6
  /// A trend as clear as this is one row's false alarm in a hundred, and must also be a large change.
  static let significance = 0.01
  /// The change that a comparison looks for by default: less would not turn its verdict.
  static let samples = 0.05
  /// The calibration loop repeats within one or two percent; what it drifts, every figure drifts.
  static let calibration = 0.02

  /// Beyond this many values the medians of so many blocks stand for them: the test's time grows with the square.
  private static let blocks = 120

  /// Nil for fewer than six values, or one that is not above zero.
  init?(_ series: [Double]) {
    guard series.count >= Self.minimumCount, series.allSatisfy({ $0 > 0 }),
      let first = median(Array(series.prefix(series.count / 2))),
      let second = median(Array(series.suffix(series.count / 2))),
      let trend = Trend(Self.thinned(series))
    else { return nil }
    change = second / first - 1
    pValue = trend.pValue
  }

  func exceeds(_ limit: Double) -> Bool { pValue < Self.significance && abs(change) > limit }

  private static func thinned(_ series: [Double]) -> [Double] {
    guard series.count > blocks else { return series }
    return (0..<blocks).compactMap { block in
      median(Array(series[block * series.count / blocks..<(block + 1) * series.count / blocks]))
    }
  }
}
