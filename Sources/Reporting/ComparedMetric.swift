/// A metric that two records are compared by.
enum ComparedMetric: String, Sendable, CaseIterable {
  case decode = "decode tok/s"
  case prefill = "prefill tok/s"
  case timeToFirstToken = "TTFT"
  case gemm = "GEMM"
  case peakMemory = "peak memory"
  case warmLoad = "load, warm"

  var unit: String {
    switch self {
    case .decode, .prefill: return "tok/s"
    case .timeToFirstToken, .gemm, .warmLoad: return "ms"
    case .peakMemory: return "MiB"
    }
  }

  /// What is sampled on `test`.
  static func sampled(on test: Test) -> [ComparedMetric] {
    switch test {
    case .decode: return [.decode]
    case .prefill: return [.prefill, .timeToFirstToken]
    case .gemm: return [.gemm]
    }
  }

  /// What there is one value of for each contestant.
  static let singleValued: [ComparedMetric] = [.peakMemory, .warmLoad]

  /// Whether a change decides the exit code. One load on a shared machine varies more than any threshold
  /// that is worth setting, so it is shown and not judged.
  var counts: Bool { self != .warmLoad }

  /// Times of the cell's samples, in nanoseconds: the metric itself, or what its rate divides by.
  func durations(_ cell: Cell) -> [Double] {
    switch self {
    case .decode, .prefill, .gemm: return cell.primaryDurations
    case .timeToFirstToken: return cell.firstTokenDurations
    case .peakMemory, .warmLoad: return []
    }
  }

  /// The metric as tables show it, in `unit`.
  func value(_ figures: CellFigures) -> Double? {
    switch self {
    case .decode: return figures.decodeTokensPerSecond?.value
    case .prefill: return figures.prefillTokensPerSecond?.value
    case .timeToFirstToken: return figures.timeToFirstTokenMS?.value
    case .gemm: return figures.gemmMS?.value
    case .peakMemory: return figures.peakMemoryMiB
    case .warmLoad: return figures.warmLoadMS
    }
  }
}
