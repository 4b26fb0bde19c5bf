/// One interleaved comparison of two builds, whole: what was compared, how, and every raw sample.
///
/// Like `Record` it is the only truth of its run, and `Comparison` is a pure function of it. Durations are in
/// nanoseconds, sizes in bytes; what could not be read is absent.
public struct PairedRecord: Codable, Sendable, Equatable {
  /// Raised when a field changes its meaning; a reader refuses any other number.
  public static let currentSchema = 1
  public static let kindName = "builds"

  public var schema = PairedRecord.currentSchema
  /// Tells it from a `Record`.
  public var kind = PairedRecord.kindName
  /// The command's arguments, the program's name first.
  public var command: [String]
  /// ISO 8601, UTC.
  public var started: String
  public var finished: String?
  /// False from the start until the last block has ended.
  public var isComplete = false
  /// Why the run ended before its time, in a line, as in `Record`.
  public var stopped: String?
  /// Nil where matrix products alone are compared.
  public var model: ModelDescription?
  public var machine: Machine
  public var base: PairedBuild
  public var head: PairedBuild
  public var settings: PairedSettings
  public var contestants: [MeasuredVariant]
  public var units: [PairedUnit]
  public var warnings: [String] = []
  /// What the run met on its machine; nil until it has ended.
  public var conditions: Conditions?
  public var correctness: [PairedCheck] = []
  /// Contestants that gave no figures, or no further ones.
  public var lost: [LostContestant] = []
  public var blocks: [PairedBlock] = []

  public init(
    command: [String], started: String, model: ModelDescription?, machine: Machine, base: PairedBuild,
    head: PairedBuild, settings: PairedSettings, contestants: [MeasuredVariant], units: [PairedUnit]
  ) {
    (self.command, self.started, self.model, self.machine) = (command, started, model, machine)
    (self.base, self.head, self.settings, self.contestants) = (base, head, settings, contestants)
    self.units = units
  }
}

/// Whose process it is. The base runs twice: what its two processes differ by is this run's noise.
public enum PairedSide: String, NamedChoice {
  case base, control, head
}

/// One of the two builds.
public struct PairedBuild: Codable, Sendable, Equatable {
  /// The program's file as it was named.
  public var path: String
  /// What its worker says of itself.
  public var version: String?
  /// Compiler and flags, where it is the build that wrote the record.
  public var build: Build?

  public init(path: String, version: String? = nil, build: Build? = nil) {
    (self.path, self.version, self.build) = (path, version, build)
  }
}

public struct PairedSettings: Codable, Sendable, Equatable {
  public var suite: String?
  public var budgetSeconds: Double
  /// Seed of the orders and of the prompts.
  public var seed: UInt64
  /// The share from which on a change counts, as `--max-regression` takes it, every metric named.
  public var maxRegression: String
  /// As `--rows` took it; nil for all rows.
  public var rows: String?
  /// Error of all looks together, and the number of blocks at the first one.
  public var alpha: Double
  public var firstLook: Int
  /// Blocks of the confirmation at its first look.
  public var confirmationBlocks: Int
  /// What ran before the first sample of each process and was not kept.
  public var warmup: String?

  public init(
    suite: String?, budgetSeconds: Double, seed: UInt64, maxRegression: String, rows: String?, alpha: Double,
    firstLook: Int, confirmationBlocks: Int, warmup: String? = nil
  ) {
    (self.suite, self.budgetSeconds, self.seed) = (suite, budgetSeconds, seed)
    (self.maxRegression, self.rows, self.alpha, self.firstLook) = (maxRegression, rows, alpha, firstLook)
    (self.confirmationBlocks, self.warmup) = (confirmationBlocks, warmup)
  }
}

/// What is measured and compared: one variant, or another program, with its weights and threads.
public struct MeasuredVariant: Codable, Sendable, Hashable {
  public var variant: String
  public var weights: String
  public var threads: Int

  public init(variant: String, weights: String, threads: Int) {
    (self.variant, self.weights, self.threads) = (variant, weights, threads)
  }
}

/// A test of a contestant.
public struct PairedUnit: Codable, Sendable, Equatable {
  /// Index into the record's contestants.
  public var contestant: Int
  public var test: Test
  /// Rounds in a block that measures every unit, each with two executions of every side; where fewer units are measured
  /// they have the time of all. Nil until the first warm-up has told.
  public var rounds: Int?

  public init(contestant: Int, test: Test, rounds: Int? = nil) {
    (self.contestant, self.test, self.rounds) = (contestant, test, rounds)
  }
}

/// One build's variant held against one reference.
public struct PairedCheck: Codable, Sendable, Equatable {
  public var side: PairedSide
  public var outcome: Correctness

  public init(side: PairedSide, outcome: Correctness) { (self.side, self.outcome) = (side, outcome) }
}

/// A contestant that died, refused, failed its check or could not be started.
public struct LostContestant: Codable, Sendable, Equatable {
  public var contestant: Int
  public var side: PairedSide
  /// One line.
  public var reason: String
  /// Whether it computed something wrong.
  public var failedCheck: Bool

  public init(contestant: Int, side: PairedSide, reason: String, failedCheck: Bool) {
    (self.contestant, self.side, self.reason, self.failedCheck) = (contestant, side, reason, failedCheck)
  }
}

/// One replicate: fresh processes of every side, warmed up, then measured in mirrored rounds.
public struct PairedBlock: Codable, Sendable, Equatable {
  public enum Stage: String, NamedChoice {
    /// Looks for changes.
    case search
    /// Measures anew what the search took for a change.
    case confirmation
  }

  public var stage: Stage
  public var processes: [PairedProcess] = []
  public var samples: [PairedSample] = []

  public init(stage: Stage) { self.stage = stage }
}

public struct PairedProcess: Codable, Sendable, Equatable {
  public var contestant: Int
  public var side: PairedSide
  public var loadNanoseconds: Int?
  public var peakMemoryBytes: Int?

  public init(contestant: Int, side: PairedSide, loadNanoseconds: Int?, peakMemoryBytes: Int?) {
    (self.contestant, self.side, self.loadNanoseconds) = (contestant, side, loadNanoseconds)
    self.peakMemoryBytes = peakMemoryBytes
  }
}

public struct PairedSample: Codable, Sendable, Equatable {
  /// Index into the record's units.
  public var unit: Int
  public var side: PairedSide
  /// Its `round` is of the block, its `sequence` of the whole run.
  public var sample: Sample

  public init(unit: Int, side: PairedSide, sample: Sample) {
    (self.unit, self.side, self.sample) = (unit, side, sample)
  }
}
