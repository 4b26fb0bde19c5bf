/// What comparing an operation's output with its oracle has found, value by value.
public struct ValueCheck: Codable, Equatable, Sendable {
  public private(set) var maxAbsoluteError = 0.0
  /// What was allowed at the worst output.
  public private(set) var tolerance = 0.0
  public let compared: Int
  public let total: Int
  /// Whether every output compared was a finite number.
  public private(set) var isFinite = true
  /// The first output found wrong, in a line; nil where all are right.
  public private(set) var failure: String?
  private var squaredError = 0.0
  private var squaredReference = 0.0
  private var worstRatio = -1.0

  /// Σ(x − r)² / Σr² over the outputs compared.
  public var nmse: Double? { isFinite && squaredReference > 0 ? squaredError / squaredReference : nil }

  init(compared: Int, total: Int) {
    self.compared = compared
    self.total = total
  }

  mutating func add(_ value: Float, _ reference: Double, tolerance allowed: Double, row: Int, column: Int) {
    guard value.isFinite else {
      isFinite = false
      if failure == nil { failure = "output (\(row), \(column)) is \(value), expected a finite number" }
      return
    }
    let error = abs(Double(value) - reference)
    maxAbsoluteError = max(maxAbsoluteError, error)
    squaredError += error * error
    squaredReference += reference * reference
    if error / allowed > worstRatio {
      worstRatio = error / allowed
      tolerance = allowed
    }
    if error > allowed, failure == nil {
      failure = "output (\(row), \(column)) is off by \(brief(error)), allowed \(brief(allowed))"
    }
  }
}
