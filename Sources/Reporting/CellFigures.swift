import Record
import Statistics

/// Every figure of one cell, derived from its samples alone. What cannot be derived is nil, never zero.
struct CellFigures: Sendable, Equatable {
  /// Samples that the figures are made of.
  let sampleCount: Int
  var timeToFirstTokenMS: Figure?
  var prefillMS: Figure?
  var prefillTokensPerSecond: Figure?
  var decodeTokensPerSecond: Figure?
  /// Of one sequence of the batch.
  var decodeTokensPerSecondPerUser: Figure?
  var timePerOutputTokenMS: Figure?
  var interTokenLatencyMS: Percentiles?
  var positions: [PositionRate] = []
  var gemmMS: Figure?
  var operationMicroseconds: Figure?
  var gflops: Double?
  var gbPerSecond: Double?
  /// FLOP per byte.
  var intensity: Double?
  var rooflinePercent: Double?
  /// The least time that the ceilings allow for the work of one primary duration.
  var leastNanoseconds: Double?
  /// The lower of both roofs at this intensity.
  var roof: Roof?
  var peakMemoryMiB: Double?
  var cacheMiB: Double?
  var baselineMemoryMiB: Double?
  var coldLoadMS: Double?
  var warmLoadMS: Double?
  var loadToFirstTokenMS: Figure?
  /// Loads behind the last two.
  var loadSampleCount: Int?
  /// Nil for fewer samples than could show one.
  let drift: Drift?
  let counters: CounterFigures?

  /// - Parameter ceiling: of the same number of threads; without it there is no share of the roofline.
  init(_ cell: Cell, ceiling: Ceiling?) {
    sampleCount = cell.usableSamples.count
    drift = cell.drift
    counters = CounterFigures(cell)
    let primary = Figure(medianOf: cell.primaryDurations)
    deriveTimes(of: cell, primary: primary)
    deriveWork(of: cell, nanoseconds: primary?.value, ceiling: ceiling)
    guard cell.status == .measured || cell.status == .pending else { return }
    cacheMiB = cell.cacheBytes.map { $0 / 1_048_576 }
    peakMemoryMiB = cell.peakMemoryBytes.map { Double($0) / 1_048_576 }
    baselineMemoryMiB = cell.baselineMemoryBytes.map { Double($0) / 1_048_576 }
    coldLoadMS = cell.load?.coldNanoseconds.map { Double($0) / 1e6 }
    warmLoadMS = cell.load?.warmNanoseconds.map { Double($0) / 1e6 }
    guard let loads = cell.load?.samples, !loads.isEmpty else { return }
    loadSampleCount = loads.count
    loadToFirstTokenMS =
      Figure(medianOf: loads.map { Double($0.firstTokenNanoseconds) })?.scaled(by: 1e-6)
  }

  private mutating func deriveTimes(of cell: Cell, primary: Figure?) {
    let rate = cell.test.tokensPerPrimaryDuration.flatMap { primary?.rate(of: $0 * 1e9) }
    switch cell.test {
    case .prefill:
      timeToFirstTokenMS = Figure(medianOf: cell.firstTokenDurations)?.scaled(by: 1e-6)
      prefillMS = primary?.scaled(by: 1e-6)
      prefillTokensPerSecond = rate
    case .decode:
      decodeTokensPerSecond = rate
      decodeTokensPerSecondPerUser = primary?.rate(of: 1e9)
      timePerOutputTokenMS = Figure(medianOf: cell.outputTokenDurations)?.scaled(by: 1e-6)
      interTokenLatencyMS = Percentiles(cell.tokenGaps.map { $0 * 1e-6 })
      positions = PositionRate.rates(of: cell)
    case .operation(.matmul):
      gemmMS = primary?.scaled(by: 1e-6)
    case .operation:
      operationMicroseconds = primary?.scaled(by: 1e-3)
    }
  }

  /// achieved = FLOPs / t; share = 100 · achieved / min(P_peak, AI · BW), AI = FLOPs / compulsory bytes
  /// (Williams, Waterman and Patterson 2009). BW is that of the nearest memory that holds the bytes; a GEMM's
  /// weights take turns among copies that only DRAM holds. An operation's bytes may come from two memories, which it
  /// has to read one after the other.
  private mutating func deriveWork(of cell: Cell, nanoseconds: Double?, ceiling: Ceiling?) {
    guard let nanoseconds else { return }
    let work = cell.flops ?? cell.test.matmulFlops
    gflops = work.map { $0 / nanoseconds }
    gbPerSecond = cell.bytes.map { $0 / nanoseconds }
    var held = cell.bytes
    switch cell.test {
    case .operation(.matmul): held = nil
    case .operation: return deriveRoof(of: cell, nanoseconds: nanoseconds, ceiling: ceiling)
    default: break
    }
    guard let flops = work, let bytes = cell.bytes, bytes > 0 else { return }
    intensity = flops / bytes
    guard let ceiling else { return }
    let memory = ceiling.memoryRoof(holding: held)
    let slope = flops / bytes * memory.gbPerSecond
    roof = slope < ceiling.computeRoof ? .memory(level: memory.level) : .compute
    let bound = min(ceiling.computeRoof, slope)
    guard bound > 0 else { return }
    leastNanoseconds = flops / bound
    rooflinePercent = 100 * flops / nanoseconds / bound
  }

  /// Least time = max(FLOPs / P_peak, streamed / BW(DRAM) + activations / BW(nearest memory that holds them)), as for a
  /// profile's phases; what has no count of operations is bound by its bytes.
  private mutating func deriveRoof(of cell: Cell, nanoseconds: Double, ceiling: Ceiling?) {
    guard let bytes = cell.bytes, bytes > 0 else { return }
    intensity = cell.flops.map { $0 / bytes }
    guard let ceiling, ceiling.computeRoof > 0 else { return }
    let streamed = min(cell.streamedBytes ?? 0, bytes)
    var held = bytes - streamed
    // The queries of a head take turns in one row.
    if case .operation(.softmax(let rows, _, _)) = cell.test { held /= Double(rows) }
    let (far, near) = (ceiling.memoryRoof(holding: nil), ceiling.memoryRoof(holding: held))
    let moving = streamed / far.gbPerSecond + (bytes - streamed) / near.gbPerSecond
    let computing = (cell.flops ?? 0) / ceiling.computeRoof
    roof = computing > moving ? .compute : .memory(level: streamed >= bytes / 2 ? far.level : near.level)
    leastNanoseconds = max(computing, moving)
    rooflinePercent = 100 * max(computing, moving) / nanoseconds
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
    guard case .decode(_, let depth, let batch) = cell.test,
      let count = cell.usableSamples.map(\.tokenNanoseconds.count).min(), count > 1
    else { return [] }
    let gaps = count - 1
    let buckets = min(bucketLimit, gaps)
    return (0..<buckets).compactMap { bucket in
      let first = bucket * gaps / buckets
      let last = (bucket + 1) * gaps / buckets
      let times = cell.usableSamples.map {
        Double($0.tokenNanoseconds[last] - $0.tokenNanoseconds[first])
      }
      guard let time = median(times), time > 0 else { return nil }
      return PositionRate(
        positions: depth + first + 1...depth + last,
        tokensPerSecond: Double(batch) * Double(last - first) * 1e9 / time)
    }
  }
}
