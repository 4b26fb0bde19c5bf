import Foundation
import Record
import Statistics

/// How the machine itself changed over a run, and what that leaves open about a figure.
///
/// The samples of a run say how well its median is known for its own minutes. Another run meets the machine in other
/// minutes, with other neighbours in its memory and another clock rate. The model: the logarithm of a row's time is
///
///     log t(block) = log t + m · memory(block) + (1 − m) · speed(block) + noise
///
/// where `block` is one of up to five blocks of the run's rounds, `memory` what memory gave in it (read beside the
/// samples of decoding) and `speed` the time of fixed work (a loop, or the passes over prompts of all rows, whichever
/// moved more), both as deviations from the run's own median, and m the share of the row's time that its bytes took at
/// the rate that memory gave. Another run is taken to meet one such block: to the bootstrap's half of an interval the
/// half of a 95 % prediction interval of one more block is added, t(0.975, blocks − 1) · s · √(1 + 1 / blocks), as
/// independent parts are added, by squares.
struct MachineDrift: Sendable, Equatable {
  /// The logarithm's 95 % half-width of what memory gives in another block of time; nil for too few readings.
  let memory: Double?
  /// The same of the time of fixed work.
  let speed: Double?

  /// Blocks of time that a run is cut into.
  static let mostBlocks = 5
  /// A block of fewer readings would take one that others disturbed for a level that lasts.
  static let fewestReadings = 3
  /// Fewer blocks say too little of a spread.
  static let fewestBlocks = 3
  /// Student's t at 0.975 for 2, 3 and 4 degrees of freedom.
  private static let quantiles = [4.303, 3.182, 2.776]

  init(_ record: Record) {
    let loops = Self.relative((record.conditions?.calibration ?? []).map { Double($0.nanoseconds) })
    memory = Self.halfWidth(of: record.memoryRates)
    // One thread's loop does not see a neighbour that slows the caches or the vector units.
    speed = [loops, record.promptTimes].compactMap { Self.halfWidth(of: $0) }.max()
  }

  /// - Parameter memoryShare: m, 0 to 1.
  /// - Returns: the 95 % half-width of the logarithm of a time; nil where nothing is known of memory.
  func halfWidth(memoryShare: Double) -> Double? {
    guard let memory else { return nil }
    let parts = (memoryShare * memory, (1 - memoryShare) * (speed ?? 0))
    return (parts.0 * parts.0 + parts.1 * parts.1).squareRoot()
  }

  /// Values in time order, each ÷ the median of all.
  static func relative(_ values: [Double]) -> [Double] {
    guard let middle = median(values), middle > 0 else { return [] }
    return values.map { $0 / middle }
  }

  /// - Parameter series: above zero, in time order, relative to what is usual.
  private static func halfWidth(of series: [Double]) -> Double? {
    let blocks = min(mostBlocks, series.count / fewestReadings)
    guard blocks >= fewestBlocks, let values = blockMedians(series.map { log($0) }, blocks: blocks),
      let deviation = standardDeviation(values)
    else { return nil }
    return quantiles[blocks - fewestBlocks] * deviation * (1 + 1 / Double(blocks)).squareRoot()
  }
}

extension Record {
  /// What memory gave beside the samples of decoding, relative to each cell's median and in time order.
  var memoryRates: [Double] { relative(cells, \.memoryRate) }

  /// The time of a pass over a prompt, likewise.
  fileprivate var promptTimes: [Double] {
    relative(cells.filter { $0.test.primarySpan == .prefill }) { $0.duration(.prefill) }
  }

  /// Readings in time order, each ÷ the median of its cell, so that cells of other threads and other variants are of one
  /// kind.
  private func relative(_ cells: [Cell], _ read: (Sample) -> Double?) -> [Double] {
    cells.flatMap { cell -> [(sequence: Int, value: Double)] in
      let known = cell.usableSamples.compactMap { sample in
        read(sample).flatMap { $0 > 0 ? (sequence: sample.sequence, value: $0) : nil }
      }
      return zip(known, MachineDrift.relative(known.map(\.value))).map { (sequence: $0.sequence, value: $1) }
    }.sorted { $0.sequence < $1.sequence }.map(\.value)
  }
}

extension Sample {
  /// GB/s of all reads beside it; nil for none.
  var memoryRate: Double? {
    guard let rates = memoryGBPerSecond, !rates.isEmpty, rates.allSatisfy({ $0 > 0 }) else { return nil }
    return Double(rates.count) / rates.reduce(0) { $0 + 1 / $1 }
  }
}

extension Figure {
  /// The ratio of two runs' figures, with what each leaves open; nil for what a run did not measure.
  func widened(by base: Double?, _ head: Double?) -> Figure {
    let (base, head) = (base ?? 0, head ?? 0)
    return widened(by: (base * base + head * head).squareRoot())
  }

  /// The figure of a time with the interval that another run in other minutes falls into as well.
  ///
  /// - Parameter halfWidth: of the time's logarithm, independent of its interval.
  func widened(by halfWidth: Double) -> Figure {
    guard let interval, value > 0 else { return self }
    func away(_ end: Double) -> Double {
      let own = log(end / value)
      return exp((own * own + halfWidth * halfWidth).squareRoot())
    }
    return Figure(
      value: value,
      interval: Interval(lower: value / away(interval.lower), upper: value * away(interval.upper)))
  }
}
