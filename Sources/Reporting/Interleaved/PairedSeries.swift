import Foundation
import Record
import Statistics

/// One row's paired log-ratios, a value a block.
///
/// A round executes every side once, and then once more in the reverse order. In each of these passes, with L = ln t,
/// the head's improvement is (L_base + L_control) / 2 − L_head and the control's L_base − L_control; a block's value is
/// the median over the passes of all its rounds, so that a disturbance of one execution does not count and a drift
/// cancels. Load time and peak memory have one value a process, so one pass a block.
struct PairedSeries: Sendable {
  struct Entry: Sendable {
    /// Index into the blocks of its stage.
    let block: Int
    /// Above 0 where the head is faster or smaller.
    let improvement: Double
    /// The same of the base's second process against its first.
    let control: Double
  }

  let contestant: Contestant
  let test: Test?
  let metric: Metric
  let entries: [Entry]
  /// Medians over all samples of the stage, in the metric's unit.
  let base: Double?
  let head: Double?

  var label: String { RowFilter.label(contestant, test, metric) }

  /// Those of the first `count` blocks.
  func entries(within count: Int) -> [Entry] { entries.filter { $0.block < count } }
}

extension PairedRecord {
  /// Every row that the record's units can have, whether or not anything was measured.
  func series(_ stage: PairedBlock.Stage) -> [PairedSeries] {
    let blocks = blocks.filter { $0.stage == stage }
    let sampled = units.indices.flatMap { unit in
      Metric.compared(on: units[unit].test).map { series($0, unit: unit, blocks) }
    }
    return sampled
      + contestants.indices.flatMap { contestant in
        [
          series(.peakMemory, contestant: contestant, blocks) { $0.peakMemoryBytes },
          series(.warmLoad, contestant: contestant, blocks) { $0.loadNanoseconds },
        ]
      }
  }

  private func series(_ metric: Metric, unit: Int, _ blocks: [PairedBlock]) -> PairedSeries {
    let test = units[unit].test
    var durations: [PairedSide: [Double]] = [:]
    var entries: [PairedSeries.Entry] = []
    for (index, block) in blocks.enumerated() {
      var rounds: [Int: [PairedSide: [Double]]] = [:]
      for taken in block.samples where taken.unit == unit {
        guard let duration = metric.span.flatMap({ taken.sample.duration($0) }), duration > 0 else { continue }
        durations[taken.side, default: []].append(duration)
        rounds[taken.sample.round, default: [:]][taken.side, default: []].append(log(duration))
      }
      let pairs = rounds.values.flatMap(Self.contrasts)
      guard let improvement = median(pairs.map(\.improvement)), let control = median(pairs.map(\.control))
      else { continue }
      entries.append(.init(block: index, improvement: improvement, control: control))
    }
    func figure(_ sides: [PairedSide]) -> Double? {
      median(sides.flatMap { durations[$0] ?? [] }).map { metric.figure($0, on: test) }
    }
    return PairedSeries(
      contestant: Contestant(contestants[units[unit].contestant]), test: test, metric: metric,
      entries: entries, base: figure([.base, .control]), head: figure([.head]))
  }

  private func series(
    _ metric: Metric, contestant: Int, _ blocks: [PairedBlock], value: (PairedProcess) -> Int?
  ) -> PairedSeries {
    var values: [PairedSide: [Double]] = [:]
    var entries: [PairedSeries.Entry] = []
    for (index, block) in blocks.enumerated() {
      var own: [PairedSide: [Double]] = [:]
      for process in block.processes where process.contestant == contestant {
        guard let found = value(process), found > 0 else { continue }
        values[process.side, default: []].append(Double(found))
        own[process.side] = [log(Double(found))]
      }
      guard let contrast = Self.contrasts(own).first else { continue }
      entries.append(.init(block: index, improvement: contrast.improvement, control: contrast.control))
    }
    func figure(_ sides: [PairedSide]) -> Double? {
      median(sides.flatMap { values[$0] ?? [] }).map { metric.figure($0, on: nil) }
    }
    return PairedSeries(
      contestant: Contestant(contestants[contestant]), test: nil, metric: metric, entries: entries,
      base: figure([.base, .control]), head: figure([.head]))
  }

  /// One for each pass that every side has executed.
  private static func contrasts(
    _ logarithms: [PairedSide: [Double]]
  ) -> [(improvement: Double, control: Double)] {
    guard let base = logarithms[.base], let control = logarithms[.control], let head = logarithms[.head]
    else { return [] }
    return zip(zip(base, control), head).map { (($0.0 + $0.1) / 2 - $1, $0.0 - $0.1) }
  }
}

extension Contestant {
  init(_ contestant: PairedContestant) {
    self.init(variant: contestant.variant, weights: contestant.weights, threads: contestant.threads)
  }
}
