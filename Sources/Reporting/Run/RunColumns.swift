import Record

/// The columns of a run's tables: a metric's as the metric says, and what else a row has, each defined once.
extension Column where Row == RunRow {
  static func metric(_ metric: Metric) -> Self {
    let isOneValue = if case .value = metric.source { true } else { false }
    let words = [metric.title, metric.unit.name].filter { !$0.isEmpty }
    let sign = metric.showsInterval ? " ± CI" : ""
    return Self(
      heading: Table.Heading(
        text: Prose((metric.heading ?? words.joined(separator: " ")) + sign), title: metric.short ?? words[0],
        unit: words.count > 1 ? words[1] + sign : "", rank: metric.rank, isOptional: metric.isOptional),
      key: metric.key, better: metric.better,
      reading: isOneValue ? .number { $0.figures[metric]?.value } : .figure { $0.figures[metric] },
      showsInterval: metric.showsInterval)
  }

  static var variant: Self { Self("variant", .text { $0.cell.variant }) }
  static var weights: Self { Self("weights", rank: 7, .text { $0.cell.weights }) }
  /// What products with such weights ran on.
  static var productsOn: Self { Self("products on", key: "products_on", .text { $0.cell.instructions }) }
  static var threads: Self { Self("threads", short: ("thr", ""), .integer { $0.cell.threads }) }
  static var test: Self { Self("test", .text { $0.cell.test.name }) }

  static var interTokenLatency: Self {
    Self(
      "ITL p50 / p90 / p99 ms", key: "itl", short: ("ITL p50 / p90 / p99", "ms"), rank: 6, better: .lower,
      .percentiles { $0.figures.interTokenLatencyMS })
  }
  static var loadCount: Self {
    Self("loads", key: "load_samples", isOptional: true, .integer { $0.figures.loadSampleCount })
  }
  static var speedAgainstNaive: Self {
    Self(
      "speed against naive", key: "speed_against_naive", short: ("speed", "× naive"), style: .factor,
      better: .higher, .figure { $0.speedAgainstNaive })
  }

  static var roof: Self { Self("roof", rank: 5, .text { $0.figures.roof?.words }) }

  /// `10`, or `3 of 10` where the cell's budget of time ended it.
  static var sampleCount: Self {
    Self(
      "samples", short: ("n", ""), rank: 4,
      .integer { $0.figures.sampleCount == 0 ? nil : $0.figures.sampleCount },
      shown: { row in
        let count = row.figures.sampleCount
        return count == 0 ? "" : row.isShort ? "\(count) of \(row.wantedSamples)" : "\(count)"
      })
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

  static var promptTokens: Self {
    Self("prompt", key: "prompt_tokens", .integer { $0.cell.test.generation?.prompt })
  }
  static var newTokens: Self { Self("new", key: "new_tokens", .integer { $0.cell.test.generation?.tokens }) }
  static var batch: Self { Self("batch", .integer { $0.cell.test.batch }) }
  static var m: Self { Self("M", key: "m", .integer { $0.cell.test.operation?.matmul?.m }) }
  static var k: Self { Self("K", key: "k", .integer { $0.cell.test.operation?.matmul?.k }) }
  static var n: Self { Self("N", key: "n", .integer { $0.cell.test.operation?.matmul?.n }) }
  static var operation: Self { Self("operation", .text { $0.cell.test.operation?.kind.rawValue }) }
  static var rows: Self { Self("rows", .integer { $0.cell.test.operation?.rows }) }
}

/// What fewer bits cost, beside what they gain.
extension Column {
  static func quality(_ read: @escaping @Sendable (Row) -> QualityFigures) -> [Self] {
    [
      Self(
        "KL nats", key: "kl_nats", short: ("KL", "nats"), rank: 1, style: .scientific, .number { read($0).kl }
      ),
      Self("top-1", key: "top1", rank: 3, style: .percent, .number { read($0).top1 }),
      Self(
        "Δppl %", key: "delta_ppl_percent", short: ("Δppl", "%"), rank: 2, style: .decimals(3),
        .number { row in read(row).deltaPerplexity.map { 100 * $0 } }),
    ]
  }
}

extension Record {
  /// The columns of quality; none where all weights are float32's.
  var qualityColumns: [Column<RunRow>] { correctness.haveQuality ? Column.quality { $0.quality } : [] }

  /// For people. Where no test has several sequences, what concerns one of them, or the caches of all, is left out; so
  /// is what only training has, or only generations, where there is no such test.
  var columns: [Column<RunRow>] {
    typealias Columns = [Column<RunRow>]
    let judged: Columns = [
      .metric(.gflops), .metric(.gbPerSecond), .metric(.roofline), .roof, .maxError, .outcome,
      .speedAgainstNaive, .sampleCount,
    ]
    func alone(_ shape: Columns) -> Columns { shape + judged }
    switch kind {
    case .endToEnd:
      let weights = Column.weights.styled(rank: correctness.haveQuality ? 2 : nil)
      let hasGenerations = cells.isEmpty || cells.contains { $0.test.training == nil }
      let shape: Columns = [.variant, weights, .threads, .test]
      let speeds: Columns =
        hasGenerations
        ? [.metric(.timeToFirstToken), .metric(.prefillRate), .metric(.decodeRate)] : []
      let training: Columns = hasTraining ? [.metric(.trainingTime), .metric(.trainingRate)] : []
      let arithmetic: Columns = hasTraining ? [.metric(.gflops).styled(rank: 6), .metric(.peakShare)] : []
      let latencies: Columns = hasGenerations ? [.metric(.timePerOutputToken), .interTokenLatency] : []
      let rest: Columns = [
        .metric(.roofline).styled(rank: 3), .roof.styled(rank: 8), .metric(.memoryRate),
        .metric(.memoryShare), .metric(.peakMemory),
        .metric(.cacheMemory), .speedAgainstNaive, .sampleCount, .outcome,
      ]
      let all = [
        shape, speeds, [.metric(.decodeRatePerUser)], training, qualityColumns, latencies, arithmetic, rest,
      ].flatMap { $0 }
      let ofBatches = [Metric.decodeRatePerUser.key, Metric.cacheMemory.key]
      return all.filter { hasBatches || !ofBatches.contains($0.key) }
    case .matmul: return alone([.variant, .m, .k, .n, .threads, .metric(.matmulTime)])
    case .operations: return alone([.variant, .test, .threads, .metric(.operationTime)])
    }
  }

  /// The columns of `results.csv`, in order; what products ran on after the weights, where a row says it.
  var csvColumns: [Column<RunRow>] {
    guard cells.contains(where: { $0.instructions != nil }) else { return csvColumnsOfAll }
    return csvColumnsOfAll.flatMap { $0.key == Column.weights.key ? [$0, .productsOn] : [$0] }
  }

  private var csvColumnsOfAll: [Column<RunRow>] {
    typealias Columns = [Column<RunRow>]
    let checked: Columns = [.status, .check, .sampleCount]
    let work: Columns = [
      .metric(.gflops), .metric(.gbPerSecond), .metric(.intensity), .metric(.roofline), .roof,
    ]
    let ends: Columns = [.drift, .metric(.instructions), .metric(.cycles), .metric(.cacheMisses), .message]
    let judged: Columns = [.speedAgainstNaive, .maxError]
    func alone(_ shape: Columns, _ time: Metric) -> Columns {
      [shape, checked, [.metric(time)], work, judged, ends].flatMap { $0 }
    }
    switch kind {
    case .endToEnd:
      let test: Columns = [.variant, .weights, .threads, .test, .promptTokens, .newTokens, .batch]
      let speeds: Columns = [
        .metric(.timeToFirstToken), .metric(.prefillTime), .metric(.prefillRate), .metric(.decodeRate),
        .metric(.decodeRatePerUser), .metric(.timePerOutputToken), .interTokenLatency,
      ]
      let training: Columns = hasTraining ? [.metric(.trainingTime), .metric(.trainingRate)] : []
      let share: Columns = hasTraining ? [.metric(.peakShare)] : []
      let process: Columns = [
        .metric(.peakMemory), .metric(.cacheMemory), .metric(.baselineMemory), .metric(.coldLoad),
        .metric(.warmLoad), .metric(.loadToFirstToken), .loadCount,
      ]
      let memory: Columns = [.metric(.memoryRate), .metric(.memoryShare)]
      return [
        test, checked, speeds, training, [.speedAgainstNaive], qualityColumns, work, share, memory, process,
        ends,
      ].flatMap { $0 }
    case .matmul: return alone([.variant, .weights, .m, .k, .n, .threads], .matmulTime)
    case .operations:
      return alone([.variant, .weights, .operation, .rows, .test, .threads], .operationTime)
    }
  }
}

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
        "prefill_ns", "memory_gb_per_s", "token_ns",
      ], run.record.cells.flatMap(Self.rows))
  }

  private static func rows(_ cell: Cell) -> [[String]] {
    cell.samples.map { sample in
      // Every digit of a time, without a fraction where it has none.
      let elapsed = Int(exactly: sample.elapsedNanoseconds).map(String.init) ?? "\(sample.elapsedNanoseconds)"
      return [
        cell.variant, cell.weights, "\(cell.threads)", cell.test.name, cell.status.rawValue,
        "\(sample.round)", "\(sample.sequence)", elapsed, "\(sample.iterations)",
        sample.prefillNanoseconds.map(String.init) ?? "", sample.memoryRate.map { "\($0)" } ?? "",
        sample.tokenNanoseconds.map(String.init).joined(separator: " "),
      ]
    }
  }
}

extension RunRow {
  fileprivate var outcomeText: String? {
    let status = [.measured, .failedCheck].contains(cell.status) ? nil : cell.status.rawValue
    let words = [checkWord, status].compactMap { $0 }.joined(separator: ", ")
    let marked = [words, isDrifting ? Self.driftMark : ""].filter { !$0.isEmpty }
    return marked.isEmpty ? nil : marked.joined(separator: " ")
  }
}

extension OperationShape {
  fileprivate var matmul: (m: Int, k: Int, n: Int)? {
    guard case .matmul(let m, let k, let n) = self else { return nil }
    return (m, k, n)
  }
}
