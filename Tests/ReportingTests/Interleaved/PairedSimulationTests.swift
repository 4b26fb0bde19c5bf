import Statistics
import Testing

@testable import Record
@testable import Reporting

/// How often the search errs, and how often it finds what is there, on times drawn with a fixed seed.
@Suite struct PairedSimulationTests {
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
      #expect(Set(comparison.rows.filter { $0.isConfirmed != nil }.map(\.label)) == Set(search.changed))
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
    #expect(verdicts.values.reduce(0, +) == runs)
    #expect(verdicts[.improved] == nil)
    #expect(verdicts[.unchanged, default: 0] <= runs / 20, "unchanged in \(verdicts[.unchanged, default: 0])")
  }
}
