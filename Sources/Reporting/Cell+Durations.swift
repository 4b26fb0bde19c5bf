// Durations of a cell's samples in nanoseconds, as double-precision numbers above zero; a sample that has no
// such duration contributes none.
extension Cell {
  /// The samples that figures may be made of: none of a variant that failed, died, hung or was rejected.
  var usableSamples: [Sample] {
    status == .measured || status == .pending ? samples : []
  }

  /// The time that the cell is judged by: the prompt's forward pass, one decode step, one GEMM or one operation.
  var primaryDurations: [Double] {
    switch test {
    case .prefill: return prefillDurations
    case .decode: return stepDurations
    case .gemm, .operation: return positive(usableSamples.map(\.elapsedNanoseconds))
    }
  }

  /// t(first token available) − t(request start).
  var firstTokenDurations: [Double] {
    positive(usableSamples.compactMap(\.firstTokenDuration))
  }

  var prefillDurations: [Double] {
    positive(usableSamples.compactMap(\.prefillDuration))
  }

  /// Loads from the page cache, each in a process of its own.
  var loadDurations: [Double] {
    guard status == .measured || status == .pending else { return [] }
    return positive((load?.samples ?? []).map { Double($0.loadNanoseconds) })
  }

  /// (t_last − t_first) / (N − 1).
  var stepDurations: [Double] { positive(usableSamples.compactMap(\.stepDuration)) }

  /// (E2E − TTFT) / (N − 1).
  var outputTokenDurations: [Double] {
    positive(
      usableSamples.compactMap { sample in
        guard let first = sample.tokenNanoseconds.first, sample.tokenNanoseconds.count > 1 else { return nil }
        return (sample.elapsedNanoseconds - Double(first)) / Double(sample.tokenNanoseconds.count - 1)
      })
  }

  /// The gaps between consecutive tokens, of all samples together.
  var tokenGaps: [Double] {
    usableSamples.flatMap { sample in
      zip(sample.tokenNanoseconds.dropFirst(), sample.tokenNanoseconds).map { Double($0 - $1) }
    }
  }

  private func positive(_ durations: [Double]) -> [Double] {
    durations.filter { $0 > 0 && $0.isFinite }
  }
}

extension Sample {
  var firstTokenDuration: Double? { tokenNanoseconds.first.map(Double.init) }

  var prefillDuration: Double? { prefillNanoseconds.map(Double.init) }

  /// (t_last − t_first) / (N − 1).
  var stepDuration: Double? {
    guard let first = tokenNanoseconds.first, let last = tokenNanoseconds.last, tokenNanoseconds.count > 1
    else { return nil }
    return Double(last - first) / Double(tokenNanoseconds.count - 1)
  }
}

extension Record {
  /// Whether a test has several sequences.
  var hasBatches: Bool { cells.contains { $0.test.batch > 1 } }
}

extension Test {
  /// Sequences computed together.
  public var batch: Int {
    switch self {
    case .prefill(_, let batch), .decode(_, _, let batch): return batch
    case .gemm, .operation: return 1
    }
  }

  /// Tokens that one primary duration of the cell yields; nil for a GEMM and an operation.
  var tokensPerPrimaryDuration: Double? {
    switch self {
    case .prefill(let tokens, let batch): return Double(tokens) * Double(batch)
    case .decode(_, _, let batch): return Double(batch)
    case .gemm, .operation: return nil
    }
  }

  /// 2·M·N·K; nil for another test.
  var gemmFlops: Double? {
    guard case .gemm(let m, let k, let n) = self else { return nil }
    return 2 * Double(m) * Double(n) * Double(k)
  }
}
