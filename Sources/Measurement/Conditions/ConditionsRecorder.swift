import Record

/// Watches the machine over a run: `begin`, then `betweenRounds` as often as one likes, then `end`. Nothing here may
/// be inside a measured time: a look takes some milliseconds of one core.
public final class ConditionsRecorder {
  /// Between two looks lies a second at least, in which the ticks that CPU time is counted in (10 ms) hardly matter…
  static let shortestStretch: UInt64 = 1_000_000_000
  /// …and so many times what a look takes, so that looking is no load.
  static let restOverCost: UInt64 = 50

  private typealias Look = (nanoseconds: UInt64, use: (all: CPUTimes?, own: UInt64?))

  private let clock: any MonotonicClock
  private let loop: CalibrationLoop
  private let latency: CoreToCoreLatency
  private let probe: ConditionsProbe
  private var looks: [Look] = []
  private var calibrations: [CalibrationSample] = []
  private var coreToCore: [CoreToCoreSample] = []
  private var first: ConditionsProbe.Incidents?
  private var latest: ConditionsProbe.Incidents?
  private var dueAt: UInt64 = 0

  public convenience init() {
    self.init(
      clock: SystemClock(), loop: CalibrationLoop(), latency: CoreToCoreLatency(), probe: ConditionsProbe())
  }

  /// - Parameter loop: what is timed to see the clock rate.
  init(clock: any MonotonicClock, loop: CalibrationLoop, latency: CoreToCoreLatency, probe: ConditionsProbe) {
    (self.clock, self.loop, self.latency, self.probe) = (clock, loop, latency, probe)
  }

  /// The observation starts here; what was observed before is forgotten.
  public func begin() {
    looks = []
    calibrations = []
    coreToCore = []
    first = probe.incidents()
    latest = nil
    // The core gets to its clock rate.
    _ = loop.time()
    look()
  }

  /// Looks, where enough time has passed since the last look. Nothing before `begin`.
  public func betweenRounds() {
    guard !looks.isEmpty, clock.now() >= dueAt else { return }
    look()
  }

  /// Looks a last time. The observation may go on after it.
  /// - Returns: everything observed.
  @discardableResult
  public func end() -> Conditions {
    guard !looks.isEmpty else { return observed }
    latest = probe.incidents()
    // A last stretch too short to count ticks in becomes part of the one before.
    if looks.count > 1, clock.now() < dueAt { looks.removeLast() }
    look()
    return observed
  }

  /// Everything observed so far; incidents are known from `end` on.
  public var observed: Conditions {
    func count(_ before: UInt64?, _ after: UInt64?) -> Int? {
      growth(before, after).flatMap(Int.init(exactly:))
    }
    let (before, after) = (first?.groupThrottling, latest?.groupThrottling)
    var observed = Conditions(
      stretches: zip(looks, looks.dropFirst()).compactMap(stretch), calibration: calibrations)
    observed.coreToCore = coreToCore.isEmpty ? nil : coreToCore
    observed.pagesSwappedIn = count(first?.pagesSwappedIn, latest?.pagesSwappedIn)
    observed.pagesSwappedOut = count(first?.pagesSwappedOut, latest?.pagesSwappedOut)
    observed.groupThrottledPeriods = count(before?.periods, after?.periods)
    observed.groupThrottledSeconds = growth(before?.nanoseconds, after?.nanoseconds).map { Double($0) / 1e9 }
    observed.coreThrottles = count(first?.coreThrottles, latest?.coreThrottles)
    observed.packageThrottles = count(first?.packageThrottles, latest?.packageThrottles)
    return observed
  }

  private func look() {
    let start = clock.now()
    looks.append((start, probe.cpuUse()))
    if let time = loop.time() {
      calibrations.append(
        CalibrationSample(
          atSeconds: seconds(until: start), nanoseconds: Int(clamping: time),
          frequencyMHz: probe.frequencyMHz()))
    }
    if let nanoseconds = latency.measure() {
      coreToCore.append(CoreToCoreSample(atSeconds: seconds(until: start), nanoseconds: nanoseconds))
    }
    let end = clock.now()
    dueAt = end + max(Self.shortestStretch, (end - start) * Self.restOverCost)
  }

  private func seconds(until moment: UInt64) -> Double {
    Double(moment - (looks.first?.nanoseconds ?? moment)) / 1e9
  }

  private func stretch(_ before: Look, _ after: Look) -> Stretch? {
    guard after.nanoseconds > before.nanoseconds else { return nil }
    let (a, b) = (before.use, after.use)
    func seconds(_ before: UInt64?, _ after: UInt64?) -> Double? {
      growth(before, after).map { Double($0) / probe.ticksPerSecond }
    }
    var stretch = Stretch(
      startSeconds: self.seconds(until: before.nanoseconds),
      seconds: Double(after.nanoseconds - before.nanoseconds) / 1e9)
    stretch.cores = b.all?.cores
    stretch.busySeconds = seconds(a.all?.busy, b.all?.busy)
    stretch.ownSeconds = seconds(a.own, b.own)
    stretch.stolenSeconds = seconds(a.all?.stolen, b.all?.stolen)
    stretch.totalSeconds = seconds(a.all?.total, b.all?.total)
    return stretch
  }
}

/// A fixed piece of arithmetic whose every step waits for the one before: how long it takes depends on the core's
/// clock rate alone, and on whether somebody takes the core away meanwhile. Its times tell how steady both were.
struct CalibrationLoop: Sendable {
  /// Steps of a trial: with the usual latency of four cycles 1.4 ms at 3 GHz.
  static let steps = 1 << 20
  /// The first wakes a core that slept; of the others one is likely undisturbed.
  static let trials = 4

  var clock: any MonotonicClock = SystemClock()
  var work: @Sendable () -> Void = { Self.chain(steps: Self.steps) }

  /// Nanoseconds of the fastest of four trials on this thread; nil from a clock that stands still.
  func time() -> UInt64? {
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
