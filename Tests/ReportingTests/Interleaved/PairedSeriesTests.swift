import Foundation
import TestSupport
import Testing

@testable import Record
@testable import Reporting

struct PairedSeriesTests {
  private func near(_ a: Double?, _ b: Double, _ tolerance: Double = 1e-6) -> Bool {
    a.map { abs($0 - b) < tolerance } ?? false
  }

  /// Two rounds of two passes; the head takes 8, 9, 10 and 40 ms where the base takes 10.
  @Test func aBlockIsTheMedianOverThePassesOfAllItsRounds() throws {
    let record = PairedPlanFixture(tests: [Fixture.prefill], blocks: 1, rounds: 2).record { turn in
      turn.side == .head ? [8, 9, 10, 40][2 * turn.round + turn.pass] : 10
    }
    let series = try #require(record.series("kv-cache f32 t1 pp64 prefill"))
    expectEqual(series.contrasts.count, 1)
    #expect(near(series.contrasts[0].improvement, log(10.0 / 9) / 2))
    expectEqual(series.contrasts[0].control, 0)
    // 64 tokens in 10 ms, and in 9.5.
    #expect(near(series.base, 6400))
    #expect(near(series.head, 64 / 0.0095))
    let first = try #require(record.series("kv-cache f32 t1 pp64 ttft"))
    #expect(near(first.contrasts[0].improvement, log(10.0 / 9) / 2))
    #expect(near(first.base, 11))
  }

  /// L = ln t: (L_base + L_control) / 2 − L_head, and L_base − L_control.
  @Test func theHeadIsHeldAgainstBothProcessesOfTheBase() throws {
    let record = PairedPlanFixture(tests: [Fixture.decode], blocks: 2).record { turn in
      let times: [PairedSide: Double] = [.base: 4, .control: 9, .head: turn.block == 0 ? 3 : 12]
      return times[turn.side]
    }
    let series = try #require(record.series("kv-cache f32 t1 tg5 @ d64 decode"))
    expectEqual(series.contrasts.map(\.block), [0, 1])
    #expect(near(series.contrasts[0].improvement, log(2.0)))
    #expect(near(series.contrasts[1].improvement, -log(2.0)))
    #expect(series.contrasts.allSatisfy { near($0.control, log(4.0 / 9)) })
    // Medians of the times, as tokens per second: 6.5 ms of the base, 7.5 of the head.
    #expect(near(series.base, 1000 / 6.5))
    #expect(near(series.head, 1000 / 7.5))
  }

  /// What drifts linearly while a round lasts shows in its passes, and not in their median.
  @Test func aDriftWithinARoundCancels() throws {
    let places: [PairedSide: [Double]] = [.base: [0, 5], .control: [1, 4], .head: [2, 3]]
    let record = PairedPlanFixture(tests: [Fixture.decode], blocks: 1).record { turn in
      exp(0.01 * (places[turn.side]?[turn.pass] ?? 0)) * 10
    }
    let series = try #require(record.series("kv-cache f32 t1 tg5 @ d64 decode"))
    #expect(near(series.contrasts[0].improvement, 0))
    #expect(near(series.contrasts[0].control, 0))
  }

  @Test func aRoundOrBlockThatLacksASideDoesNotCount() throws {
    let record = PairedPlanFixture(tests: [Fixture.decode], blocks: 4, rounds: 2).record { turn in
      if turn.block == 1, turn.side == .head { return nil }
      if turn.block == 2, turn.side == .control { return nil }
      // Only the first round of block 3 is whole; the head is half as fast there.
      if turn.block == 3, turn.round == 1, turn.side == .base { return nil }
      return turn.block == 3 && turn.side == .head ? 20 : 10
    }
    let series = try #require(record.series("kv-cache f32 t1 tg5 @ d64 decode"))
    expectEqual(series.contrasts.map(\.block), [0, 3])
    #expect(near(series.contrasts[1].improvement, -log(2.0)))
    expectEqual(series.contrasts(within: 3).map(\.block), [0])
    expectEqual(series.contrasts(within: 4).count, 2)
    #expect(series.contrasts(within: 0).isEmpty)
  }

  @Test func loadAndMemoryHaveOneValueABlock() throws {
    let loads: [PairedSide: Double] = [.base: 2, .control: 8, .head: 2]
    let record = PairedPlanFixture(blocks: 3, rounds: 4).record(
      loadMilliseconds: { $0.block == 2 && $0.side == .control ? nil : loads[$0.side] },
      memoryMiB: { $0.side == .head ? 25 : 50 }, milliseconds: { _ in 10 })
    let load = try #require(record.series("kv-cache f32 t1 load"))
    expectEqual(load.contrasts.map(\.block), [0, 1])
    #expect(load.contrasts.allSatisfy { near($0.improvement, log(2.0)) && near($0.control, -log(4.0)) })
    #expect(near(load.base, 2))
    let memory = try #require(record.series("kv-cache f32 t1 memory"))
    expectEqual(memory.contrasts.count, 3)
    #expect(memory.contrasts.allSatisfy { near($0.improvement, log(2.0)) && $0.control == 0 })
    expectEqual(memory.base, 50)
    expectEqual(memory.head, 25)
  }

  @Test func contestantsTestsAndStagesAreKeptApart() throws {
    let plan = PairedPlanFixture(contestants: ["kv-cache", "packed"], blocks: 2, confirmationBlocks: 3)
    let record = plan.record { turn in
      turn.contestant == 1 && turn.test == Fixture.decode && turn.side == .head
        ? (turn.stage == .search ? 20 : 5) : 10
    }
    expectEqual(
      record.series(.search).map(\.label),
      [
        "kv-cache f32 t1 pp64 prefill", "kv-cache f32 t1 pp64 ttft", "kv-cache f32 t1 tg5 @ d64 decode",
        "packed f32 t1 pp64 prefill", "packed f32 t1 pp64 ttft", "packed f32 t1 tg5 @ d64 decode",
        "kv-cache f32 t1 memory", "kv-cache f32 t1 load", "packed f32 t1 memory", "packed f32 t1 load",
      ])
    for series in record.series(.search) {
      let expected = series.label == "packed f32 t1 tg5 @ d64 decode" ? -log(2.0) : 0
      expectEqual(series.contrasts.map(\.block), [0, 1])
      #expect(series.contrasts.allSatisfy { near($0.improvement, expected) }, "\(series.label)")
    }
    let again = try #require(record.series("packed f32 t1 tg5 @ d64 decode", .confirmation))
    expectEqual(again.contrasts.map(\.block), [0, 1, 2])
    #expect(again.contrasts.allSatisfy { near($0.improvement, log(2.0)) })
  }

  @Test func aTestThatWasNotMeasuredHasNoFigure() throws {
    let record = PairedPlanFixture(blocks: 0).record { _ in nil }
    expectEqual(record.series(.search).count, 5)
    for series in record.series(.search) {
      #expect(series.contrasts.isEmpty)
      expectNil(series.base)
      expectNil(series.head)
    }
  }
}
