/// One run, whole: what ran, where, on what, how correct it was and every raw sample.
///
/// The record is the only truth of a run. Every report is a pure function of it. Durations are integers in
/// nanoseconds, sizes in bytes; what could not be read is absent, never zero.
public struct Record: Codable, Sendable, Equatable {
  /// Raised when a field changes its meaning; a reader refuses any other number.
  public static let currentSchema = 1

  public var schema = Record.currentSchema
  public var kind: Kind
  /// The command's arguments, the program's name first, so that a reader can repeat the run.
  public var command: [String]
  /// ISO 8601, UTC.
  public var started: String
  public var finished: String?
  /// False from the start until the last cell has ended; an interrupted run stays incomplete.
  public var isComplete = false
  public var model: ModelDescription?
  public var machine: Machine
  public var build: Build
  public var settings: Settings
  public var ceilings: [Ceiling] = []
  public var warnings: [String] = []
  public var correctness: [Correctness] = []
  public var cells: [Cell] = []

  public enum Kind: String, Codable, Sendable {
    case endToEnd = "end-to-end"
    case gemm
  }

  public init(
    kind: Kind, command: [String], started: String, model: ModelDescription?, machine: Machine,
    build: Build, settings: Settings
  ) {
    self.kind = kind
    self.command = command
    self.started = started
    self.model = model
    self.machine = machine
    self.build = build
    self.settings = settings
  }
}

/// The GPT-2 that ran.
public struct ModelDescription: Codable, Sendable, Equatable {
  public var name: String
  public var layers: Int
  public var heads: Int
  public var channels: Int
  public var vocabulary: Int
  public var context: Int
  public var parameters: Int
  /// Bytes of all weights at the file's precision.
  public var weightBytes: Int
  /// Whether a tokenizer came with it, so that TTFT starts at text; without one it starts at token ids.
  public var hasTokenizer: Bool

  public init(
    name: String, layers: Int, heads: Int, channels: Int, vocabulary: Int, context: Int,
    parameters: Int, weightBytes: Int, hasTokenizer: Bool
  ) {
    self.name = name
    self.layers = layers
    self.heads = heads
    self.channels = channels
    self.vocabulary = vocabulary
    self.context = context
    self.parameters = parameters
    self.weightBytes = weightBytes
    self.hasTokenizer = hasTokenizer
  }
}

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

  public init(
    cpu: String, flags: [String], logicalCores: Int, caches: [String], memoryBytes: Int?,
    governor: String?, system: String
  ) {
    self.cpu = cpu
    self.flags = flags
    self.logicalCores = logicalCores
    self.caches = caches
    self.memoryBytes = memoryBytes
    self.governor = governor
    self.system = system
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
  /// The source tree's commit when the run started, `-dirty` behind it where files differed.
  public var commit: String?

  public init(
    version: String, compiler: String, configuration: String, cpuFlag: String, vectorBits: Int,
    commit: String?
  ) {
    self.version = version
    self.compiler = compiler
    self.configuration = configuration
    self.cpuFlag = cpuFlag
    self.vectorBits = vectorBits
    self.commit = commit
  }
}

/// What was asked of the harness.
public struct Settings: Codable, Sendable, Equatable {
  /// The suite's name; nil where the cells came from the command line.
  public var suite: String?
  /// Samples wanted of each cell.
  public var repetitions: Int
  /// Wall time that one contestant may spend on one cell before it stops short of `repetitions`.
  public var cellBudgetSeconds: Double
  /// Seed of the order of rounds and of the prompts.
  public var seed: UInt64

  public init(suite: String?, repetitions: Int, cellBudgetSeconds: Double, seed: UInt64) {
    self.suite = suite
    self.repetitions = repetitions
    self.cellBudgetSeconds = cellBudgetSeconds
    self.seed = seed
  }
}

/// What this machine can do at most with this many threads, measured in this run.
public struct Ceiling: Codable, Sendable, Equatable {
  public var threads: Int
  /// Best of the trials: 2 × fused multiply-adds per second, float32, in GFLOP/s.
  public var fmaGFLOPS: Double
  /// Best of the trials: reading a buffer far larger than the caches, in GB/s (10⁹ bytes).
  public var dramGBPerSecond: Double

  public init(threads: Int, fmaGFLOPS: Double, dramGBPerSecond: Double) {
    self.threads = threads
    self.fmaGFLOPS = fmaGFLOPS
    self.dramGBPerSecond = dramGBPerSecond
  }
}

/// One variant held against one reference.
public struct Correctness: Codable, Sendable, Equatable {
  public var variant: String
  public var threads: Int
  /// The reference's name, or the shape for a GEMM.
  public var reference: String
  public var passed: Bool
  /// Absent where a value was not finite or nothing could be compared.
  public var maxAbsoluteError: Double?
  public var tolerance: Double
  /// Σ(x − r)² / Σr²; absent likewise.
  public var nmse: Double?
  /// Positions whose largest logit is the reference's, of all compared.
  public var argmaxAgreed: Int
  public var argmaxCompared: Int
  /// Why it failed, in a line; nil where it passed.
  public var failure: String?

  public init(
    variant: String, threads: Int, reference: String, passed: Bool, maxAbsoluteError: Double?,
    tolerance: Double, nmse: Double?, argmaxAgreed: Int, argmaxCompared: Int, failure: String?
  ) {
    self.variant = variant
    self.threads = threads
    self.reference = reference
    self.passed = passed
    self.maxAbsoluteError = maxAbsoluteError
    self.tolerance = tolerance
    self.nmse = nmse
    self.argmaxAgreed = argmaxAgreed
    self.argmaxCompared = argmaxCompared
    self.failure = failure
  }
}

/// What one cell measures. Its `name` is the `test` column.
public enum Test: Codable, Sendable, Hashable {
  /// A prompt of `tokens` ids, then one token: TTFT and prefill. `pp64`
  case prefill(tokens: Int, batch: Int)
  /// A prompt of `depth` ids, then `tokens` new ones: TPOT, ITL and decode tok/s. `tg32 @ d64`
  case decode(tokens: Int, depth: Int, batch: Int)
  /// out(m, n) = x(m, k) · w(n, k)ᵀ
  case gemm(m: Int, k: Int, n: Int)
}

/// One variant on one test: a row of the tables.
public struct Cell: Codable, Sendable, Equatable {
  public var variant: String
  /// Precision of the weights, `f32`.
  public var weights: String
  public var threads: Int
  public var test: Test
  public var status: Status
  /// What happened, where the status is not `measured`; or a remark on the samples.
  public var message: String?
  public var samples: [Sample] = []
  /// Floating-point operations of one sample (for `decode`: of one average step).
  public var flops: Double?
  /// Compulsory bytes of one sample (for `decode`: of one average step): each weight and cached value once.
  public var bytes: Double?
  /// The process's peak resident memory by the end of this variant's cells.
  public var peakMemoryBytes: Int?
  public var load: LoadTimes?

  public enum Status: String, Codable, Sendable {
    case pending, measured, failedCheck = "failed-check", died, hung, rejected, skipped
  }

  public init(variant: String, weights: String, threads: Int, test: Test, status: Status) {
    self.variant = variant
    self.weights = weights
    self.threads = threads
    self.test = test
    self.status = status
  }
}

public struct LoadTimes: Codable, Sendable, Equatable {
  /// The file's pages had been dropped from the page cache; nil where that could not be done.
  public var coldNanoseconds: Int?
  /// The file was in the page cache.
  public var warmNanoseconds: Int?

  public init(coldNanoseconds: Int?, warmNanoseconds: Int?) {
    self.coldNanoseconds = coldNanoseconds
    self.warmNanoseconds = warmNanoseconds
  }
}

/// One measured execution of a cell's work.
public struct Sample: Codable, Sendable, Equatable {
  /// The round it was taken in, from 0.
  public var round: Int
  /// Its place in the order of all samples of the run, from 0.
  public var sequence: Int
  /// From the request to its end. For a GEMM: the mean of `iterations` calls.
  public var elapsedNanoseconds: Double
  /// Calls behind one GEMM sample; 1 otherwise.
  public var iterations: Int
  /// The forward pass over the prompt alone; nil for a GEMM.
  public var prefillNanoseconds: Int?
  /// For each new token, when its id was there, counted from the request's start.
  public var tokenNanoseconds: [Int]

  public init(
    round: Int, sequence: Int, elapsedNanoseconds: Double, iterations: Int,
    prefillNanoseconds: Int?, tokenNanoseconds: [Int]
  ) {
    self.round = round
    self.sequence = sequence
    self.elapsedNanoseconds = elapsedNanoseconds
    self.iterations = iterations
    self.prefillNanoseconds = prefillNanoseconds
    self.tokenNanoseconds = tokenNanoseconds
  }
}
