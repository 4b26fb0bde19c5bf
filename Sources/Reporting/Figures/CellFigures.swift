import Record
import Statistics

/// Every figure of one cell, derived from its samples alone. What cannot be derived is nil, never zero.
struct CellFigures: Sendable {
  let cell: Cell
  /// Samples that the figures are made of.
  let sampleCount: Int
  /// Of the times that the samples have.
  private var medians: [Span: Figure] = [:]
  let interTokenLatencyMS: Percentiles?
  let positions: [PositionRate]
  let gflops: Double?
  let gbPerSecond: Double?
  /// FLOP per byte.
  let intensity: Double?
  /// The least time that the ceilings allow for the work of one primary duration; nil without ceilings.
  let bound: Roofline.Bound?
  let rooflinePercent: Double?
  /// Of a step of training: its GFLOP/s as a share of those of float32's multiply-adds.
  let peakPercent: Double?
  /// What memory gave to the same threads beside the samples: the median; nil where that was not measured.
  let memoryGBPerSecond: Double?
  /// The share of it that the samples took, each against what was measured beside it: the median.
  let memoryPercent: Double?
  /// Of the logarithm of a time, 95 %: what another run in other minutes may differ by through the machine alone; nil
  /// where the run did not measure that.
  let openHalfWidth: Double?
  /// Nil for fewer samples than could show one.
  let drift: Drift?
  let counters: CounterFigures?

  /// - Parameters:
  ///   - ceiling: of the same number of threads; without it there is no share of the roofline.
  ///   - machine: how it changed over the run; nil where only this run's minutes count.
  init(_ cell: Cell, ceiling: Ceiling?, machine: MachineDrift? = nil) {
    self.cell = cell
    sampleCount = cell.usableSamples.count
    drift = cell.drift
    counters = CounterFigures(cell)
    for span in Span.allCases where cell.test.times(span) {
      medians[span] = Figure(medianOf: cell.durations(span))
    }
    interTokenLatencyMS = cell.test.times(.step) ? Percentiles(cell.tokenGaps.map { $0 * 1e-6 }) : nil
    positions = PositionRate.rates(of: cell)
    let nanoseconds = medians[cell.test.primarySpan]?.value
    let work = cell.work
    let attained = nanoseconds.flatMap { time in work.flops.map { $0 / time } }
    gflops = attained
    gbPerSecond = nanoseconds.flatMap { time in cell.bytes.map { $0 / time } }
    let isMoving = nanoseconds != nil && (cell.bytes ?? 0) > 0
    intensity = isMoving ? work.flops.flatMap { flops in cell.bytes.map { flops / $0 } } : nil
    bound =
      isMoving ? ceiling.flatMap { Roofline($0, products: $0.products(of: cell)).bound(work) } : nil
    rooflinePercent = bound.flatMap { bound in
      nanoseconds.map { Roofline.percent(least: bound.nanoseconds, of: $0) }
    }
    peakPercent =
      cell.test.training == nil
      ? nil : attained.flatMap { rate in ceiling.map { 100 * rate / $0.computeRoof } }
    memoryGBPerSecond = median(cell.usableSamples.compactMap(\.memoryRate))
    memoryPercent = median(
      cell.usableSamples.compactMap { sample in
        guard let bytes = cell.bytes, let rate = sample.memoryRate,
          let time = sample.duration(cell.test.primarySpan), time > 0
        else { return nil }
        return Roofline.percent(least: bytes / rate, of: time)
      })
    // Where no sample of the row has one, the ceiling tells what memory gives.
    let ofMemory =
      memoryPercent
      ?? gbPerSecond.flatMap { rate in
        ceiling.map { 100 * rate / $0.memoryRoof(holding: nil).gbPerSecond }
      }
    openHalfWidth =
      cell.test.operation == nil
      ? machine?.halfWidth(memoryShare: min(max((ofMemory ?? 0) / 100, 0), 1)) : nil
    guard let openHalfWidth else { return }
    for span in medians.keys where !span.isOfProcess {
      medians[span] = medians[span]?.widened(by: openHalfWidth)
    }
  }

  /// The metric's figure; nil where the cell's test has none.
  subscript(metric: Metric) -> Figure? {
    guard metric.applies(to: cell.test) else { return nil }
    switch metric.source {
    case .time(let span): return medians[span]?.scaled(by: metric.unit.scale)
    case .rate(let amount, let span):
      return amount(cell.test).flatMap { medians[span]?.rate(of: $0 * metric.unit.scale) }
    case .value(let read): return read(self).map { Figure(value: metric.unit.converted($0)) }
    }
  }

  /// The cell; nil of a variant that failed, died, hung or was rejected, since nothing of it is a figure.
  var usable: Cell? { cell.isUsable ? cell : nil }

  var roof: Roof? { bound?.roof }

  /// Loads that the load's figures are made from; nil for none.
  var loadSampleCount: Int? { usable?.load?.samples.flatMap { $0.isEmpty ? nil : $0.count } }
}

extension Cell {
  /// The times that a metric is tested by; none for what is one value.
  func durations(of metric: Metric) -> [Double] { metric.span.map(durations) ?? [] }

  /// What one primary duration computes and moves. What the record does not say to be streamed comes from the nearest
  /// memory that holds all of it; but a matrix product's weights take turns among copies that only DRAM holds.
  fileprivate var work: Roofline.Work {
    let (bytes, operation) = (bytes ?? 0, test.operation)
    let streamed = operation?.kind == .matmul ? bytes : min(streamedBytes ?? 0, bytes)
    return Roofline.Work(
      flops: flops ?? test.flops, streamed: streamed, others: bytes - streamed,
      held: (bytes - streamed) / Double(operation?.turns ?? 1), needsFlops: operation?.kind != .sampling,
      isOfWeights: operation == nil || operation?.kind == .matmul)
  }
}

extension Ceiling {
  func products(of cell: Cell) -> ProductPeak? {
    products(weights: cell.weights, instructions: cell.instructions)
  }
}

/// Percentiles of pooled values, in their unit.
struct Percentiles: Sendable, Equatable {
  let p50: Double
  let p90: Double
  let p99: Double

  /// Nil for no values.
  init?(_ values: [Double]) {
    guard let found = quantiles(values, [0.5, 0.9, 0.99]) else { return nil }
    (p50, p90, p99) = (found[0], found[1], found[2])
  }
}

/// Decode speed over a range of positions in the sequence.
struct PositionRate: Sendable, Equatable {
  /// The new token `index` (from 0) takes the position depth + index.
  let positions: ClosedRange<Int>
  let tokensPerSecond: Double

  private static let bucketLimit = 8

  /// Up to eight ranges of nearly equal length that hold every token but the first, each with
  /// B · tokens / (median time that the samples took for them).
  static func rates(of cell: Cell) -> [PositionRate] {
    guard cell.test.times(.step), let generation = cell.test.generation,
      let count = cell.usableSamples.map(\.tokenNanoseconds.count).min(), count > 1
    else { return [] }
    let gaps = count - 1
    let buckets = min(bucketLimit, gaps)
    return (0..<buckets).compactMap { bucket in
      let first = bucket * gaps / buckets
      let last = (bucket + 1) * gaps / buckets
      let times = cell.usableSamples.map { Double($0.tokenNanoseconds[last] - $0.tokenNanoseconds[first]) }
      guard let time = median(times), time > 0 else { return nil }
      return PositionRate(
        positions: generation.prompt + first + 1...generation.prompt + last,
        tokensPerSecond: Double(generation.batch) * Double(last - first) * 1e9 / time)
    }
  }
}

/// What the CPU counted for a cell, for each token or call: medians over the samples that have the counter.
struct CounterFigures: Sendable, Equatable {
  let instructions: Double?
  let cycles: Double?
  let cacheReferences: Double?
  let cacheMisses: Double?
  /// The least share of the time in which the counters really counted; nil where it was not said.
  let share: Double?

  /// Nil where there are no counters.
  init?(_ cell: Cell) {
    let samples = cell.usableSamples.filter { !($0.counters ?? [:]).isEmpty }
    guard !samples.isEmpty else { return nil }
    let unitsPerExecution =
      (cell.test.tokensPerPrimaryDuration ?? 1) * Double(cell.test.primaryDurationsPerSample)
    func perUnit(_ name: String) -> Double? {
      median(
        samples.compactMap { sample in
          sample.counters?[name].map { Double($0) / (unitsPerExecution * Double(max(sample.iterations, 1))) }
        })
    }
    instructions = perUnit("instructions")
    cycles = perUnit("cycles")
    cacheReferences = perUnit("cacheReferences")
    cacheMisses = perUnit("cacheMisses")
    share = samples.compactMap(\.countersShare).min()
  }

  var instructionsPerCycle: Double? {
    guard let instructions, let cycles, cycles > 0 else { return nil }
    return instructions / cycles
  }

  /// Misses of 100 references to the caches.
  var missedPercent: Double? {
    guard let cacheMisses, let cacheReferences, cacheReferences > 0 else { return nil }
    return 100 * cacheMisses / cacheReferences
  }
}
