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

  /// median(`dividend`) ÷ median(`divisor`), two independent samples of numbers above zero; nil where one
  /// is empty.
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
  var halfWidth: Double? {
    interval.map { max(value - $0.lower, $0.upper - value) }
  }
}
