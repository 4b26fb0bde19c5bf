import Record

/// Every column there is, each defined once.
extension Column {
  static let variant = Column("variant", "variant", .text { $0.cell.variant })
  static let weights = Column("weights", "weights", .text { $0.cell.weights })
  static let threads = Column("threads", "threads", .integer { $0.cell.threads })
  static let test = Column("test", "test", .text { $0.cell.test.name })

  static let timeToFirstToken = Column(
    "ttft_ms", "TTFT", unit: "ms", better: .lower, .figure { $0.figures.timeToFirstTokenMS })
  static let prefillTime = Column(
    "prefill_ms", "prefill", unit: "ms", better: .lower, .figure { $0.figures.prefillMS })
  static let prefillRate = Column(
    "prefill_tok_per_s", "prefill", unit: "tok/s", better: .higher, showsInterval: true,
    .figure { $0.figures.prefillTokensPerSecond })
  static let decodeRate = Column(
    "decode_tok_per_s", "decode", unit: "tok/s", better: .higher, showsInterval: true,
    .figure { $0.figures.decodeTokensPerSecond })
  /// The same for each sequence of a batch alone.
  static let decodeRatePerUser = Column(
    "decode_tok_per_s_per_user", "decode per user", unit: "tok/s", better: .higher, showsInterval: true,
    .figure { $0.figures.decodeTokensPerSecondPerUser })
  static let timePerOutputToken = Column(
    "tpot_ms", "TPOT", unit: "ms", better: .lower, .figure { $0.figures.timePerOutputTokenMS })
  static let interTokenLatency = Column(
    "itl", "ITL p50 / p90 / p99", unit: "ms", better: .lower,
    .percentiles { $0.figures.interTokenLatencyMS })
  static let peakMemory = Column(
    "peak_memory_mib", "peak memory", unit: "MiB", better: .lower, .number { $0.figures.peakMemoryMiB })
  static let cacheMemory = Column(
    "kv_cache_mib", "KV caches", unit: "MiB", .number { $0.figures.cacheMiB })
  static let baselineMemory = Column(
    "memory_before_load_mib", "before loading", unit: "MiB", better: .lower,
    .number { $0.figures.baselineMemoryMiB })
  static let coldLoad = Column(
    "load_cold_ms", "load, cold", unit: "ms", better: .lower, .number { $0.figures.coldLoadMS })
  static let warmLoad = Column(
    "load_warm_ms", "load, warm", unit: "ms", better: .lower, .number { $0.figures.warmLoadMS })
  static let loadToFirstToken = Column(
    "load_to_first_token_ms", "load to first token", unit: "ms", better: .lower, showsInterval: true,
    .figure { $0.figures.loadToFirstTokenMS })
  static let loadCount = Column("load_samples", "loads", .integer { $0.figures.loadSampleCount })
  static let speedAgainstNaive = Column(
    "speed_against_naive", "speed against naive", better: .higher, style: .factor,
    .figure { $0.speedAgainstNaive })

  static let gemmTime = Column(
    "ms", "ms (median)", better: .lower, showsInterval: true, .figure { $0.figures.gemmMS })
  static let operationTime = Column(
    "us", "time", unit: "µs", better: .lower, showsInterval: true,
    .figure { $0.figures.operationMicroseconds })
  static let gflops = Column(
    "gflop_per_s", "", unit: "GFLOP/s", better: .higher, .number { $0.figures.gflops })
  static let gbPerSecond = Column("gb_per_s", "GB/s", .number { $0.figures.gbPerSecond })
  static let intensity = Column("flop_per_byte", "FLOP/B", .number { $0.figures.intensity })
  static let roofline = Column(
    "roofline_percent", "% of the roofline", .number { $0.figures.rooflinePercent })
  static let roof = Column("roof", "roof", .text { $0.figures.roof?.words })

  static let sampleCount = Column(
    "samples", "samples", .integer { $0.figures.sampleCount == 0 ? nil : $0.figures.sampleCount })
  static let maxError = Column(
    "max_abs_error", "max error", style: .scientific, .number { $0.maxAbsoluteError })
  static let check = Column("check", "check", .text { $0.checkWord })
  /// The check, and behind it what kept the cell from its figures, or the mark of one that drifts.
  static let outcome = Column("outcome", "check", .text { $0.outcomeText })
  static let status = Column("status", "status", .text { $0.cell.status.rawValue })
  static let message = Column("message", "message", .text { $0.cell.message })

  static let drift = Column("drift", "drift", .text { $0.driftWord })
  static let instructions = Column(
    "instructions", "instructions", .number { $0.figures.counters?.instructions })
  static let cycles = Column("cycles", "cycles", .number { $0.figures.counters?.cycles })
  static let cacheMisses = Column(
    "cache_misses", "cache misses", .number { $0.figures.counters?.cacheMisses })

  static let promptTokens = Column("prompt_tokens", "prompt", .integer { $0.cell.test.promptTokens })
  static let newTokens = Column("new_tokens", "new", .integer { $0.cell.test.newTokens })
  static let batch = Column("batch", "batch", .integer { $0.cell.test.batch })
  static let m = Column("m", "M", .integer { $0.cell.test.shape?.m })
  static let k = Column("k", "K", .integer { $0.cell.test.shape?.k })
  static let n = Column("n", "N", .integer { $0.cell.test.shape?.n })
  static let operation = Column("operation", "operation", .text { $0.cell.test.operation?.kind.rawValue })
  static let rows = Column("rows", "rows", .integer { $0.cell.test.operation?.rows })
}

/// The columns of each table, in order.
enum TableColumns {
  /// - Parameter hasBatches: whether a test has several sequences; otherwise what concerns one of them, or the caches of
  ///   all, is left out.
  static func markdown(_ kind: Record.Kind, hasBatches: Bool) -> [Column] {
    switch kind {
    case .endToEnd:
      return [.variant, .weights, .threads, .test, .timeToFirstToken, .prefillRate, .decodeRate]
        + (hasBatches ? [.decodeRatePerUser] : [])
        + [.timePerOutputToken, .interTokenLatency, .roofline, .roof, .peakMemory]
        + (hasBatches ? [.cacheMemory] : []) + [.speedAgainstNaive, .sampleCount, .outcome]
    case .matmul:
      return [
        .variant, .m, .k, .n, .threads, .gemmTime, .gflops, .gbPerSecond, .roofline, .roof, .maxError,
        .outcome, .speedAgainstNaive, .sampleCount,
      ]
    case .operations:
      return [
        .variant, .test, .threads, .operationTime, .gflops, .gbPerSecond, .roofline, .roof, .maxError,
        .outcome, .speedAgainstNaive, .sampleCount,
      ]
    }
  }

  static func csv(_ kind: Record.Kind) -> [Column] {
    switch kind {
    case .endToEnd:
      return [
        .variant, .weights, .threads, .test, .promptTokens, .newTokens, .batch, .status, .check, .sampleCount,
        .timeToFirstToken, .prefillTime, .prefillRate, .decodeRate, .decodeRatePerUser, .timePerOutputToken,
        .interTokenLatency, .speedAgainstNaive, .gflops, .gbPerSecond, .intensity, .roofline, .roof,
        .peakMemory, .cacheMemory, .baselineMemory, .coldLoad, .warmLoad, .loadToFirstToken, .loadCount,
        .drift, .instructions, .cycles, .cacheMisses,
        .message,
      ]
    case .matmul:
      return [
        .variant, .weights, .m, .k, .n, .threads, .status, .check, .sampleCount, .gemmTime, .gflops,
        .gbPerSecond, .intensity, .roofline, .roof, .speedAgainstNaive, .maxError, .drift, .instructions,
        .cycles, .cacheMisses, .message,
      ]
    case .operations:
      return [
        .variant, .weights, .operation, .rows, .test, .threads, .status, .check, .sampleCount, .operationTime,
        .gflops, .gbPerSecond, .intensity, .roofline, .roof, .speedAgainstNaive, .maxError, .drift,
        .instructions, .cycles, .cacheMisses, .message,
      ]
    }
  }
}

extension Row {
  /// `pass`, `FAIL`, or nil where nothing was checked.
  fileprivate var checkWord: String? {
    switch check {
    case .passed: return "pass"
    case .failed: return "FAIL"
    case .notChecked: return nil
    }
  }

  fileprivate var outcomeText: String? {
    let isExplained = cell.status == .measured || cell.status == .failedCheck
    let parts = [checkWord, isExplained ? nil : cell.status.rawValue].compactMap { $0 }
    let words = parts.joined(separator: ", ")
    let marked = [words, isDrifting ? Self.driftMark : ""].filter { !$0.isEmpty }
    return marked.isEmpty ? nil : marked.joined(separator: " ")
  }
}

extension Test {
  /// Ids before the first new one.
  fileprivate var promptTokens: Int? {
    switch self {
    case .prefill(let tokens, _): return tokens
    case .decode(_, let depth, _): return depth
    case .operation: return nil
    }
  }

  fileprivate var newTokens: Int? {
    switch self {
    case .prefill: return 1
    case .decode(let tokens, _, _): return tokens
    case .operation: return nil
    }
  }

  fileprivate var shape: (m: Int, k: Int, n: Int)? {
    guard case .operation(.matmul(let m, let k, let n)) = self else { return nil }
    return (m, k, n)
  }

  fileprivate var operation: OperationShape? {
    guard case .operation(let shape) = self else { return nil }
    return shape
  }
}
