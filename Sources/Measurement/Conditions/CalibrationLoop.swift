/// A fixed piece of arithmetic whose every step waits for the one before: how long it takes depends on the core's
/// clock rate alone, and on whether somebody takes the core away meanwhile. Its times within one run on one machine
/// tell how steady both were.
public struct CalibrationLoop: Sendable {
  /// Steps of a trial: with the usual latency of four cycles 1.4 ms at 3 GHz.
  static let steps = 1 << 20
  /// The first wakes a core that slept; of the others one is likely undisturbed.
  static let trials = 4

  private let clock: any MonotonicClock
  private let work: @Sendable () -> Void

  public init(clock: any MonotonicClock = SystemClock()) {
    self.init(clock: clock) { Self.chain(steps: Self.steps) }
  }

  init(clock: any MonotonicClock, work: @escaping @Sendable () -> Void) {
    self.clock = clock
    self.work = work
  }

  /// Nanoseconds of the fastest of four trials on this thread; nil from a clock that stands still.
  public func time() -> UInt64? {
    let times = (0..<Self.trials).map { _ in
      let start = clock.now()
      work()
      return clock.now() - start
    }
    return times.min().flatMap { $0 > 0 ? $0 : nil }
  }

  /// One integer multiplication and one addition a step, in one register.
  @inline(never)
  static func chain(steps: Int) {
    let factor = launder(6_364_136_223_846_793_005)
    let increment = launder(1_442_695_040_888_963_407)
    var value = launder(1)
    for _ in 0..<launder(steps) { value = launder(value &* factor &+ increment) }
    blackHole(value)
  }
}
