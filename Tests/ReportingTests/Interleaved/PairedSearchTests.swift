import Foundation
import Statistics
import TestSupport
import Testing

@testable import Record
@testable import Reporting

/// When the search looks, and what it may conclude there.
struct PairedSearchTests {
  private static let decode = "kv-cache f32 t1 tg5 @ d64 decode"
  private static let prefill = "kv-cache f32 t1 pp64 prefill"

  /// A head that takes `slowdown` times as long, with a little noise: block by block another.
  private func record(
    _ plan: PairedPlanFixture, slowdown: (PairedTurn) -> Double = { _ in 1 }
  ) -> PairedRecord {
    var noise = PairedNoise(seed: 11)
    noise.execution = 0.001
    noise.process = 0.001
    return plan.record { 10 * noise.factor($0) * ($0.side == .head ? slowdown($0) : 1) }
  }

  @Test func nothingIsDecidedBetweenLooks() throws {
    let record = record(PairedPlanFixture(blocks: 14)) { _ in 1.25 }
    let before = record.search(after: 9)
    #expect(!before.isClear)
    #expect(
      before.outcomes.allSatisfy { $0.row.verdict == .inconclusive && $0.row.ratio == nil && !$0.isClear })
    let atLook = try #require(record.search(after: 10)[Self.decode])
    expectEqual(atLook.row.verdict, .regressed)
    for blocks in 11...14 {
      let later = try #require(record.search(after: blocks)[Self.decode])
      expectEqual(later.row.baseSamples, 10)
      expectEqual(later.row.ratio, atLook.row.ratio)
    }
  }

  /// Blocks that are all alike, as many as no test can decide by.
  @Test func fewBlocksAreInconclusiveAndSayHowManyItTakes() throws {
    let record = record(PairedPlanFixture(blocks: 5)) { _ in 1.25 }
    let search = record.search(after: 5, isOver: true)
    for outcome in search.outcomes where outcome.series.metric != .peakMemory {
      expectEqual(outcome.row.verdict, .inconclusive)
      expectEqual(outcome.row.reason, "n = 5 blocks, 10 needed")
      expectNil(outcome.row.ratio?.interval)
    }
    #expect(!search.isClear)
    #expect(record.search(after: 0, isOver: true).outcomes.allSatisfy { $0.row.verdict == .inconclusive })
  }

  @Test func theEndOfTheBudgetIsOneMoreLook() throws {
    // Clear only from the 11th block on.
    let record = record(PairedPlanFixture(blocks: 20)) { $0.block < 3 ? 0.99 : 1.25 }
    let at10 = try #require(record.search(after: 10)[Self.decode])
    #expect(!at10.isClear)
    expectEqual(at10.alpha, 0.025)
    let at13 = try #require(record.search(after: 13)[Self.decode])
    expectEqual(at13.row.baseSamples, 10)
    let over = try #require(record.search(after: 13, isOver: true)[Self.decode])
    expectEqual(over.row.baseSamples, 13)
    expectEqual(over.alpha, 0.0125)
    expectEqual(over.controls.count, 13)
    // At a look that is planned there is none to add.
    let at15 = try #require(record.search(after: 15)[Self.decode])
    let over15 = try #require(record.search(after: 15, isOver: true)[Self.decode])
    expectEqual(at15.alpha, 0.0125)
    expectEqual(over15.alpha, 0.0125)
    expectEqual(at15.row.pValue, over15.row.pValue)
    let at20 = try #require(record.search(after: 20)[Self.decode])
    #expect(at20.alpha == (at15.isClear ? 0.0125 : 0.00625))
  }

  @Test func aRowThatIsClearIsNotChangedByLaterBlocks() throws {
    let record = record(PairedPlanFixture(blocks: 30)) { turn in
      guard turn.test == Fixture.decode else { return 1 }
      return turn.block < 10 ? 1.25 : 0.5
    }
    for blocks in [10, 15, 20, 30] {
      let search = record.search(after: blocks, isOver: true)
      let decode = try #require(search[Self.decode])
      expectEqual(decode.row.verdict, .regressed)
      expectEqual(decode.row.baseSamples, 10)
      #expect(abs((decode.row.ratio?.value ?? 0) - 0.8) < 0.005)
      expectEqual(search[Self.prefill]?.row.verdict, .unchanged)
      #expect(search.isClear)
    }
  }

  @Test func aClearDifferenceIsNamedInItsDirection() throws {
    let slower = record(PairedPlanFixture()) { $0.test == Fixture.decode ? 1.1 : 1 }
    expectEqual(slower.search(after: 10).changed, [Self.decode])
    expectEqual(slower.search(after: 10)[Self.decode]?.row.verdict, .regressed)
    let shorter: Double = 1 / 1.1
    let faster = record(PairedPlanFixture()) { $0.test == Fixture.decode ? shorter : 1 }
    expectEqual(faster.search(after: 10)[Self.decode]?.row.verdict, .improved)
    // Ten blocks of one direction have p = 2/2¹⁰; the first look may spend half of α.
    let row = try #require(faster.search(after: 10)[Self.decode]?.row)
    let p: Double = 4.0 / 1024
    expectEqual(row.pValue, p)
    expectEqual(row.adjustedPValue, 5 * p)
  }

  /// Each of n rows has p = 4/1024 at best: Holm leaves it below 5 % with 12 rows, and not with 13.
  @Test(arguments: [(10, Verdict.regressed), (11, .inconclusive)])
  func holmCountsEveryRow(_ tests: Int, _ verdict: Verdict) throws {
    let shapes = (1...tests).map { CellTest.operation(.matmul(m: $0, k: 100, n: 200)) }
    let record = record(PairedPlanFixture(tests: shapes)) { $0.test == shapes[0] ? 1.25 : 1 }
    let search = record.search(after: 10)
    expectEqual(search.outcomes.count, tests + 2)
    let outcome = try #require(search["kv-cache f32 t1 1x100x200 gemm"])
    expectEqual(outcome.row.verdict, verdict)
    #expect(abs((outcome.row.adjustedPValue ?? 0) - Double(tests + 2) * 4 / 1024) < 1e-12)
    #expect(outcome.row.reason?.hasSuffix("after Holm") ?? false == (verdict == .inconclusive))
  }

  /// The base's own processes lie 10 % apart, this way and that; a change of 5 % says nothing there.
  @Test func aChangeBelowTheNoiseFloorIsNone() throws {
    let record = PairedPlanFixture(tests: [Fixture.decode]).record { turn in
      let swing = exp(turn.block.isMultiple(of: 2) ? 0.05 : -0.05)
      switch turn.side {
      case .base: return 10 * swing
      case .control: return 10 / swing
      case .head: return 10.5
      }
    }
    let row = try #require(record.search(after: 10)[Self.decode]?.row)
    expectEqual(row.verdict, .inconclusive)
    #expect(abs((row.noiseFloor ?? 0) - (1 - exp(-0.1))) < 1e-6)
    expectEqual(row.reason, "the change is below the noise floor of 9.5 %")
    expectEqual(row.pValue, 4.0 / 1024)
    let quiet = self.record(PairedPlanFixture(tests: [Fixture.decode])) { _ in 1.05 }
    expectEqual(quiet.search(after: 10)[Self.decode]?.row.verdict, .regressed)
  }

  @Test func everyMetricHasItsThreshold() throws {
    let record = PairedPlanFixture().record(
      loadMilliseconds: { $0.side == .head ? 2.3 : 2 }, memoryMiB: { $0.side == .head ? 52 : 50 },
      milliseconds: { _ in 10 })
    let search = record.search(after: 10)
    expectEqual(search["kv-cache f32 t1 load"]?.row.verdict, .unchanged)
    expectEqual(search["kv-cache f32 t1 memory"]?.row.verdict, .regressed)
    expectEqual(record.search(after: 10, threshold: 0.1)["kv-cache f32 t1 memory"]?.row.verdict, .unchanged)
  }

  @Test func aSlowdownJustBelowTheDefaultThresholdIsNotCalledTheSame() throws {
    let record = record(PairedPlanFixture(tests: [Fixture.decode])) { _ in 1.015 }
    let row = try #require(record.search(after: 10, thresholds: .interleaved)[Self.decode]?.row)
    expectEqual(row.verdict, .inconclusive)
    expectEqual(row.reason, "a change beyond 1.0 %, below the threshold of 2.0 %")
    let own = try #require(
      record.search(after: 10, thresholds: try Thresholds(parsing: "3%"))[Self.decode]?.row)
    expectEqual(own.verdict, .unchanged)
  }
}

/// How often the search errs, and how often it finds what is there, on times drawn with a fixed seed.
struct PairedSimulationTests {
  private static let decode = "kv-cache f32 t1 tg5 @ d64 decode"

  private func record(_ seed: UInt64, _ plan: PairedPlanFixture, slowdown: Double = 1) -> PairedRecord {
    var noise = PairedNoise(seed: seed)
    return plan.record(
      loadMilliseconds: { _ in 2 * noise.factor(deviation: 0.05) },
      memoryMiB: { _ in 50 * noise.factor(deviation: 0.002) },
      milliseconds: { turn in
        let isSlow = turn.side == .head && turn.contestant == 0 && turn.test == Fixture.decode
        return 10 * noise.factor(turn) * (isSlow ? slowdown : 1)
      })
  }

  /// A build against itself: five rows, looks after 10, 15 and 20 blocks. A threshold of 0 leaves the statistics to
  /// themselves.
  @Test(arguments: [0, 0.02])
  func aBuildAgainstItselfHasFewFalseVerdicts(_ threshold: Double) throws {
    let runs = 200
    var seeming = 0
    var confirmed = 0
    for seed in 0..<runs {
      let plan = PairedPlanFixture(
        blocks: 20, confirmationBlocks: 10, maxRegression: "\(threshold),memory=\(threshold),load=20%")
      let record = record(UInt64(seed), plan)
      let search = record.search(after: 20, isOver: true, threshold: threshold)
      guard !search.changed.isEmpty else { continue }
      seeming += 1
      let comparison = try Comparison(record)
      expectEqual(Set(comparison.rows.filter { $0.isConfirmed != nil }.map(\.label)), Set(search.changed))
      if comparison.exitCode == 3 || comparison.rows.contains(where: { $0.verdict == .improved }) {
        confirmed += 1
      }
    }
    #expect(seeming <= runs / 20, "\(seeming) of \(runs) had a false verdict")
    #expect(confirmed <= 1, "\(confirmed) of \(runs) were confirmed")
  }

  @Test func aSlowdownOf5PercentIsFoundInItsRowAndOnlyThere() {
    let runs = 60
    var found = 0
    var elsewhere = 0
    for seed in 0..<runs {
      let plan = PairedPlanFixture(contestants: ["kv-cache", "packed"], blocks: 20, rounds: 2)
      let search = record(1000 + UInt64(seed), plan, slowdown: 1 / 0.95).search(after: 20, isOver: true)
      if search[Self.decode]?.row.verdict == .regressed { found += 1 }
      if search.changed.contains(where: { $0 != Self.decode }) { elsewhere += 1 }
    }
    #expect(found * 100 >= runs * 95, "found in \(found) of \(runs)")
    #expect(elsewhere <= 1, "another row seemed changed in \(elsewhere) of \(runs)")
  }

  /// As large as the threshold itself: there is no telling on which side it lies.
  @Test func aSlowdownAtTheThresholdIsNeitherImprovedNorUnchanged() {
    let runs = 100
    var verdicts: [Verdict: Int] = [:]
    for seed in 0..<runs {
      let plan = PairedPlanFixture(tests: [Fixture.decode], blocks: 20, rounds: 2)
      let search = record(2000 + UInt64(seed), plan, slowdown: 1 / 0.98).search(after: 20, isOver: true)
      if let verdict = search[Self.decode]?.row.verdict { verdicts[verdict, default: 0] += 1 }
    }
    expectEqual(verdicts.values.reduce(0, +), runs)
    expectNil(verdicts[.improved])
    #expect(verdicts[.unchanged, default: 0] <= runs / 20, "unchanged in \(verdicts[.unchanged, default: 0])")
  }
}
