/// One sample of a micro benchmark.
public struct CalibratedSample: Sendable, Equatable {
  public let iterations: Int
  /// Wall time of all of them.
  public let elapsedNanoseconds: UInt64

  public var nanosecondsPerCall: Double { Double(elapsedNanoseconds) / Double(iterations) }
}

/// Timing of work too short for one reading of the clock: a sample has enough calls to last `minimumSample`.
public struct Calibration: Sendable {
  /// No sample makes more calls than this, so that a body which does nothing ends as well.
  public static let maximumIterations = 1 << 30

  private let clock: any MonotonicClock
  private let minimum: UInt64
  private let limit: UInt64

  /// - Parameters:
  ///   - minimumSample: shortest sample; the default of 10 ms makes a preemption of 0.1 ms one percent.
  ///   - limit: what a sample may take with all its preparations; one that would take longer is shorter instead, of
  ///     one call at least. Nil for no limit.
  public init(
    minimumSample: Duration = .milliseconds(10), limit: Duration? = nil,
    clock: any MonotonicClock = SystemClock()
  ) {
    minimum = max(1, minimumSample.nanoseconds)
    self.limit = limit?.nanoseconds ?? .max
    self.clock = clock
  }

  /// Times `iterations` calls, at most `calls` of them at a time, and prepares each time while the clock stands.
  /// `body` makes as many calls as it is told.
  public func sample(
    iterations: Int, preparedFor calls: Int = .max, prepare: () -> Void = {},
    _ body: (_ iterations: Int) throws -> Void
  ) rethrows -> CalibratedSample {
    let step = max(min(calls, iterations), 1)
    var elapsed: UInt64 = 0
    for first in stride(from: 0, to: iterations, by: step) {
      prepare()
      let start = clock.now()
      try body(min(step, iterations - first))
      elapsed += clock.now() - start
    }
    return CalibratedSample(iterations: iterations, elapsedNanoseconds: elapsed)
  }

  /// Finds the number of calls that lasts at least the minimum, and gives the sample that showed it. All calls before
  /// it count as warm-up. Starts at one call and aims 20 % beyond the minimum from what it has seen, at most ten
  /// times as many calls in a step, because the first calls are slower than the rest.
  public func calibrate(
    preparedFor calls: Int = .max, prepare: () -> Void = {},
    _ body: (_ iterations: Int) throws -> Void
  ) rethrows -> CalibratedSample {
    var iterations = 1
    while true {
      let start = clock.now()
      let result = try sample(iterations: iterations, preparedFor: calls, prepare: prepare, body)
      let wholePerCall = max(Double(clock.now() - start) / Double(iterations), 1e-3)
      let most = min(Double(limit) / wholePerCall, Double(Self.maximumIterations))
      if result.elapsedNanoseconds >= minimum || Double(iterations + 1) > most { return result }
      let wanted = 1.2 * Double(minimum) / max(result.nanosecondsPerCall, 1e-3)
      let next = min(wanted.rounded(.up), Double(iterations) * 10, most)
      iterations = max(Int(next), iterations + 1)
    }
  }
}
