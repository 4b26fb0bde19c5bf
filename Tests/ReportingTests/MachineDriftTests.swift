import Foundation
import TestSupport
import Testing

@testable import Record
@testable import Reporting

struct MachineDriftTests {
  /// `kv-cache` decodes with so many GB/s of memory beside each of its samples.
  private func record(memory: [Double?]) -> Record {
    var record = Fixture.small()
    let sample = record.cells[3].samples[0]
    record.cells[3].samples = memory.enumerated().map { index, rate in
      var sample = sample
      (sample.round, sample.sequence) = (index, index)
      sample.memoryGBPerSecond = rate.map { [$0, $0] }
      return sample
    }
    return record
  }

  @Test func aSteadyMachineLeavesNothingOpen() {
    let drift = MachineDrift(record(memory: [Double?](repeating: 10, count: 9)))
    expectEqual(drift.memory, 0)
    expectNil(drift.speed)
    expectEqual(drift.halfWidth(memoryShare: 1), 0)
  }

  /// Three blocks of −h, 0, +h have the deviation h, and t(0.975, 2) = 4.303.
  @Test func threeBlocksGiveStudentsPredictionOfAFourth() throws {
    let h = 0.1
    let drift = MachineDrift(
      record(memory: [10 * exp(-h), 10, 10 * exp(h)].flatMap { [$0, $0, $0] }))
    let expected = 4.303 * h * (4.0 / 3).squareRoot()
    #expect(abs(try #require(drift.memory) - expected) < 1e-12)
    #expect(abs(try #require(drift.halfWidth(memoryShare: 0.5)) - expected / 2) < 1e-12)
  }

  /// Passes over prompts in three levels, interleaved in two rows, beside a fixed loop that hardly moves: what moved more
  /// counts.
  @Test func promptsTellTheSpeedThatALoopDoesNotSee() throws {
    var record = record(memory: [Double?](repeating: 10, count: 9))
    let h = 0.1
    let rows = record.cells.indices.filter { record.cells[$0].test.primarySpan == .prefill }.prefix(2)
    for (place, (row, usual)) in zip(rows, [1e6, 5e6]).enumerated() {
      let sample = record.cells[row].samples[0]
      record.cells[row].samples = stride(from: place, to: 9, by: 2).map { index in
        var sample = sample
        (sample.round, sample.sequence) = (index, index)
        sample.prefillNanoseconds = Int(usual * exp(h * Double(index / 3 - 1)))
        return sample
      }
    }
    record.conditions?.calibration = (0..<9).map {
      .init(atSeconds: Double($0), nanoseconds: 1_000_000 + $0, frequencyMHz: nil)
    }
    let drift = MachineDrift(record)
    let expected = 4.303 * h * (4.0 / 3).squareRoot()
    expectEqual(rows.count, 2)
    #expect(abs(try #require(drift.speed) - expected) < 1e-5)
    expectEqual(drift.halfWidth(memoryShare: 0), drift.speed)
    expectEqual(drift.halfWidth(memoryShare: 1), 0)
  }

  /// Fifteen readings in five blocks: noise within a block is averaged, a level that lasts is not.
  @Test func blocksAverageNoiseAndKeepLevels() throws {
    let noise: [Double?] = (0..<15).map { [9, 10, 11][$0 % 3] }
    #expect(try #require(MachineDrift(record(memory: noise)).memory) < 1e-12)
    let levels: [Double?] = (0..<15).map { $0 < 6 ? 9 : 11 }
    #expect(try #require(MachineDrift(record(memory: levels)).memory) > 0.3)
  }

  @Test func fewerThanNineReadingsSayNothing() {
    expectNil(MachineDrift(record(memory: [Double?](repeating: 10, count: 8))).memory)
    expectNil(MachineDrift(record(memory: [nil, nil, nil, 10, 12])).memory)
    expectNil(MachineDrift(Fixture.small()).halfWidth(memoryShare: 1))
  }

  /// Rows of other threads have other rates; each counts against its own median.
  @Test func ratesAreRelativeToTheirRow() {
    var record = record(memory: [10, 11, 12])
    record.cells[1].samples = record.cells[3].samples.map { sample in
      var other = sample
      other.sequence += 10
      other.memoryGBPerSecond = sample.memoryGBPerSecond.map { $0.map { 3 * $0 } }
      return other
    }
    let expected: [Double] = [10 / 11, 1, 12 / 11]
    let found: [Double] = record.memoryRates
    expectEqual(found.count, 6)
    for (index, rate) in found.enumerated() { #expect(abs(rate - expected[index % 3]) < 1e-12) }
  }

  /// Two reads of 10 and 30 GB/s take 1/10 + 1/30 of a second for two gigabytes: 15 GB/s.
  @Test func twoReadsAreOneRateByTheirTimes() {
    var sample = Fixture.small().cells[3].samples[0]
    sample.memoryGBPerSecond = [10, 30]
    expectEqual(sample.memoryRate.map { abs($0 - 15) < 1e-12 }, true)
    sample.memoryGBPerSecond = []
    expectNil(sample.memoryRate)
    sample.memoryGBPerSecond = [0, 10]
    expectNil(sample.memoryRate)
  }

  @Test func anIntervalGrowsBySquaresOnBothSides() throws {
    let figure = Figure(value: 100, interval: .init(lower: 100 / exp(0.03), upper: 100))
    let wide = try #require(figure.widened(by: 0.04).interval)
    let ends: (lower: Double, upper: Double) = (100 / exp(0.05), 100 * exp(0.04))
    #expect(abs(wide.lower - ends.lower) < 1e-9)
    #expect(abs(wide.upper - ends.upper) < 1e-9)
    let same = try #require(figure.widened(by: 0).interval)
    let lower: Double = 100 / exp(0.03)
    #expect(abs(same.lower - lower) < 1e-9)
    expectEqual(same.upper, 100)
    expectEqual(Figure(value: 5).widened(by: 0.5), Figure(value: 5))
  }
}
