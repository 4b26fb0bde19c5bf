import Statistics

/// What the machine can do at most with this many threads.
public struct MachineCeiling: Sendable, Equatable {
  public let threads: Int
  /// Float32 fused multiply-adds in registers, two operations each, in GFLOP/s.
  public let fmaGFLOPS: Trials
  /// Reading from each level of memory that could be measured, nearest first.
  public let memory: [MemoryCeiling]

  /// The rate of each of several short trials.
  public struct Trials: Sendable, Equatable {
    public let all: [Double]
    public let best: Double
    public let median: Double

    /// Nil for no rates or one that is not finite.
    init?(_ rates: [Double]) {
      guard let best = rates.max(), let middle = Statistics.median(rates) else { return nil }
      all = rates
      self.best = best
      median = middle
    }
  }
}

/// A level of memory, by what it takes to read from it and from nothing nearer.
public enum MemoryLevel: String, Sendable, CaseIterable {
  case l2 = "L2"
  case l3 = "L3"
  case dram = "DRAM"
}

/// Reading from one level of memory with this many threads.
public struct MemoryCeiling: Sendable, Equatable {
  public let level: MemoryLevel
  /// What all these threads together can keep there; nil for DRAM.
  public let capacityBytes: Int?
  /// What all threads together read over and over.
  public let workingSetBytes: Int
  /// The fastest of `ReadPattern.candidates` here.
  public let pattern: ReadPattern
  /// In GB/s (10⁹ bytes), of all threads together.
  public let gbPerSecond: MachineCeiling.Trials
  /// Why the figure may not be what its level says; nil where nothing speaks against it.
  public let remark: String?
}
