import Statistics

/// What this machine can do at most with this many threads, measured in this run.
public struct Ceiling: Codable, Sendable, Equatable {
  public var threads: Int
  /// Best of the trials: 2 × fused multiply-adds per second, float32, in GFLOP/s.
  public var fmaGFLOPS: Double
  /// Best of the trials: reading a buffer far larger than the caches, in GB/s (10⁹ bytes).
  public var dramGBPerSecond: Double
  /// Every trial behind `fmaGFLOPS`; absent in records that kept only the best.
  public var fmaTrials: [Double]?
  /// The levels of memory, nearest first, DRAM among them; absent likewise.
  public var memory: [MemoryRoof]?

  public init(
    threads: Int, fmaGFLOPS: Double, dramGBPerSecond: Double, fmaTrials: [Double]? = nil,
    memory: [MemoryRoof]? = nil
  ) {
    self.threads = threads
    self.fmaGFLOPS = fmaGFLOPS
    self.dramGBPerSecond = dramGBPerSecond
    self.fmaTrials = fmaTrials
    self.memory = memory
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
    self.level = level
    self.capacityBytes = capacityBytes
    self.workingSetBytes = workingSetBytes
    self.streams = streams
    self.prefetchBytes = prefetchBytes
    self.trials = trials
    self.remark = remark
  }
}

/// What bounds a cell's speed, and how high it lies.
enum Roof: Sendable, Equatable {
  case compute
  /// By the level that the bytes come from.
  case memory(level: String)

  var words: String {
    switch self {
    case .compute: "compute"
    case .memory(let level): "memory (\(level))"
    }
  }
}

extension Ceiling {
  /// Of the trials that a roof is made from. The best would be a lucky moment of a short trial, the median one that
  /// others spoiled: a tenth of the trials was faster than this.
  static let roofQuantile = 0.9
  static let dram = "DRAM"

  /// GFLOP/s.
  var computeRoof: Double { fmaTrials.flatMap { quantile($0, Self.roofQuantile) } ?? fmaGFLOPS }

  /// The nearest level that holds `bytes`, and its GB/s; DRAM for nil, and where the record knows no other level.
  func memoryRoof(holding bytes: Double?) -> (level: String, gbPerSecond: Double) {
    let levels = memory ?? []
    let near = levels.first { level in
      level.capacityBytes.map { capacity in bytes.map { $0 <= Double(capacity) } ?? false } ?? false
    }
    let chosen = near ?? levels.first { $0.level == Self.dram }
    guard let chosen, let rate = quantile(chosen.trials, Self.roofQuantile) else {
      return (Self.dram, dramGBPerSecond)
    }
    return (chosen.level, rate)
  }
}
