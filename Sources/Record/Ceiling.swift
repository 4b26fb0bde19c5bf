/// What this machine can do at most with this many threads, measured in this run.
public struct Ceiling: Codable, Sendable, Equatable {
  /// The name of the level that is no cache.
  public static let dram = "DRAM"

  public var threads: Int
  /// Best of the trials: 2 × fused multiply-adds per second, float32, in GFLOP/s.
  public var fmaGFLOPS: Double
  /// Best of the trials: reading a buffer far larger than the caches, in GB/s (10⁹ bytes).
  public var dramGBPerSecond: Double
  /// Every trial of `fmaGFLOPS`; absent in records that kept only the best.
  public var fmaTrials: [Double]?
  /// The levels of memory, nearest first, DRAM among them; absent likewise.
  public var memory: [MemoryRoof]?

  public init(
    threads: Int, fmaGFLOPS: Double, dramGBPerSecond: Double, fmaTrials: [Double]? = nil,
    memory: [MemoryRoof]? = nil
  ) {
    (self.threads, self.fmaGFLOPS, self.dramGBPerSecond) = (threads, fmaGFLOPS, dramGBPerSecond)
    (self.fmaTrials, self.memory) = (fmaTrials, memory)
  }
}

/// Reading from one level of memory.
public struct MemoryRoof: Codable, Sendable, Equatable {
  /// `L2`, `L3` or `DRAM`.
  public var level: String
  /// What all these threads together can keep there; nil for DRAM.
  public var capacityBytes: Int?
  /// What all threads together read over and over.
  public var workingSetBytes: Int
  /// Streams that each thread read side by side, and how far ahead of each load it asked for the line; 0 where that
  /// was left to the hardware. Of several such patterns the fastest.
  public var streams: Int
  public var prefetchBytes: Int
  /// Every trial, in GB/s (10⁹ bytes) of all threads together.
  public var trials: [Double]
  /// Why the figure may not be what its level says; nil where nothing speaks against it.
  public var remark: String?

  public init(
    level: String, capacityBytes: Int?, workingSetBytes: Int, streams: Int, prefetchBytes: Int,
    trials: [Double], remark: String?
  ) {
    (self.level, self.capacityBytes, self.workingSetBytes) = (level, capacityBytes, workingSetBytes)
    (self.streams, self.prefetchBytes, self.trials, self.remark) = (streams, prefetchBytes, trials, remark)
  }
}
