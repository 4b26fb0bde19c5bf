import TestSupport
import Testing

@testable import Record
@testable import Reporting

/// What is measured on, and what no longer.
struct PairedDemandTests {
  /// Two contestants; units 0 and 1 are the first's, 2 and 3 the second's: a prompt and decoding each.
  private let plan = PairedPlanFixture(contestants: ["kv-cache", "packed"])

  private func demand(rows: String?) throws -> PairedDemand {
    var plan = plan
    plan.rows = rows
    return try PairedDemand(ofAllRowsOf: plan.record { _ in nil })
  }

  @Test func theFilterDecidesWhatIsMeasured() throws {
    try expectEqual(demand(rows: nil), PairedDemand(units: [0, 1, 2, 3], memory: [0, 1], loads: [0, 1]))
    try expectEqual(demand(rows: "packed decode"), PairedDemand(units: [3], memory: [], loads: []))
    try expectEqual(demand(rows: "ttft"), PairedDemand(units: [0, 2], memory: [], loads: []))
    try expectEqual(demand(rows: "kv-cache memory"), PairedDemand(units: [], memory: [0], loads: []))
    try expectEqual(
      demand(rows: "packed load,kv-cache decode"), PairedDemand(units: [1], memory: [], loads: [1]))
    #expect(try demand(rows: "nothing").isEmpty)
    #expect(throws: OptionError.self) { try demand(rows: "decode,,memory") }
  }

  @Test func aFilterThatKeepsNothingIsRefused() throws {
    var plan = plan
    for rows in ["decode", "T1 PACKED", "load"] {
      plan.rows = rows
      try plan.record { _ in nil }.refuseEmptyFilter()
    }
    plan.rows = "decode simd8"
    let error = try #require(throws: OptionError.self) { try plan.record { _ in nil }.refuseEmptyFilter() }
    expectEqual(error.found, "decode simd8")
    expectContains(error.expected, "packed f32 t1 tg5 @ d64 decode")
  }

  /// All but one row are clear at the first look.
  @Test func onlyWhatIsNotClearIsMeasuredOn() throws {
    let record = plan.record { turn in
      guard turn.side == .head else { return 10 }
      if turn.contestant == 0, turn.test == Fixture.decode { return 12 }
      let isUndecided = turn.contestant == 1 && turn.test == Fixture.decode
      return isUndecided ? (turn.block.isMultiple(of: 2) ? 9 : 11) : 10
    }
    let analysis = try PairedAnalysis(record, isSearchOver: false)
    #expect(!analysis.isClear)
    expectEqual(analysis.open, PairedDemand(units: [3], memory: [], loads: []))
    expectEqual(analysis.changed, PairedDemand(units: [1], memory: [], loads: []))
    var filtered = record
    filtered.settings.rows = "kv-cache,packed prefill"
    let kept = try PairedAnalysis(filtered, isSearchOver: false)
    #expect(kept.isClear)
    #expect(kept.open.isEmpty)
  }

  /// A load needs a process and no samples.
  @Test func anUndecidedLoadNeedsItsContestant() throws {
    let record = plan.record(
      loadMilliseconds: { $0.contestant == 1 && $0.side == .head && $0.block.isMultiple(of: 2) ? 9 : 2 },
      milliseconds: { _ in 10 })
    try expectEqual(
      PairedAnalysis(record, isSearchOver: false).open, PairedDemand(units: [], memory: [], loads: [1]))
  }

  @Test func lostContestantsAreNotMeasuredOn() throws {
    let all = PairedDemand(units: [0, 1, 2, 3], memory: [0, 1], loads: [0, 1])
    let units = plan.record { _ in nil }.units
    let lost = LostContestant(contestant: 0, side: .head, reason: "it ended", failedCheck: false)
    expectEqual(all.without(lost: [], units: units), all)
    expectEqual(
      all.without(lost: [lost], units: units), PairedDemand(units: [2, 3], memory: [1], loads: [1]))
    let both = [lost, LostContestant(contestant: 1, side: .base, reason: "it ended", failedCheck: false)]
    #expect(all.without(lost: both, units: units).isEmpty)
  }
}
