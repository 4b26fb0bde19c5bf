import Foundation
import Record
import Statistics

/// One row's paired log-ratios, a value a block. A round executes every side once, and then once more in the reverse
/// order. In each of these passes, with L = ln t, the head's improvement is (L_base + L_control) / 2 − L_head and the
/// control's L_base − L_control; a block's value is the median over the passes of all its rounds, so that a disturbance
/// of one execution does not count and a drift cancels. Load time and peak memory have one value a process, so one pass
/// a block.
struct PairedSeries: Sendable {
  struct Contrast: Sendable {
    /// Index into the blocks of its stage.
    let block: Int
    /// Above 0 where the head is faster or smaller.
    let improvement: Double
    /// The same of the base's second process against its first.
    let control: Double
  }

  let contestant: MeasuredVariant
  let test: Test?
  let metric: Metric
  let contrasts: [Contrast]
  /// Medians over all samples of the stage, in the metric's unit.
  let base: Double?
  let head: Double?

  var label: String { RowFilter.label(contestant, test, metric) }

  func contrasts(within count: Int) -> [Contrast] { contrasts.filter { $0.block < count } }
}

extension PairedRecord {
  /// What one process's execution, or the process itself, gave.
  private typealias Value = (side: PairedSide, round: Int, value: Double)
  /// Every row that the record's units can have, whether or not anything was measured.
  func series(_ stage: PairedBlock.Stage) -> [PairedSeries] {
    let blocks = blocks.filter { $0.stage == stage }
    let sampled = units.indices.flatMap { unit in
      Metric.compared(on: units[unit].test).map { metric in
        series(metric, contestant: units[unit].contestant, test: units[unit].test, blocks) { block in
          block.samples.filter { $0.unit == unit }.compactMap { taken in
            metric.span.flatMap(taken.sample.duration).map { (taken.side, taken.sample.round, $0) }
          }
        }
      }
    }
    return sampled
      + contestants.indices.flatMap { contestant in
        [(Metric.peakMemory, \PairedProcess.peakMemoryBytes), (.warmLoad, \.loadNanoseconds)].map {
          metric, value in
          series(metric, contestant: contestant, test: nil, blocks) { block in
            block.processes.filter { $0.contestant == contestant }.compactMap { process in
              process[keyPath: value].map { (process.side, 0, Double($0)) }
            }
          }
        }
      }
  }

  /// - Parameter found: a block's values in nanoseconds or bytes, of all its rounds, in the order of their execution.
  private func series(
    _ metric: Metric, contestant: Int, test: Test?, _ blocks: [PairedBlock], found: (PairedBlock) -> [Value]
  ) -> PairedSeries {
    var values: [PairedSide: [Double]] = [:]
    var contrasts: [PairedSeries.Contrast] = []
    for (index, block) in blocks.enumerated() {
      var rounds: [Int: [PairedSide: [Double]]] = [:]
      for (side, round, value) in found(block) where value > 0 {
        values[side, default: []].append(value)
        rounds[round, default: [:]][side, default: []].append(log(value))
      }
      let passes = rounds.values.flatMap(Self.passes)
      guard let improvement = median(passes.map(\.improvement)), let control = median(passes.map(\.control))
      else { continue }
      contrasts.append(.init(block: index, improvement: improvement, control: control))
    }
    func figure(_ sides: [PairedSide]) -> Double? {
      median(sides.flatMap { values[$0] ?? [] }).map { metric.figure($0, on: test) }
    }
    return PairedSeries(
      contestant: contestants[contestant], test: test, metric: metric, contrasts: contrasts,
      base: figure([.base, .control]), head: figure([.head]))
  }

  /// One for each pass that every side has executed.
  private static func passes(_ logarithms: [PairedSide: [Double]]) -> [(improvement: Double, control: Double)]
  {
    guard let base = logarithms[.base], let control = logarithms[.control], let head = logarithms[.head]
    else { return [] }
    return zip(zip(base, control), head).map { (($0.0 + $0.1) / 2 - $1, $0.0 - $0.1) }
  }
}

struct PairedEvidence: Sendable {
  /// exp of the median, with on either side the wider of two intervals: the percentile bootstrap of the median, and
  /// Hodges and Lehmann's, which is exact for few values. Nil for no values; no interval for too few.
  let ratio: Figure?
  /// Wilcoxon's signed-rank test, two-sided.
  let pValue: Double?

  init(_ logarithms: [Double], confidence: Double) {
    pValue = SignedRank(logarithms)?.pValue
    let bootstrap = Bootstrap(confidence: confidence).median(logarithms)?.interval
    let exact = HodgesLehmann.estimate(logarithms, confidence: confidence)?.interval
    let widest = bootstrap.flatMap { bootstrap in
      exact.map {
        Interval(lower: exp(min(bootstrap.lower, $0.lower)), upper: exp(max(bootstrap.upper, $0.upper)))
      }
    }
    ratio = median(logarithms).map { Figure(value: exp($0), interval: widest) }
  }

  /// How far the interval reaches from 1, as a share: the change t that leaves 1 − t or 1 / (1 − t).
  var farthest: Double? { ratio?.interval.map { max(1 - $0.lower, 1 - 1 / $0.upper, 0) } }
}
