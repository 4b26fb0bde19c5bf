/// What a table shows of one cell's samples. Every field has the unit of the values.
public struct Summary: Sendable, Equatable {
  public let count: Int
  public let minimum: Double
  public let maximum: Double
  public let mean: Double
  public let median: Double
  /// Sample standard deviation (n − 1); nil for a single value.
  public let standardDeviation: Double?
  /// Median absolute deviation, unscaled.
  public let medianAbsoluteDeviation: Double
  /// Type-7 quantile at 0.9; `median` is the one at 0.5.
  public let p90: Double
  /// Type-7 quantile at 0.99.
  public let p99: Double

  /// Nil for no values, or where one is not finite.
  public init?(_ values: [Double]) {
    guard let center = Statistics.mean(values),
      let points = quantiles(values, [0, 0.5, 0.9, 0.99, 1]),
      let deviation = Statistics.medianAbsoluteDeviation(values)
    else { return nil }
    count = values.count
    minimum = points[0]
    maximum = points[4]
    mean = center
    median = points[1]
    standardDeviation = Statistics.standardDeviation(values)
    medianAbsoluteDeviation = deviation
    p90 = points[2]
    p99 = points[3]
  }

  /// Standard deviation ÷ mean; nil for a single value or a mean of zero.
  public var coefficientOfVariation: Double? {
    guard let standardDeviation, mean != 0 else { return nil }
    return standardDeviation / mean
  }
}
