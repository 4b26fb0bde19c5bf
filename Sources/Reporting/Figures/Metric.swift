import Record

/// One figure of a cell: what it is called, which way is better, and how it is read from the samples. Tables, comparisons,
/// exports and charts all take it from here; a new metric is one value more.
struct Metric: Sendable {
  enum Better: Sendable { case higher, lower }

  struct Unit: Sendable {
    /// `ms`
    let name: String
    /// A value in this unit ÷ the same in nanoseconds, tokens a nanosecond, or bytes.
    let scale: Double
    /// Nanoseconds or bytes in one of it.
    var size: Double { (1 / scale).rounded() }

    /// From nanoseconds or bytes: dividing rounds once, multiplying twice.
    func converted(_ value: Double) -> Double { scale < 1 ? value / size : value * scale }

    static let milliseconds = Unit(name: "ms", scale: 1e-6)
    static let microseconds = Unit(name: "µs", scale: 1e-3)
    static let tokensPerSecond = Unit(name: "tok/s", scale: 1e9)
    static let mebibytes = Unit(name: "MiB", scale: 1 / 1_048_576)
    static let gigaflops = Unit(name: "GFLOP/s", scale: 1)
    static let gigabytesPerSecond = Unit(name: "GB/s", scale: 1)
    static let percent = Unit(name: "%", scale: 1)
    static let none = Unit(name: "", scale: 1)
  }

  enum Source: Sendable {
    /// The median of a time, in nanoseconds.
    case time(Span)
    /// An amount ÷ the median of a time: the longest time gives the lowest rate.
    case rate(of: @Sendable (Test) -> Double?, over: Span)
    /// One value a cell or a process; without an interval.
    case value(@Sendable (CellFigures) -> Double?)
  }

  /// The CSV field, with the unit: `ttft_ms`. No two metrics share one.
  let key: String
  /// `TTFT`
  let title: String
  let unit: Unit
  let better: Better?
  let source: Source
  /// Whether it is one figure of a contestant's process, whatever its tests.
  var isOfProcess = false
  /// What `--max-regression` and `--rows` call it; empty for a metric that nothing is compared by.
  var word = ""
  /// Bencher's measure; nil for what services do not follow.
  var slug: String?

  // How a table shows it, where that is not TITLE UNIT.
  /// A column's heading in Markdown and HTML.
  var heading: String?
  /// A terminal's first line over the column; the unit is the second.
  var short: String?
  /// In a terminal: 0 for a column that always stays; else the highest is left out first.
  var rank = 0
  /// Whether the column is left out where nothing stands in it.
  var isOptional = false
  /// Whether ± stands after the figure; CSV always holds both ends.
  var showsInterval = false

  /// `decode tok/s`, `TTFT`: in a list of metrics, rates need their unit to be told from times.
  var name: String {
    if case .rate = source { return "\(title) \(unit.name)" }
    return title
  }

  /// Whether it is a time of computing, or a rate.
  var isSpeed: Bool { !isOfProcess }

  /// Times that a figure is made from which is one value of a process.
  var behind: Span?

  /// The times that it is tested by; nil for what is one value.
  var span: Span? {
    switch source {
    case .time(let span), .rate(_, let span): span
    case .value: behind
    }
  }

  /// A time in nanoseconds, or a size in bytes, as tables show it; of a rate, what `test` yields in that time.
  func figure(_ value: Double, on test: Test?) -> Double {
    guard case .rate(let amount, _) = source else { return unit.converted(value) }
    return (test.flatMap(amount) ?? 1) * unit.scale / value
  }

  /// Whether the test has the time that it is made from.
  func applies(to test: Test) -> Bool { span.map(test.times) ?? true }
}

extension Metric: Hashable {
  static func == (left: Metric, right: Metric) -> Bool { left.key == right.key }
  func hash(into hasher: inout Hasher) { hasher.combine(key) }
}

extension Metric {
  static let timeToFirstToken = Metric(
    key: "ttft_ms", title: "TTFT", unit: .milliseconds, better: .lower, source: .time(.firstToken),
    word: "ttft", slug: "time-to-first-token", rank: 1)
  static let prefillTime = Metric(
    key: "prefill_ms", title: "prefill", unit: .milliseconds, better: .lower, source: .time(.prefill),
    slug: "latency")
  static let prefillRate = Metric(
    key: "prefill_tok_per_s", title: "prefill", unit: .tokensPerSecond, better: .higher,
    source: .rate(of: { $0.tokensPerPrimaryDuration }, over: .prefill), word: "prefill", slug: "throughput",
    showsInterval: true)
  static let decodeRate = Metric(
    key: "decode_tok_per_s", title: "decode", unit: .tokensPerSecond, better: .higher,
    source: .rate(of: { $0.tokensPerPrimaryDuration }, over: .step), word: "decode", slug: "throughput",
    showsInterval: true)
  /// The same for each sequence of a batch alone.
  static let decodeRatePerUser = Metric(
    key: "decode_tok_per_s_per_user", title: "decode per user", unit: .tokensPerSecond, better: .higher,
    source: .rate(of: { _ in 1 }, over: .step), short: "per user", rank: 1, showsInterval: true)
  static let timePerOutputToken = Metric(
    key: "tpot_ms", title: "TPOT", unit: .milliseconds, better: .lower, source: .time(.outputToken),
    slug: "latency", rank: 5)
  static let trainingTime = Metric(
    key: "train_step_ms", title: "train step", unit: .milliseconds, better: .lower,
    source: .time(.trainingStep), slug: "latency", rank: 4)
  static let trainingRate = Metric(
    key: "train_tok_per_s", title: "train", unit: .tokensPerSecond, better: .higher,
    source: .rate(of: { $0.tokensPerPrimaryDuration }, over: .trainingStep), word: "train",
    slug: "throughput", showsInterval: true)
  static let matmulTime = Metric(
    key: "ms", title: "GEMM", unit: .milliseconds, better: .lower, source: .time(.matmul), word: "gemm",
    slug: "latency", heading: "ms (median)", short: "time", showsInterval: true)
  static let operationTime = Metric(
    key: "us", title: "operation", unit: .microseconds, better: .lower, source: .time(.call), word: "ops",
    slug: "latency", heading: "time µs", short: "time", showsInterval: true)

  static let peakMemory = Metric(
    key: "peak_memory_mib", title: "peak memory", unit: .mebibytes, better: .lower,
    source: .value { $0.usable?.peakMemoryBytes.map(Double.init) }, isOfProcess: true, word: "memory",
    slug: "peak-memory", short: "memory", rank: 2)
  static let cacheMemory = Metric(
    key: "kv_cache_mib", title: "KV caches", unit: .mebibytes, better: nil,
    source: .value { $0.usable?.cacheBytes })
  static let baselineMemory = Metric(
    key: "memory_before_load_mib", title: "before loading", unit: .mebibytes, better: .lower,
    source: .value { $0.usable?.baselineMemoryBytes.map(Double.init) }, isOfProcess: true, isOptional: true)
  static let coldLoad = Metric(
    key: "load_cold_ms", title: "load, cold", unit: .milliseconds, better: .lower,
    source: .value { $0.usable?.load?.coldNanoseconds.map(Double.init) }, isOfProcess: true)
  static let warmLoad = Metric(
    key: "load_warm_ms", title: "load, warm", unit: .milliseconds, better: .lower,
    source: .value { $0.usable?.load?.warmNanoseconds.map(Double.init) }, isOfProcess: true, word: "load",
    slug: "load-time", behind: .load)
  static let loadToFirstToken = Metric(
    key: "load_to_first_token_ms", title: "load to first token", unit: .milliseconds, better: .lower,
    source: .time(.loadToFirstToken), isOfProcess: true, slug: "load-to-first-token", isOptional: true,
    showsInterval: true)

  static let gflops = Metric(
    key: "gflop_per_s", title: "", unit: .gigaflops, better: .higher, source: .value(\.gflops))
  static let gbPerSecond = Metric(
    key: "gb_per_s", title: "", unit: .gigabytesPerSecond, better: nil, source: .value(\.gbPerSecond),
    rank: 2)
  static let intensity = Metric(
    key: "flop_per_byte", title: "FLOP/B", unit: .none, better: nil, source: .value(\.intensity))
  static let roofline = Metric(
    key: "roofline_percent", title: "roofline", unit: .percent, better: nil,
    source: .value(\.rooflinePercent), heading: "% of the roofline", rank: 1)
  /// Of a step of training.
  static let peakShare = Metric(
    key: "fma_peak_percent", title: "FMA peak", unit: .percent, better: nil, source: .value(\.peakPercent),
    heading: "% of the FMA peak", rank: 3)
  /// What memory gave beside the samples, and the share of it that they took.
  static let memoryRate = Metric(
    key: "memory_gb_per_s", title: "memory", unit: .gigabytesPerSecond, better: nil,
    source: .value(\.memoryGBPerSecond), rank: 9, isOptional: true, behind: .step)
  static let memoryShare = Metric(
    key: "memory_percent", title: "of memory", unit: .percent, better: nil, source: .value(\.memoryPercent),
    heading: "% of memory", rank: 8, isOptional: true, behind: .step)
  static let instructions = Metric(
    key: "instructions", title: "instructions", unit: .none, better: nil,
    source: .value { $0.counters?.instructions })
  static let cycles = Metric(
    key: "cycles", title: "cycles", unit: .none, better: nil, source: .value { $0.counters?.cycles })
  static let cacheMisses = Metric(
    key: "cache_misses", title: "cache misses", unit: .none, better: nil,
    source: .value { $0.counters?.cacheMisses })

  /// What two sides are compared by, in the order of their tables; a test's own metric comes before others of it.
  static let compared: [Metric] = [
    .decodeRate, .prefillRate, .timeToFirstToken, .trainingRate, .matmulTime, .operationTime, .peakMemory,
    .warmLoad,
  ]

  /// Times and sizes that services follow from run to run: smaller is better for every one.
  static let tracked: [Metric] = [
    .timeToFirstToken, .prefillTime, .timePerOutputToken, .trainingTime, .matmulTime, .operationTime,
    .peakMemory, .warmLoad, .loadToFirstToken,
  ]

  /// Compared by its samples on `test`, the test's own metric first.
  static func compared(on test: Test) -> [Metric] {
    compared.filter { !$0.isOfProcess && $0.applies(to: test) }
  }
}

extension Test {
  /// What its rows are ranked by, and the first that they are compared by: what follows from its primary time.
  var headlineMetric: Metric {
    switch traits.primarySpan {
    case .prefill: .prefillRate
    case .firstToken: .timeToFirstToken
    case .step: .decodeRate
    case .outputToken: .timePerOutputToken
    case .trainingStep: .trainingRate
    case .matmul: .matmulTime
    case .call: .operationTime
    case .load: .warmLoad
    case .loadToFirstToken: .loadToFirstToken
    }
  }
}
