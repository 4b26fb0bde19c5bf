/// One contestant on one test: a row of the tables.
public struct Cell: Codable, Sendable, Equatable {
  /// The variant's name, or another program's.
  public var variant: String
  /// Precision of the weights, `f32`; of another program what it says, empty where it never said.
  public var weights: String
  /// What products of such weights ran on, for example `avx512_vnni`; nil where there was nothing to choose, or where it
  /// was not said.
  public var instructions: String?
  /// Precision of the cached keys and values, `bf16`; nil for float32, and of another program.
  public var cache: String?
  public var threads: Int
  public var test: Test
  public var status: Status
  /// What happened, where the status is not `measured`; or a remark on the samples.
  public var message: String?
  public var samples: [Sample] = []
  /// Floating-point operations of one sample (for `decode`: of one average step; of training: 6 · parameters · tokens).
  public var flops: Double?
  /// Compulsory bytes of one sample (for `decode`: of one average step): each weight and cached value once.
  public var bytes: Double?
  /// Of an operation's `bytes` those that come from DRAM, since they took turns in more than the caches hold; the others
  /// are activations, which were left in the caches. Nil for other tests.
  public var streamedBytes: Double?
  /// Bytes of the keys and values that the test's sequences keep by its end; nil where none are kept, and in records from
  /// before they were counted.
  public var cacheBytes: Double?
  /// The process's peak resident memory by the end of this variant's cells.
  public var peakMemoryBytes: Int?
  /// The process's resident memory before it loaded the model.
  public var baselineMemoryBytes: Int?
  public var load: LoadTimes?

  public enum Status: String, NamedChoice {
    case pending, measured
    case failedCheck = "failed-check"
    case died, hung, rejected, skipped
  }

  public init(variant: String, weights: String, threads: Int, test: Test, status: Status) {
    (self.variant, self.weights, self.threads, self.test) = (variant, weights, threads, test)
    self.status = status
  }
}

public struct LoadTimes: Codable, Sendable, Equatable {
  /// The file's pages had been dropped from the page cache; nil where that could not be done.
  public var coldNanoseconds: Int?
  /// The file was in the page cache; the median of the samples where there are some.
  public var warmNanoseconds: Int?
  /// Loads from the page cache, each in a process of its own; nil in records from before they were taken.
  public var samples: [LoadSample]?

  public init(coldNanoseconds: Int?, warmNanoseconds: Int?, samples: [LoadSample]? = nil) {
    (self.coldNanoseconds, self.warmNanoseconds, self.samples) = (coldNanoseconds, warmNanoseconds, samples)
  }
}

/// One load in a fresh process, and the first token after it.
public struct LoadSample: Codable, Sendable, Equatable {
  /// The round it was taken in, from 0.
  public var round: Int
  public var loadNanoseconds: Int
  /// From the load's start to the first token of a prompt of 16 ids: the load's time and the request's.
  public var firstTokenNanoseconds: Int
  /// The process's peak resident memory by then; nil where it was not told.
  public var peakMemoryBytes: Int?

  public init(
    round: Int, loadNanoseconds: Int, firstTokenNanoseconds: Int, peakMemoryBytes: Int? = nil
  ) {
    (self.round, self.loadNanoseconds) = (round, loadNanoseconds)
    (self.firstTokenNanoseconds, self.peakMemoryBytes) = (firstTokenNanoseconds, peakMemoryBytes)
  }
}

/// One measured execution of a cell's work.
public struct Sample: Codable, Sendable, Equatable {
  /// The round it was taken in, from 0.
  public var round: Int
  /// Its place in the order of all samples of the run, from 0.
  public var sequence: Int
  /// From the request to its end. For an operation: the mean of `iterations` calls.
  public var elapsedNanoseconds: Double
  /// Calls in one sample of an operation; 1 otherwise.
  public var iterations: Int
  /// The forward pass over the prompt alone; nil for an operation.
  public var prefillNanoseconds: Int?
  /// For each new token, when its id was there, counted from the request's start.
  public var tokenNanoseconds: [Int]
  /// Events that the CPU counted for all threads of the contestant, by their names (`instructions`, `cycles`,
  /// `cacheReferences`, `cacheMisses`), over what the cell is judged by: the request of a prompt, the steps after the
  /// first token, or all calls of a sample of an operation. Nil where nothing was counted.
  public var counters: [String: Int]?
  /// The share of the time in which every counter really counted, above 0 and at most 1.
  public var countersShare: Double?
  /// What memory gave to the contestant's threads right before and right after it, in GB/s; nil where that was not
  /// measured.
  public var memoryGBPerSecond: [Double]?

  public init(
    round: Int, sequence: Int, elapsedNanoseconds: Double, iterations: Int,
    prefillNanoseconds: Int?, tokenNanoseconds: [Int], counters: [String: Int]? = nil,
    countersShare: Double? = nil, memoryGBPerSecond: [Double]? = nil
  ) {
    (self.round, self.sequence, self.elapsedNanoseconds) = (round, sequence, elapsedNanoseconds)
    (self.iterations, self.prefillNanoseconds) = (iterations, prefillNanoseconds)
    (self.tokenNanoseconds, self.counters, self.countersShare) = (tokenNanoseconds, counters, countersShare)
    self.memoryGBPerSecond = memoryGBPerSecond
  }
}

/// A time that every sample of a cell has, in nanoseconds.
public enum Span: Sendable, CaseIterable {
  /// The prompt's forward pass.
  case prefill
  /// t(first token available) − t(request start).
  case firstToken
  /// (t_last − t_first) / (N − 1).
  case step
  /// (E2E − TTFT) / (N − 1).
  case outputToken
  /// One step of training: forward, backward and the update of all parameters.
  case trainingStep
  /// One matrix product.
  case matmul
  /// One call of another operation.
  case call
  /// Loading from the page cache, in a process of its own.
  case load
  /// From a load's start to the first token.
  case loadToFirstToken

  /// Whether it is a process's time, whatever its tests.
  public var isOfProcess: Bool { self == .load || self == .loadToFirstToken }
}

// Durations are double-precision numbers above zero; a sample that has no such duration contributes none.
extension Cell {
  public var isUsable: Bool { status == .measured || status == .pending }

  /// The samples that figures may be made of: none of a variant that failed, died, hung or was rejected.
  public var usableSamples: [Sample] { isUsable ? samples : [] }

  public func durations(_ span: Span) -> [Double] {
    let times =
      switch span {
      case .load: loads.map { Double($0.loadNanoseconds) }
      case .loadToFirstToken: loads.map { Double($0.firstTokenNanoseconds) }
      default: usableSamples.compactMap { $0.duration(span) }
      }
    return times.filter { $0 > 0 && $0.isFinite }
  }

  /// The time that the cell is judged by: the prompt's forward pass, one decode step, one step of training, or one call
  /// of an operation.
  public var primaryDurations: [Double] { durations(test.primarySpan) }

  /// The gaps between consecutive tokens, of all samples together.
  public var tokenGaps: [Double] {
    usableSamples.flatMap { sample in
      zip(sample.tokenNanoseconds.dropFirst(), sample.tokenNanoseconds).map { Double($0 - $1) }
    }
  }

  /// Loads from the page cache, each in a process of its own.
  private var loads: [LoadSample] { isUsable ? load?.samples ?? [] : [] }
}

extension Sample {
  /// Nil for a load's times, which no sample has, and where there are too few tokens.
  public func duration(_ span: Span) -> Double? {
    switch span {
    case .trainingStep, .matmul, .call: return elapsedNanoseconds
    case .firstToken: return tokenNanoseconds.first.map(Double.init)
    case .prefill: return prefillNanoseconds.map(Double.init)
    case .step:
      return afterFirst { first, last, count in Double(last - first) / Double(count) }
    case .outputToken:
      return afterFirst { first, _, count in (elapsedNanoseconds - Double(first)) / Double(count) }
    case .load, .loadToFirstToken: return nil
    }
  }

  private func afterFirst(_ duration: (Int, Int, Int) -> Double) -> Double? {
    guard let first = tokenNanoseconds.first, let last = tokenNanoseconds.last, tokenNanoseconds.count > 1
    else { return nil }
    return duration(first, last, tokenNanoseconds.count - 1)
  }
}

extension Record {
  /// Whether a generation has several sequences.
  public var hasBatches: Bool { cells.contains { $0.test.generation?.batch ?? 1 > 1 } }

  public var hasTraining: Bool { cells.contains { $0.test.training != nil } }
}
