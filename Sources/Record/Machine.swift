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
  /// Products of narrower numbers; nil where the run had no weights of that kind.
  public var products: [ProductPeak]?
  /// The levels of memory, nearest first, DRAM among them; absent likewise.
  public var memory: [MemoryRoof]?

  public init(
    threads: Int, fmaGFLOPS: Double, dramGBPerSecond: Double, fmaTrials: [Double]? = nil,
    products: [ProductPeak]? = nil, memory: [MemoryRoof]? = nil
  ) {
    (self.threads, self.fmaGFLOPS, self.dramGBPerSecond) = (threads, fmaGFLOPS, dramGBPerSecond)
    (self.fmaTrials, self.products, self.memory) = (fmaTrials, products, memory)
  }
}

/// Sums of products of numbers narrower than float32, with the instructions that a CPU has for them.
public struct ProductPeak: Codable, Sendable, Equatable {
  public enum Numbers: String, NamedChoice {
    /// Pairs of bfloat16 into sums of float32.
    case bf16
    /// Four bytes at a time into sums of 32-bit integers.
    case int8

    /// What a contestant with such weights multiplies, by the names that tables show; nil for what is widened to float32
    /// first, and for what is not known.
    public init?(weights: String) {
      switch weights {
      case "bf16": self = .bf16
      case "int8", "int4", "q8_0", "q4_0": self = .int8
      default: return nil
      }
    }
  }

  public var numbers: Numbers
  /// By name, for example `avx512_vnni`.
  public var instructions: String
  /// Every trial: 2 × products per second of all threads together, in 10⁹.
  public var trials: [Double]

  public init(numbers: Numbers, instructions: String, trials: [Double]) {
    (self.numbers, self.instructions, self.trials) = (numbers, instructions, trials)
  }
}

extension Ceiling {
  /// The peak of the products that a row with such weights is made of, with the instructions that it ran on; where those
  /// are not known, the highest. Nil where float32's multiply-adds are its peak: it ran on them, or no other was measured.
  public func products(weights: String, instructions: String?) -> ProductPeak? {
    let numbers = ProductPeak.Numbers(weights: weights)
    let own = (products ?? []).filter { $0.numbers == numbers }
    guard let instructions else { return own.max { ($0.trials.max() ?? 0) < ($1.trials.max() ?? 0) } }
    return own.first { $0.instructions == instructions }
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
