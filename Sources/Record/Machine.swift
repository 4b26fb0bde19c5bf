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
