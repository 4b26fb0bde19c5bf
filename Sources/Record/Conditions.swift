/// What the run met on its machine, from before the first process is started until after the last sample. What could
/// not be read is absent.
public struct Conditions: Codable, Sendable, Equatable {
  /// The run in stretches of a second or more, in order.
  public var stretches: [Stretch]
  /// Times of a fixed loop on one core: before the rounds, between them and after them.
  public var calibration: [CalibrationSample]
  /// A cache line's way between the same two cores, as often.
  public var coreToCore: [CoreToCoreSample]?
  /// Of the whole machine.
  public var pagesSwappedIn: Int?
  public var pagesSwappedOut: Int?
  /// Periods in which the quota of the control group was spent, and for how long its processes were held back.
  public var groupThrottledPeriods: Int?
  public var groupThrottledSeconds: Double?
  /// How often heat slowed cores and packages, summed over the logical cores.
  public var coreThrottles: Int?
  public var packageThrottles: Int?

  public init(stretches: [Stretch], calibration: [CalibrationSample]) {
    (self.stretches, self.calibration) = (stretches, calibration)
  }
}

/// CPU time that went by in a stretch of the run, in seconds, summed over all logical cores.
public struct Stretch: Codable, Sendable, Equatable {
  /// Wall time from the observation's start to that of the stretch.
  public var startSeconds: Double
  /// Wall time.
  public var seconds: Double
  /// Logical cores that were on.
  public var cores: Int?
  /// Work of whatever process, and of the kernel.
  public var busySeconds: Double?
  /// Work of the command and its contestants.
  public var ownSeconds: Double?
  /// Taken by the hypervisor while there was something to do.
  public var stolenSeconds: Double?
  /// Busy, idle and stolen.
  public var totalSeconds: Double?

  public init(startSeconds: Double, seconds: Double) {
    (self.startSeconds, self.seconds) = (startSeconds, seconds)
  }
}

/// The fixed loop's time at one moment: proportional to 1 / clock rate, and longer where the core was taken away.
public struct CalibrationSample: Codable, Sendable, Equatable {
  /// Wall time since the observation's start.
  public var atSeconds: Double
  public var nanoseconds: Int
  /// What the frequency driver said just after the loop.
  public var frequencyMHz: Double?

  public init(atSeconds: Double, nanoseconds: Int, frequencyMHz: Double?) {
    (self.atSeconds, self.nanoseconds, self.frequencyMHz) = (atSeconds, nanoseconds, frequencyMHz)
  }
}

/// How long a cache line took from one core to another at one moment, half of a round trip.
public struct CoreToCoreSample: Codable, Sendable, Equatable {
  /// Wall time since the observation's start.
  public var atSeconds: Double
  public var nanoseconds: Double

  public init(atSeconds: Double, nanoseconds: Double) {
    (self.atSeconds, self.nanoseconds) = (atSeconds, nanoseconds)
  }
}
