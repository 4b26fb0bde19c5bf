/// What a run met on its machine.
public struct ObservedConditions: Sendable, Equatable {
  /// A stretch of the run, and the CPU time that went by in it, summed over all logical cores, in seconds.
  public struct Stretch: Sendable, Equatable {
    /// Wall time from the start of the observation to that of the stretch.
    public var start: Double
    /// Wall time of the stretch.
    public var seconds: Double
    /// Logical cores that were on.
    public var cores: Int?
    /// Work of whatever process, and of the kernel.
    public var busy: Double?
    /// Work of this process and its descendants.
    public var own: Double?
    /// Taken by the hypervisor.
    public var stolen: Double?
    /// Busy, idle and stolen.
    public var total: Double?
  }

  /// The calibration loop's time at one moment.
  public struct Calibration: Sendable, Equatable {
    /// Wall time since the start of the observation.
    public var at: Double
    public var nanoseconds: UInt64
    /// The core's clock rate as its driver saw it just behind the loop.
    public var frequencyMHz: Double?
  }

  /// A cache line's way between the same two cores at one moment.
  public struct CoreToCore: Sendable, Equatable {
    /// Wall time since the start of the observation.
    public var at: Double
    public var nanoseconds: Double
  }

  public var stretches: [Stretch] = []
  public var calibrations: [Calibration] = []
  public var coreToCore: [CoreToCore] = []
  public var pagesSwappedIn: UInt64?
  public var pagesSwappedOut: UInt64?
  /// Periods in which the control group's quota was spent, and how long its processes were held back.
  public var groupThrottledPeriods: UInt64?
  public var groupThrottledSeconds: Double?
  /// How often heat slowed cores and packages, summed over the logical cores.
  public var coreThrottles: UInt64?
  public var packageThrottles: UInt64?
}
