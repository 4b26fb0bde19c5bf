import Record

extension Column {
  /// A metric of a row, in the metric's own words unless others are given.
  ///
  /// - Parameters:
  ///   - heading: in place of `TITLE UNIT`.
  ///   - short: a terminal's two lines, in place of title and unit.
  ///   - rank: in a terminal: 0 for a column that always stays; else the highest is left out first.
  fileprivate init(
    _ metric: Metric, _ short: (title: String, unit: String), heading: String? = nil, rank: Int = 0,
    isOptional: Bool = false, showsInterval: Bool = false
  ) where Row == RunRow {
    let reading: Reading =
      if case .value = metric.source {
        .number { $0.figures[metric]?.value }
      } else {
        .figure { $0.figures[metric] }
      }
    let words = heading ?? [metric.title, metric.unit.name].filter { !$0.isEmpty }.joined(separator: " ")
    self.init(
      heading: Table.Heading(
        text: Prose(words + (showsInterval ? " ± CI" : "")), title: short.title,
        unit: short.unit + (showsInterval ? " ± CI" : ""), rank: rank, isOptional: isOptional),
      key: metric.key, better: metric.better, reading: reading, showsInterval: showsInterval)
  }

}

/// Every column that a run's tables have, each defined once.
extension Column where Row == RunRow {
  static var variant: Self { Self("variant", .text { $0.cell.variant }) }
  static var weights: Self { Self("weights", rank: 7, .text { $0.cell.weights }) }
  static var threads: Self { Self("threads", short: ("thr", ""), .integer { $0.cell.threads }) }
  static var test: Self { Self("test", .text { $0.cell.test.name }) }

  static var timeToFirstToken: Self { Self(.timeToFirstToken, ("TTFT", "ms"), rank: 1) }
  static var prefillTime: Self { Self(.prefillTime, ("prefill", "ms")) }
  static var prefillRate: Self { Self(.prefillRate, ("prefill", "tok/s"), showsInterval: true) }
  static var decodeRate: Self { Self(.decodeRate, ("decode", "tok/s"), showsInterval: true) }
  static var decodeRatePerUser: Self {
    Self(.decodeRatePerUser, ("per user", "tok/s"), rank: 1, showsInterval: true)
  }
  static var timePerOutputToken: Self { Self(.timePerOutputToken, ("TPOT", "ms"), rank: 5) }
  static var interTokenLatency: Self {
    Self(
      "ITL p50 / p90 / p99 ms", key: "itl", short: ("ITL p50 / p90 / p99", "ms"), rank: 6, better: .lower,
      .percentiles { $0.figures.interTokenLatencyMS })
  }
  static var peakMemory: Self { Self(.peakMemory, ("memory", "MiB"), rank: 2) }
  static var cacheMemory: Self { Self(.cacheMemory, ("KV caches", "MiB")) }
  static var baselineMemory: Self { Self(.baselineMemory, ("before loading", "MiB"), isOptional: true) }
  static var coldLoad: Self { Self(.coldLoad, ("load, cold", "ms")) }
  static var warmLoad: Self { Self(.warmLoad, ("load, warm", "ms")) }
  static var loadToFirstToken: Self {
    Self(.loadToFirstToken, ("load to first token", "ms"), isOptional: true, showsInterval: true)
  }
  static var loadCount: Self {
    Self("loads", key: "load_samples", isOptional: true, .integer { $0.figures.loadSampleCount })
  }
  static var speedAgainstNaive: Self {
    Self(
      "speed against naive", key: "speed_against_naive", short: ("speed", "× naive"), style: .factor,
      better: .higher, .figure { $0.speedAgainstNaive })
  }

  static var matmulTime: Self {
    Self(.matmulTime, ("time", "ms"), heading: "ms (median)", showsInterval: true)
  }
  static var operationTime: Self {
    Self(.operationTime, ("time", "µs"), heading: "time µs", showsInterval: true)
  }
  static var gflops: Self { Self(.gflops, ("GFLOP/s", "")) }
  static var gbPerSecond: Self { Self(.gbPerSecond, ("GB/s", ""), rank: 2) }
  static var intensity: Self { Self(.intensity, ("FLOP/B", "")) }
  static var roofline: Self { Self(.roofline, ("roofline", "%"), rank: 1) }
  static var roof: Self { Self("roof", rank: 5, .text { $0.figures.roof?.words }) }

  static var sampleCount: Self {
    Self(
      "samples", short: ("n", ""), rank: 4,
      .integer { $0.figures.sampleCount == 0 ? nil : $0.figures.sampleCount })
  }
  static var maxError: Self {
    Self(
      "max error", key: "max_abs_error", short: ("max", "error"), rank: 3, style: .scientific,
      .number { $0.maxAbsoluteError })
  }
  static var check: Self { Self("check", .text { $0.checkWord }) }
  /// The check, and after it what kept the cell from its figures, or the mark of one that drifts.
  static var outcome: Self {
    Self(
      "check", key: "outcome", .text { $0.outcomeText },
      isBad: { if case .failed = $0.check { true } else { false } })
  }
  static var status: Self { Self("status", .text { $0.cell.status.rawValue }) }
  static var message: Self { Self("message", .text { $0.cell.message }) }

  static var drift: Self { Self("drift", .text { $0.driftWord }) }
  static var instructions: Self { Self(.instructions, ("instructions", "")) }
  static var cycles: Self { Self(.cycles, ("cycles", "")) }
  static var cacheMisses: Self { Self(.cacheMisses, ("cache misses", "")) }

  static var promptTokens: Self {
    Self("prompt", key: "prompt_tokens", .integer { $0.cell.test.promptTokens })
  }
  static var newTokens: Self { Self("new", key: "new_tokens", .integer { $0.cell.test.newTokens }) }
  static var batch: Self { Self("batch", .integer { $0.cell.test.batch }) }
  static var m: Self { Self("M", key: "m", .integer { $0.cell.test.shape?.m }) }
  static var k: Self { Self("K", key: "k", .integer { $0.cell.test.shape?.k }) }
  static var n: Self { Self("N", key: "n", .integer { $0.cell.test.shape?.n }) }
  static var operation: Self { Self("operation", .text { $0.cell.test.operation?.kind.rawValue }) }
  static var rows: Self { Self("rows", .integer { $0.cell.test.operation?.rows }) }
}

extension Record {
  /// The columns for people, in order. Where no test has several sequences, what concerns one of them, or the caches of
  /// all, is left out.
  var columns: [Column<RunRow>] {
    typealias Columns = [Column<RunRow>]
    let judged: Columns = [.maxError, .outcome, .speedAgainstNaive, .sampleCount]
    let work: Columns = [.gflops, .gbPerSecond, .roofline, .roof]
    switch kind {
    case .endToEnd:
      let speeds: Columns = [
        .variant, .weights, .threads, .test, .timeToFirstToken, .prefillRate, .decodeRate,
      ]
      let times: Columns = [
        .timePerOutputToken, .interTokenLatency, .roofline.styled(rank: 3), .roof.styled(rank: 8),
        .peakMemory,
      ]
      let ends: Columns = [.speedAgainstNaive, .sampleCount, .outcome]
      return speeds + (hasBatches ? [.decodeRatePerUser] : []) + times + (hasBatches ? [.cacheMemory] : [])
        + ends
    case .matmul:
      let shape: Columns = [.variant, .m, .k, .n, .threads, .matmulTime]
      return shape + work + judged
    case .operations:
      let shape: Columns = [.variant, .test, .threads, .operationTime]
      return shape + work + judged
    }
  }

  /// The columns of `results.csv`, in order.
  var csvColumns: [Column<RunRow>] {
    typealias Columns = [Column<RunRow>]
    let checked: Columns = [.status, .check, .sampleCount]
    let work: Columns = [.gflops, .gbPerSecond, .intensity, .roofline, .roof]
    let judged: Columns = [.speedAgainstNaive, .maxError]
    let ends: Columns = [.drift, .instructions, .cycles, .cacheMisses, .message]
    switch kind {
    case .endToEnd:
      let test: Columns = [.variant, .weights, .threads, .test, .promptTokens, .newTokens, .batch]
      let speeds: Columns = [
        .timeToFirstToken, .prefillTime, .prefillRate, .decodeRate, .decodeRatePerUser, .timePerOutputToken,
        .interTokenLatency, .speedAgainstNaive,
      ]
      let process: Columns = [
        .peakMemory, .cacheMemory, .baselineMemory, .coldLoad, .warmLoad, .loadToFirstToken, .loadCount,
      ]
      return [test, checked, speeds, work, process, ends].flatMap { $0 }
    case .matmul:
      let shape: Columns = [.variant, .weights, .m, .k, .n, .threads]
      return [shape, checked, [.matmulTime], work, judged, ends].flatMap { $0 }
    case .operations:
      let shape: Columns = [.variant, .weights, .operation, .rows, .test, .threads]
      return [shape, checked, [.operationTime], work, judged, ends].flatMap { $0 }
    }
  }
}

/// A run as comma-separated values.
public struct CSVReport: Sendable {
  /// One row a cell, one column a figure, units in the columns' names; empty where there is no figure.
  public let results: String
  /// One row a sample, raw: durations in nanoseconds; the tokens' times, separated by blanks, come last.
  public let samples: String

  public init(_ record: Record) { self.init(RunFigures(record)) }

  init(_ run: RunFigures) {
    results = CSV.text(run.record.csvColumns, run.rows)
    samples = CSV.text(
      [
        "variant", "weights", "threads", "test", "status", "round", "sequence", "elapsed_ns", "iterations",
        "prefill_ns", "token_ns",
      ], run.record.cells.flatMap(Self.rows))
  }

  private static func rows(_ cell: Cell) -> [[String]] {
    cell.samples.map { sample in
      // Every digit of a time, without a fraction where it has none.
      let elapsed = Int(exactly: sample.elapsedNanoseconds).map(String.init) ?? "\(sample.elapsedNanoseconds)"
      return [
        cell.variant, cell.weights, "\(cell.threads)", cell.test.name, cell.status.rawValue,
        "\(sample.round)", "\(sample.sequence)", elapsed, "\(sample.iterations)",
        sample.prefillNanoseconds.map(String.init) ?? "",
        sample.tokenNanoseconds.map(String.init).joined(separator: " "),
      ]
    }
  }
}

extension RunRow {
  fileprivate var outcomeText: String? {
    let isExplained = cell.status == .measured || cell.status == .failedCheck
    let words = [checkWord, isExplained ? nil : cell.status.rawValue].compactMap { $0 }.joined(
      separator: ", ")
    let marked = [words, isDrifting ? Self.driftMark : ""].filter { !$0.isEmpty }
    return marked.isEmpty ? nil : marked.joined(separator: " ")
  }
}

extension Test {
  /// Ids before the first new one.
  fileprivate var promptTokens: Int? {
    switch self {
    case .prefill(let tokens, _): tokens
    case .decode(_, let depth, _): depth
    case .operation: nil
    }
  }

  fileprivate var newTokens: Int? {
    switch self {
    case .prefill: 1
    case .decode(let tokens, _, _): tokens
    case .operation: nil
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
