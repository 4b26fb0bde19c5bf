import Foundation
import TestSupport
import Testing

@testable import Record
@testable import Reporting

/// What a whole paired record comes to.
struct InterleavedComparisonTests {
  private static let decode = "kv-cache f32 t1 tg5 @ d64 decode"

  /// Of two contestants; the head's decoding of the first takes `slowdown` times as long.
  private func record(
    confirmationBlocks: Int = 0, slowdown: (PairedBlock.Stage) -> Double = { _ in 1 }
  ) -> PairedRecord {
    var noise = PairedNoise(seed: 5)
    noise.execution = 0.002
    noise.process = 0.001
    let plan = PairedPlanFixture(
      contestants: ["kv-cache", "packed"], confirmationBlocks: confirmationBlocks)
    return plan.record { turn in
      let isSlow = turn.side == .head && turn.contestant == 0 && turn.test == Fixture.decode
      return 10 * noise.factor(turn) * (isSlow ? slowdown(turn.stage) : 1)
    }
  }

  private func lost(
    _ contestant: Int, _ side: PairedSide, failedCheck: Bool = false
  ) -> LostContestant {
    LostContestant(contestant: contestant, side: side, reason: "it\nended", failedCheck: failedCheck)
  }

  @Test func aBuildAgainstItselfIsUnchanged() throws {
    let comparison = try Comparison(record())
    expectEqual(comparison.rows.count, 10)
    #expect(comparison.rows.allSatisfy { $0.verdict == .unchanged && $0.isConfirmed == nil })
    expectEqual(comparison.exitCode, 0)
    #expect(comparison.unmatched.isEmpty && comparison.failures.isEmpty && comparison.warnings.isEmpty)
  }

  @Test func aChangeThatIsMeasuredAgainIsConfirmed() throws {
    let slower = try Comparison(record(confirmationBlocks: 10) { _ in 1.1 })
    let row = try #require(slower[Self.decode])
    expectEqual(row.verdict, .regressed)
    expectEqual(row.isConfirmed, true)
    expectEqual(row.reason?.hasPrefix("confirmed by 10 fresh blocks: ratio 0.9"), true)
    expectEqual(slower.exitCode, 3)
    expectEqual(slower.rows.count { $0.isConfirmed != nil }, 1)
    let faster = try Comparison(record(confirmationBlocks: 10) { _ in 0.9 })
    expectEqual(faster[Self.decode]?.verdict, .improved)
    expectEqual(faster[Self.decode]?.isConfirmed, true)
    expectEqual(faster.exitCode, 0)
  }

  @Test func aChangeThatIsNotSeenAgainIsInconclusive() throws {
    let gone = try Comparison(record(confirmationBlocks: 10) { $0 == .search ? 1.1 : 1 })
    let row = try #require(gone[Self.decode])
    expectEqual(row.verdict, .inconclusive)
    expectEqual(row.isConfirmed, false)
    expectEqual(row.reason?.hasPrefix("regressed at first, not confirmed: ratio 1.00"), true)
    expectEqual(row.reason?.hasSuffix("unchanged"), true)
    expectEqual(gone.exitCode, 5)
    let reversed = try Comparison(record(confirmationBlocks: 10) { $0 == .search ? 0.9 : 1.1 })
    expectEqual(reversed[Self.decode]?.verdict, .inconclusive)
    expectEqual(reversed[Self.decode]?.reason?.hasPrefix("improved at first, not confirmed: ratio 0.9"), true)
    expectEqual(reversed.exitCode, 5)
  }

  @Test func withoutItsConfirmationAChangeIsInconclusive() throws {
    let none = try Comparison(record { _ in 1.1 })
    expectEqual(none[Self.decode]?.verdict, .inconclusive)
    expectEqual(none[Self.decode]?.reason, "regressed at first; there was no confirmation")
    expectEqual(none.exitCode, 5)
    let short = try Comparison(record(confirmationBlocks: 4) { _ in 1.1 })
    expectEqual(short[Self.decode]?.verdict, .inconclusive)
    expectEqual(short[Self.decode]?.reason?.contains("n = 4 blocks, 10 needed"), true)
  }

  /// Ten blocks are enough for a clear change, and thirty the most for any.
  @Test func aConfirmationGoesOnWhereTenBlocksLeaveItOpen() throws {
    func analysis(_ blocks: Int) throws -> PairedAnalysis {
      try PairedAnalysis(record(confirmationBlocks: blocks) { _ in 1.1 }, isSearchOver: true)
    }
    #expect(try !analysis(9).isConfirmationClear)
    #expect(try analysis(10).isConfirmationClear)
    let settings = record(confirmationBlocks: 10).settings
    expectEqual(settings.mostConfirmationBlocks, 30)
    #expect((1...30).filter { settings.confirmationPlan.look(at: $0) != nil } == [10, 15, 20, 30])
  }

  /// A change of what the search found unchanged is no finding, however clear.
  @Test func theConfirmationLooksAtItsCandidatesAlone() throws {
    let comparison = try Comparison(record(confirmationBlocks: 10) { $0 == .search ? 1 : 1.5 })
    expectEqual(comparison[Self.decode]?.verdict, .unchanged)
    expectEqual(comparison.exitCode, 0)
  }

  @Test func aContestantThatTheBaseLostHasNoRows() throws {
    var record = record()
    record.lost = [lost(1, .base)]
    try expectEqual(Comparison(record).exitCode, 5, "it was measured before: rows are gone")
    for block in record.blocks.indices {
      record.blocks[block].samples.removeAll { record.units[$0.unit].contestant == 1 }
    }
    let comparison = try Comparison(record)
    expectEqual(comparison.rows.count, 5)
    #expect(comparison.rows.allSatisfy { $0.contestant.variant == "kv-cache" })
    expectEqual(comparison.unmatched.map(\.markdown), ["`packed` (1 thread) in base: it ended"])
    #expect(comparison.failures.isEmpty)
    expectEqual(comparison.exitCode, 0)
    record.lost = [lost(0, .base), lost(1, .base, failedCheck: true)]
    let none = try Comparison(record)
    #expect(none.rows.isEmpty)
    expectEqual(none.unmatched.count, 2)
    expectEqual(none.exitCode, 5)
  }

  /// What still runs in the base and no longer in the head must not pass for unchanged.
  @Test func aContestantThatTheHeadLostIsAnError() throws {
    var record = record()
    record.lost = [lost(1, .head)]
    let comparison = try Comparison(record)
    #expect(comparison.rows.allSatisfy { $0.verdict == .unchanged })
    expectEqual(comparison.unmatched.map(\.markdown), ["`packed` (1 thread) in head: it ended"])
    #expect(comparison.failures.isEmpty)
    expectEqual(comparison.exitCode, 1)
    record.lost.append(lost(0, .head, failedCheck: true))
    try expectEqual(Comparison(record).exitCode, 4)
  }

  @Test func aHeadThatComputesSomethingElseFails() throws {
    var record = record()
    record.lost = [lost(1, .head, failedCheck: true)]
    let comparison = try Comparison(record)
    expectEqual(comparison.failures.map(\.markdown), ["`packed` (1 thread) in head: it ended"])
    #expect(comparison.unmatched.isEmpty)
    expectEqual(comparison.exitCode, 4)
    // A regression in another row is said first.
    var slower = self.record(confirmationBlocks: 10) { _ in 1.1 }
    slower.lost = [lost(1, .head, failedCheck: true)]
    try expectEqual(Comparison(slower).exitCode, 3)
  }

  @Test func anInterruptedComparisonSaysSo() throws {
    var record = record()
    record.isComplete = false
    record.finished = nil
    try expectEqual(Comparison(record).warnings, ["The comparison is incomplete: it was interrupted."])
  }

  @Test func settingsThatAreNoneAreRefused() {
    var record = record()
    record.settings.maxRegression = "much"
    #expect(throws: OptionError.self) { try Comparison(record) }
    record.settings.maxRegression = "2%"
    record.settings.rows = ","
    #expect(throws: OptionError.self) { try Comparison(record) }
  }

  @Test func theNoiseFloorAndTheSmallestDetectableChangeAreShown() throws {
    var noise = PairedNoise(seed: 9)
    let record = PairedPlanFixture(tests: [Fixture.decode], blocks: 20, confirmationBlocks: 0).record {
      10 * noise.factor($0)
    }
    let comparison = try Comparison(record)
    let row = try #require(comparison[Self.decode])
    let floor = try #require(row.noiseFloor)
    let smallest = try #require(row.smallestDetectable)
    #expect(floor > 0.002 && floor < 0.06)
    // Whatever is detected has to exceed both.
    #expect(smallest > max(floor, row.threshold))
    #expect(smallest < 0.15)
    let lines = comparison.markdown.split(separator: "\n")
    expectEqual(lines[0], "# Comparison of two builds")
    let heading = try #require(lines.first { $0.hasPrefix("| verdict") })
    for column in ["noise floor", "smallest detectable", "n", "ratio, > 1 is better"] {
      expectContains(heading, " \(column) ")
    }
    #expect(!heading.contains("confirmed"))
  }

  @Test func theReportSaysHowItWasMade() throws {
    let text = try Comparison(record(confirmationBlocks: 10) { _ in 1.1 }).markdown
    for note in ["Blocks", "Ratio", "CI", "Noise floor", "Stopping", "Confirmation"] {
      expectContains(text, "**\(note)", comment: "\(note)")
    }
    expectContains(
      text, "10 of the search, 10 of the confirmation", "looks at its results after 10, 15, 20, 30 … blocks",
      "kv-cache tg5 @ d64: 1", "| **regressed** | `kv-cache` ")
    #expect(text.contains("base/gpt2-bench") && text.contains("head/gpt2-bench"))
    expectContains(text, " confirmed ")
  }

  @Test func theRecordIsWrittenAndReadAsItIs() throws {
    var record = record(confirmationBlocks: 2)
    record.warnings = ["something"]
    record.lost = [lost(1, .head, failedCheck: true)]
    record.correctness = [PairedCheck(side: .base, outcome: Fixture.passedCheck("kv-cache"))]
    let again = try JSONDecoder().decode(PairedRecord.self, from: record.encode())
    expectEqual(again, record)
    expectEqual(again.kind, "builds")
    try expectEqual(Comparison(again).json, Comparison(record).json)
  }

  @Test func theHeadsRunHoldsTheHeadsSamplesOfTheSearch() throws {
    var record = record(confirmationBlocks: 3) { _ in 1.1 }
    record.correctness = [PairedSide.base, .head].map {
      PairedCheck(side: $0, outcome: Fixture.passedCheck("kv-cache", reference: $0.rawValue))
    }
    let head = Record(headOf: record)
    expectEqual(head.kind, .endToEnd)
    expectEqual(head.build, Fixture.record().build)
    expectEqual(head.correctness.map(\.reference), ["head"])
    expectEqual(head.settings.repetitions, 10)
    expectEqual(head.cells.map(\.variant), ["kv-cache", "kv-cache", "packed", "packed"])
    for (unit, cell) in head.cells.enumerated() {
      let samples = record.blocks.prefix(10).flatMap(\.samples)
        .filter { $0.unit == unit && $0.side == .head }.map(\.sample)
      expectEqual(samples.count, 20)
      expectEqual(cell.samples, samples)
      expectEqual(cell.test, record.units[unit].test)
      expectEqual(cell.peakMemoryBytes, 52_428_800)
      expectEqual(cell.load?.warmNanoseconds, 2_000_000)
      expectEqual(cell.status, .measured)
    }
    record.lost = [lost(0, .head, failedCheck: true), lost(1, .base)]
    let troubled = Record(headOf: record)
    expectEqual(troubled.cells.map(\.status), [.failedCheck, .failedCheck, .measured, .measured])
    #expect(troubled.cells[0].samples.isEmpty)
    expectEqual(troubled.cells[2].samples.count, 20)
  }
}
