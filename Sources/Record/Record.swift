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
  /// Why the run ended before its time, in a line: who ended it, or what could not be written. Nil of a complete run, of
  /// one that goes on, and of one that was killed.
  public var stopped: String?
  /// Where it was resumed, a line each; nil of a run in one part.
  public var resumed: [String]?
  /// What the run was to give and has not, beside cells, a line each; nil where nothing is missing.
  public var missing: [String]?
  public var model: ModelDescription?
  public var machine: Machine
  public var build: Build
  public var settings: Settings
  public var ceilings: [Ceiling] = []
  /// Wall time that measuring the ceilings took, before, between and after the rounds; nil where it was not said.
  public var ceilingSeconds: Double?
  public var warnings: [String] = []
  public var correctness: [Correctness] = []
  public var cells: [Cell] = []
  /// The other programs that took part; nil where there were none, and in records from before there could be.
  public var peers: [PeerDescription]?
  /// What the run met on its machine; nil in records from before it was watched.
  public var conditions: Conditions?
  /// What was found to speak against the figures when the run ended; reports judge anew. Nil until then.
  public var findings: [Finding]?
  /// Why the program's own workers counted no events of the CPU, in a line; nil where they did, or did not say.
  public var countersUnavailable: String?
  /// Where each contestant's time went; nil in records from before that was measured.
  public var profiles: [Profile]?

  public enum Kind: String, NamedChoice {
    case endToEnd = "end-to-end"
    case matmul = "gemm"
    case operations = "ops"
  }

  public init(
    kind: Kind, command: [String], started: String, model: ModelDescription?, machine: Machine,
    build: Build, settings: Settings
  ) {
    (self.kind, self.command, self.started, self.model) = (kind, command, started, model)
    (self.machine, self.build, self.settings) = (machine, build, settings)
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
  /// Whether TTFT starts at text: a tokenizer came with it, and no other program takes part, which would have to
  /// have the same one. Otherwise TTFT starts at token ids.
  public var hasTokenizer: Bool

  public init(
    name: String, layers: Int, heads: Int, channels: Int, vocabulary: Int, context: Int,
    parameters: Int, weightBytes: Int, hasTokenizer: Bool
  ) {
    (self.name, self.layers, self.heads, self.channels) = (name, layers, heads, channels)
    (self.vocabulary, self.context, self.parameters) = (vocabulary, context, parameters)
    (self.weightBytes, self.hasTokenizer) = (weightBytes, hasTokenizer)
  }
}

/// Another program that took part.
public struct PeerDescription: Codable, Sendable, Equatable {
  /// As in `Cell.variant`.
  public var name: String
  /// The command that started it, as it was typed.
  public var command: String
  /// What it says it is; nil where it never said.
  public var version: String?

  public init(name: String, command: String, version: String? = nil) {
    (self.name, self.command, self.version) = (name, command, version)
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
  /// What ran before the first sample of each cell and was not kept, in a line; nil where it was not said.
  public var warmup: String?

  public init(
    suite: String?, repetitions: Int, cellBudgetSeconds: Double, seed: UInt64, warmup: String? = nil
  ) {
    (self.suite, self.repetitions, self.cellBudgetSeconds) = (suite, repetitions, cellBudgetSeconds)
    (self.seed, self.warmup) = (seed, warmup)
  }
}

/// One variant held against one reference.
public struct Correctness: Codable, Sendable, Equatable {
  /// What is held against a reference where it is not what a model says to a prompt.
  public enum Subject: String, NamedChoice {
    /// Of a step of training.
    case gradients
  }

  public var variant: String
  public var threads: Int
  /// The reference's name; for an operation its shape as in `Test.name`.
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
  /// Mean D(reference ‖ variant) of the next-token distribution in nats; nil of float32 weights, and so are the next two.
  public var kl: Double?
  /// The share of positions whose largest logit is the reference's; nil also where random weights make it say nothing.
  public var top1: Double?
  /// A text's perplexity ÷ its perplexity by float32 weights, − 1; nil where none was taken.
  public var deltaPerplexity: Double?
  /// Nil of what a model says, and of an operation.
  public var subject: Subject?

  public init(
    variant: String, threads: Int, reference: String, passed: Bool, maxAbsoluteError: Double?,
    tolerance: Double, nmse: Double?, argmaxAgreed: Int, argmaxCompared: Int, failure: String?,
    kl: Double? = nil, top1: Double? = nil, deltaPerplexity: Double? = nil, subject: Subject? = nil
  ) {
    (self.variant, self.threads, self.reference, self.passed) = (variant, threads, reference, passed)
    (self.maxAbsoluteError, self.tolerance, self.nmse) = (maxAbsoluteError, tolerance, nmse)
    (self.argmaxAgreed, self.argmaxCompared, self.failure) = (argmaxAgreed, argmaxCompared, failure)
    (self.kl, self.top1, self.deltaPerplexity, self.subject) = (kl, top1, deltaPerplexity, subject)
  }
}

/// Something that speaks against a run's figures.
public struct Finding: Codable, Sendable, Equatable {
  public enum Severity: String, NamedChoice {
    /// The figures are not to be trusted without a look at it.
    case warning
    /// Worth knowing.
    case note
  }

  public var severity: Severity
  /// What was looked at, in a few words: `load by others`.
  public var check: String
  /// What was found, in a line.
  public var text: String

  public init(severity: Severity, check: String, text: String) {
    (self.severity, self.check, self.text) = (severity, check, text)
  }
}
