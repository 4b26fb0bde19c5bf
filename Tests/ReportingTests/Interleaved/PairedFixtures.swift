import Foundation
import Statistics
import TestSupport

@testable import Record
@testable import Reporting

/// One execution of an interleaved comparison.
struct PairedTurn {
  var stage: PairedBlock.Stage
  var contestant: Int
  var test: CellTest
  var side: PairedSide
  /// Of its stage.
  var block: Int
  var round: Int
  /// Within the round: 0, and 1 in the reverse order.
  var pass: Int
}

/// One process of an interleaved comparison.
struct PairedWorker {
  var stage: PairedBlock.Stage
  var contestant: Int
  var side: PairedSide
  var block: Int
}

/// What an interleaved comparison measures; times are those that its metric is made of.
struct PairedPlanFixture {
  var contestants = ["kv-cache"]
  var tests = [Fixture.prefill, Fixture.decode]
  var blocks = 10
  var confirmationBlocks = 0
  var rounds = 1
  /// `--max-regression`, over shares of 2 % and of 20 % for loads.
  var maxRegression = "2%"
  var rows: String?

  /// - Parameters:
  ///   - milliseconds: of an execution's forward pass, decode step or matrix product; nil where there is no sample.
  ///   - loadMilliseconds: of a process; nil where it gave none.
  ///   - memoryMiB: the peak of a process; nil where it gave none.
  func record(
    loadMilliseconds: (PairedWorker) -> Double? = { _ in 2 },
    memoryMiB: (PairedWorker) -> Double? = { _ in 50 }, milliseconds: (PairedTurn) -> Double?
  ) -> PairedRecord {
    var record = PairedRecord(
      command: ["gpt2-bench", "compare", "--against", "base/gpt2-bench"], started: "2026-01-02T03:04:05Z",
      model: Fixture.record().model, machine: Fixture.record().machine,
      base: PairedBuild(path: "base/gpt2-bench", version: "0.0.9"),
      head: PairedBuild(path: "head/gpt2-bench", build: Fixture.record().build),
      settings: PairedSettings(
        suite: "compare", budgetSeconds: 120, seed: 42, maxRegression: maxRegression, rows: rows, alpha: 0.05,
        firstLook: 10, confirmationBlocks: 10, warmup: "the test itself, once"),
      contestants: contestants.map { MeasuredVariant(variant: $0, weights: "f32", threads: 1) },
      units: contestants.indices.flatMap { contestant in
        tests.map { PairedUnit(contestant: contestant, test: $0, rounds: rounds) }
      })
    record.isComplete = true
    record.finished = "2026-01-02T03:06:05Z"
    record.conditions = Fixture.quietConditions()
    for (stage, count) in [(PairedBlock.Stage.search, blocks), (.confirmation, confirmationBlocks)] {
      for index in 0..<count {
        var block = PairedBlock(stage: stage)
        block.samples = samples(record.units, stage, index, milliseconds)
        block.processes = contestants.indices.flatMap { contestant in
          PairedSide.allCases.map { side in
            let worker = PairedWorker(stage: stage, contestant: contestant, side: side, block: index)
            return PairedProcess(
              contestant: contestant, side: side,
              loadNanoseconds: loadMilliseconds(worker).map { Int(($0 * 1e6).rounded()) },
              peakMemoryBytes: memoryMiB(worker).map { Int(($0 * 1_048_576).rounded()) })
          }
        }
        record.blocks.append(block)
      }
    }
    return record
  }

  private func samples(
    _ units: [PairedUnit], _ stage: PairedBlock.Stage, _ block: Int, _ milliseconds: (PairedTurn) -> Double?
  ) -> [PairedSample] {
    var samples: [PairedSample] = []
    for (unit, place) in units.enumerated() {
      for round in 0..<rounds {
        let sides = PairedSide.allCases
        for (turn, side) in (sides + sides.reversed()).enumerated() {
          let time = milliseconds(
            PairedTurn(
              stage: stage, contestant: place.contestant, test: place.test, side: side, block: block,
              round: round, pass: turn / sides.count))
          guard let time else { continue }
          samples.append(
            PairedSample(
              unit: unit, side: side, sample: Sample(place.test, time, round: round, sequence: samples.count))
          )
        }
      }
    }
    return samples
  }
}

extension Sample {
  /// A prompt's first token takes a tenth more than the forward pass; a decoded one's 12 ms, whatever its steps do.
  fileprivate init(_ test: CellTest, _ milliseconds: Double, round: Int, sequence: Int) {
    func nanoseconds(_ milliseconds: Double) -> Int { Int((milliseconds * 1e6).rounded()) }
    let prefill: Int?
    let tokens: [Int]
    switch test.stage {
    case .prefill: (prefill, tokens) = (nanoseconds(milliseconds), [nanoseconds(1.1 * milliseconds)])
    case .decode:
      prefill = 11_000_000
      tokens = (0..<(test.generation?.tokens ?? 0)).map { 12_000_000 + $0 * nanoseconds(milliseconds) }
    case .training, nil: (prefill, tokens) = (nil, [])
    }
    self.init(
      round: round, sequence: sequence,
      elapsedNanoseconds: tokens.last.map(Double.init) ?? milliseconds * 1e6,
      iterations: 1, prefillNanoseconds: prefill, tokenNanoseconds: tokens)
  }
}

extension PairedRecord {
  func series(_ label: String, _ stage: PairedBlock.Stage = .search) -> PairedSeries? {
    series(stage).first { $0.label == label }
  }

  /// As it was after its first `blocks` blocks.
  func search(after blocks: Int, isOver: Bool = false, threshold: Double = 0.02) -> PairedSearch {
    search(
      after: blocks, isOver: isOver, thresholds: Thresholds(speeds: threshold, memory: threshold, load: 0.2))
  }

  func search(after blocks: Int, isOver: Bool = false, thresholds: Thresholds) -> PairedSearch {
    PairedSearch(
      series(.search), thresholds: thresholds, plan: settings.plan, blocks: blocks, isOver: isOver)
  }
}

extension PairedSearch {
  subscript(_ label: String) -> Outcome? { outcomes.first { $0.series.label == label } }

  /// Labels of the rows that seem to have changed.
  var changed: [String] {
    outcomes.filter { $0.row.verdict == .regressed || $0.row.verdict == .improved }.map(\.series.label)
  }
}

extension Comparison {
  subscript(_ label: String) -> ComparisonRow? { rows.first { $0.label == label } }
}

/// Times that differ from execution to execution and from process to process, as a quiet machine's do.
struct PairedNoise {
  var generator: SeededGenerator
  /// Deviation of the logarithm, of each execution.
  var execution = 0.02
  /// Of each process, which all its executions share.
  var process = 0.005
  private var processes: [String: Double] = [:]

  init(seed: UInt64) { generator = SeededGenerator(seed: seed) }

  /// A factor around 1.
  mutating func factor(_ turn: PairedTurn) -> Double {
    let key = "\(turn.stage) \(turn.contestant) \(turn.side) \(turn.block)"
    let shared = processes[key] ?? process * gaussian()
    processes[key] = shared
    return exp(shared + execution * gaussian())
  }

  /// Of a load or a size, by its own deviation.
  mutating func factor(deviation: Double) -> Double { exp(deviation * gaussian()) }

  /// Box and Muller.
  private mutating func gaussian() -> Double {
    (-2 * log(1 - generator.unit())).squareRoot() * cos(2 * .pi * generator.unit())
  }
}
