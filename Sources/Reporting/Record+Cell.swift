/// One contestant on one test: a row of the tables.
public struct Cell: Codable, Sendable, Equatable {
  /// The variant's name, or another program's.
  public var variant: String
  /// Precision of the weights, `f32`; of another program what it says, empty where it never said.
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
    self.variant = variant
    self.weights = weights
    self.threads = threads
    self.test = test
    self.status = status
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
  /// An operation alone. `layernorm 64x768`
  case operation(shape: OperationShape)

  /// `pp64`, `tg32 @ d64`, `64x768x3072` (M, K, N), `layernorm 64x768`; ` b4` behind it for a batch of four.
  public var name: String {
    switch self {
    case .prefill(let tokens, let batch):
      return "pp\(tokens)" + Self.suffix(batch: batch)
    case .decode(let tokens, let depth, let batch):
      return "tg\(tokens)" + (depth > 0 ? " @ d\(depth)" : "") + Self.suffix(batch: batch)
    case .gemm(let m, let k, let n):
      return "\(m)x\(k)x\(n)"
    case .operation(let shape):
      return shape.name
    }
  }

  private static func suffix(batch: Int) -> String {
    batch > 1 ? " b\(batch)" : ""
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
    self.coldNanoseconds = coldNanoseconds
    self.warmNanoseconds = warmNanoseconds
    self.samples = samples
  }
}

/// One load in a fresh process, and the first token behind it.
public struct LoadSample: Codable, Sendable, Equatable {
  /// The round it was taken in, from 0.
  public var round: Int
  public var loadNanoseconds: Int
  /// From the load's start to the first token of a prompt of 16 ids: the load's time and the request's.
  public var firstTokenNanoseconds: Int

  public init(round: Int, loadNanoseconds: Int, firstTokenNanoseconds: Int) {
    self.round = round
    self.loadNanoseconds = loadNanoseconds
    self.firstTokenNanoseconds = firstTokenNanoseconds
  }
}

/// One measured execution of a cell's work.
public struct Sample: Codable, Sendable, Equatable {
  /// The round it was taken in, from 0.
  public var round: Int
  /// Its place in the order of all samples of the run, from 0.
  public var sequence: Int
  /// From the request to its end. For a GEMM or an operation: the mean of `iterations` calls.
  public var elapsedNanoseconds: Double
  /// Calls behind one sample of a GEMM or an operation; 1 otherwise.
  public var iterations: Int
  /// The forward pass over the prompt alone; nil for a GEMM and an operation.
  public var prefillNanoseconds: Int?
  /// For each new token, when its id was there, counted from the request's start.
  public var tokenNanoseconds: [Int]
  /// Events that the CPU counted for all threads of the contestant, by their names (`instructions`, `cycles`,
  /// `cacheReferences`, `cacheMisses`), over what the cell is judged by: the request of a prompt, the steps behind the
  /// first token, or all calls of a sample of a GEMM or an operation. Nil where nothing was counted.
  public var counters: [String: Int]?
  /// The share of the time in which every counter really counted, above 0 and at most 1.
  public var countersShare: Double?

  public init(
    round: Int, sequence: Int, elapsedNanoseconds: Double, iterations: Int,
    prefillNanoseconds: Int?, tokenNanoseconds: [Int], counters: [String: Int]? = nil,
    countersShare: Double? = nil
  ) {
    self.round = round
    self.sequence = sequence
    self.elapsedNanoseconds = elapsedNanoseconds
    self.iterations = iterations
    self.prefillNanoseconds = prefillNanoseconds
    self.tokenNanoseconds = tokenNanoseconds
    self.counters = counters
    self.countersShare = countersShare
  }
}
