import Statistics

/// A figure of a row: a median or what follows from one, and its 95 % bootstrap interval where there are
/// at least three samples.
struct Figure: Sendable, Equatable {
  var value: Double
  var interval: Interval?

  init(value: Double, interval: Interval? = nil) {
    self.value = value
    self.interval = interval
  }

  /// The median; nil for no values.
  init?(medianOf values: [Double]) {
    guard let value = median(values) else { return nil }
    self.init(value: value, interval: Bootstrap().median(values)?.interval)
  }

  /// median(`dividend`) ÷ median(`divisor`), two independent samples of numbers above zero; nil where one is empty.
  init?(medianOf dividend: [Double], overMedianOf divisor: [Double]) {
    guard let numerator = median(dividend), let denominator = median(divisor), denominator > 0
    else { return nil }
    self.init(
      value: numerator / denominator,
      interval: Bootstrap().ratioOfMedians(base: divisor, head: dividend)?.interval)
  }

  func scaled(by factor: Double) -> Figure {
    Figure(
      value: value * factor,
      interval: interval.map { Interval(lower: $0.lower * factor, upper: $0.upper * factor) })
  }

  /// `amount` ÷ this time: the longest time gives the lowest rate. Every value must be above zero.
  func rate(of amount: Double) -> Figure {
    Figure(
      value: amount / value,
      interval: interval.map { Interval(lower: amount / $0.upper, upper: amount / $0.lower) })
  }

  /// The larger distance from the figure to an end of its interval, for `±`.
  var halfWidth: Double? { interval.map { max(value - $0.lower, $0.upper - value) } }

  /// Whether `±` says what the interval is: one end is at most a quarter farther from the figure than the other.
  var isSymmetric: Bool {
    interval.map {
      4 * max(value - $0.lower, $0.upper - value) <= 5 * min(value - $0.lower, $0.upper - value)
    }
      ?? true
  }
}

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
      let thinned = blockMedians(series, blocks: min(Self.blocks, series.count)), let trend = Trend(thinned)
    else { return nil }
    change = second / first - 1
    pValue = trend.pValue
  }

  func exceeds(_ limit: Double) -> Bool { pValue < Self.significance && abs(change) > limit }
}
