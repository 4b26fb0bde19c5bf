import Record

/// A metric that two sides are compared by.
enum ComparedMetric: String, Sendable, CaseIterable {
  case decode = "decode tok/s"
  case prefill = "prefill tok/s"
  case timeToFirstToken = "TTFT"
  case gemm = "GEMM"
  case operation
  case peakMemory = "peak memory"
  case warmLoad = "load, warm"

  /// How the command line names it.
  var word: String {
    switch self {
    case .decode: return "decode"
    case .prefill: return "prefill"
    case .timeToFirstToken: return "ttft"
    case .gemm: return "gemm"
    case .operation: return "ops"
    case .peakMemory: return "memory"
    case .warmLoad: return "load"
    }
  }

  var unit: String {
    switch self {
    case .decode, .prefill: return "tok/s"
    case .timeToFirstToken, .gemm, .warmLoad: return "ms"
    case .operation: return "µs"
    case .peakMemory: return "MiB"
    }
  }

  /// What is sampled on `test`, the test's own metric first.
  static func sampled(on test: Test) -> [ComparedMetric] {
    switch test {
    case .decode: return [.decode]
    case .prefill: return [.prefill, .timeToFirstToken]
    case .operation(.matmul): return [.gemm]
    case .operation: return [.operation]
    }
  }

  /// Times of the cell's samples, in nanoseconds: the metric itself, or what its rate divides by. Empty for peak
  /// memory, which is one value.
  func durations(_ cell: Cell) -> [Double] {
    switch self {
    case .decode, .prefill, .gemm, .operation: return cell.primaryDurations
    case .timeToFirstToken: return cell.firstTokenDurations
    case .peakMemory: return []
    case .warmLoad: return cell.loadDurations
    }
  }

  /// The metric as tables show it, in `unit`.
  func value(_ figures: CellFigures) -> Double? {
    switch self {
    case .decode: return figures.decodeTokensPerSecond?.value
    case .prefill: return figures.prefillTokensPerSecond?.value
    case .timeToFirstToken: return figures.timeToFirstTokenMS?.value
    case .gemm: return figures.gemmMS?.value
    case .operation: return figures.operationMicroseconds?.value
    case .peakMemory: return figures.peakMemoryMiB
    case .warmLoad: return figures.warmLoadMS
    }
  }
}
