public struct Machine: Codable, Sendable, Equatable {
  public var cpu: String
  /// Vector and arithmetic extensions that matter here, for example `avx2`, `fma`, `avx512f`.
  public var flags: [String]
  public var logicalCores: Int
  /// For example `L1d 48 KiB`, `L2 1 MiB`, `L3 32 MiB`; per core as the system reports it.
  public var caches: [String]
  public var memoryBytes: Int?
  public var governor: String?
  public var system: String
  /// The CBLAS library that the run used: its file and what it says of itself; nil where none was used.
  public var blas: String?
  /// Of the pool with a thread for each core; nil on one core, and in records from before it was measured.
  public var forkJoin: ForkJoin?

  public init(
    cpu: String, flags: [String], logicalCores: Int, caches: [String], memoryBytes: Int?,
    governor: String?, system: String
  ) {
    (self.cpu, self.flags, self.logicalCores, self.caches) = (cpu, flags, logicalCores, caches)
    (self.memoryBytes, self.governor, self.system) = (memoryBytes, governor, system)
  }
}

public struct Build: Codable, Sendable, Equatable {
  public var version: String
  public var compiler: String
  /// `release` or `debug`.
  public var configuration: String
  /// The CPU flag of the build, for example `-march=native`.
  public var cpuFlag: String
  /// Width of the float vectors that the build may use, in bits.
  public var vectorBits: Int
  /// The source tree's commit when the run started, `-dirty` after it where files differed.
  public var commit: String?

  public init(
    version: String, compiler: String, configuration: String, cpuFlag: String, vectorBits: Int,
    commit: String?
  ) {
    (self.version, self.compiler, self.configuration) = (version, compiler, configuration)
    (self.cpuFlag, self.vectorBits, self.commit) = (cpuFlag, vectorBits, commit)
  }
}

/// What it costs the thread pool to begin a job on all its threads and to end it, measured on this machine.
public struct ForkJoin: Codable, Sendable, Equatable {
  public var threads: Int
  /// Median where the threads still watch for the next job, in µs.
  public var hotMicroseconds: Double
  /// Median where they have parked and must be woken, in µs.
  public var wokenMicroseconds: Double

  public init(threads: Int, hotMicroseconds: Double, wokenMicroseconds: Double) {
    (self.threads, self.hotMicroseconds) = (threads, hotMicroseconds)
    self.wokenMicroseconds = wokenMicroseconds
  }
}

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
