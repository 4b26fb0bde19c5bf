/// A confidence interval, `lower` ≤ `upper`, in the unit of its values.
public struct Interval: Sendable, Equatable, Codable {
  public var lower: Double
  public var upper: Double

  public init(lower: Double, upper: Double) {
    self.lower = lower
    self.upper = upper
  }

  public func contains(_ value: Double) -> Bool { lower <= value && value <= upper }
}

/// An estimate with its confidence interval.
public struct Estimate: Sendable, Equatable, Codable {
  public var value: Double
  public var interval: Interval

  public init(value: Double, interval: Interval) {
    self.value = value
    self.interval = interval
  }
}
