import Statistics
import TestSupport
import Testing

@testable import Measurement

struct AlternatingTurnsTests {
  @Test func everySecondTurnIsTheOtherWayRound() {
    let order = SideTurn.alternating(rounds: 3, sides: 2)
    expectEqual(order.map(\.side), [0, 1, 1, 0, 0, 1])
    expectEqual(order.map(\.round), [0, 0, 1, 1, 2, 2])
    #expect(SideTurn.alternating(rounds: 4, sides: 0).isEmpty)
  }
}

struct MirroredRoundsTests {
  private typealias Turn = SideTurn

  private func order(_ rounds: [Int], sides: Int = 3, seed: UInt64 = 1) -> [Turn] {
    var generator = SeededGenerator(seed: seed)
    return SideTurn.mirrored(rounds: rounds, sides: sides, using: &generator)
  }

  /// The turns of each round, in the order in which they come. A round's turns follow each other.
  private func rounds(_ turns: [Turn], sides: Int) -> [ArraySlice<Turn>] {
    stride(from: 0, to: turns.count, by: 2 * sides).map { turns[$0..<min($0 + 2 * sides, turns.count)] }
  }

  @Test(arguments: 1...5)
  func everySideHasTwoTurnsARoundTheSecondInReverse(_ sides: Int) {
    let found = rounds(order([4, 1, 3], sides: sides), sides: sides)
    expectEqual(found.count, 8)
    for round in found {
      expectEqual(round.count, 2 * sides)
      expectEqual(Set(round.map { [$0.unit, $0.round] }).count, 1)
      expectEqual(round.prefix(sides).map(\.side).sorted(), Array(0..<sides))
      expectEqual(round.suffix(sides).map(\.side), round.prefix(sides).map(\.side).reversed())
    }
  }

  @Test func everyUnitHasItsRoundsAndNoneIsLeftOut() {
    let turns = order([4, 1, 0, 3, -2])
    for (unit, count) in [(0, 4), (1, 1), (2, 0), (3, 3), (4, 0)] {
      let own = turns.filter { $0.unit == unit }
      expectEqual(own.count, 6 * count)
      expectEqual(Set(own.map(\.round)), Set(0..<count))
    }
    #expect(order([]).isEmpty)
    #expect(order([0, 0]).isEmpty)
  }

  /// A machine that gets slower from execution to execution.
  @Test(arguments: 2...4)
  func aLinearDriftWeighsOnAllSidesAlike(_ sides: Int) throws {
    let clock = FakeClock()
    let turns = order([5, 5], sides: sides)
    var sums: [[Int]: [Int: UInt64]] = [:]
    var firstHalves: [UInt64] = []
    for (place, turn) in turns.enumerated() {
      let time = 1_000_000 + 7 * clock.now()
      if place < sides { firstHalves.append(time) }
      sums[[turn.unit, turn.round], default: [:]][turn.side, default: 0] += time
      clock.advance(by: 100)
    }
    expectEqual(sums.count, 10)
    for sum in sums.values {
      expectEqual(sum.count, sides)
      expectEqual(Set(sum.values).count, 1)
    }
    expectEqual(Set(firstHalves).count, sides, "the drift shows where the second half is left out")
  }

  @Test func theSeedDecidesOrdersThatDifferFromRoundToRound() {
    let turns = order([60, 60])
    expectEqual(turns, order([60, 60]))
    #expect(turns != order([60, 60], seed: 2))
    let orders = rounds(turns, sides: 3).map { $0.prefix(3).map(\.side) }
    let counts = Dictionary(grouping: orders, by: { $0 }).mapValues(\.count)
    // Six orders, 20 times each on average: all of them come up, and none far more often than the others.
    expectEqual(counts.count, 6)
    #expect(counts.values.allSatisfy { (8...36).contains($0) })
    for side in 0..<3 { #expect(orders.contains { $0[0] == side }) }
  }

  @Test func roundsOfDifferentUnitsAreMixed() {
    let units = rounds(order([20, 20]), sides: 3).compactMap(\.first?.unit)
    let changes = zip(units, units.dropFirst()).count { $0 != $1 }
    expectEqual(units.count, 40)
    #expect(changes > 8)
  }

  @Test func asManyRoundsAsFitIntoTheTime() {
    func rounds(_ seconds: Double, _ execution: Double, sides: Int = 3) -> Int {
      SideTurn.mirroredRounds(within: seconds, executionSeconds: execution, sides: sides, limit: 8)
    }
    expectEqual(rounds(6, 0.25), 4)
    expectEqual(rounds(5.99, 0.25), 3)
    expectEqual(rounds(6, 0.25, sides: 2), 6)
    expectEqual(rounds(6, 0.01), 8)
    expectEqual(rounds(6, 5), 1)
    expectEqual(rounds(0, 5), 1)
    expectEqual(rounds(6, 0), 8)
    expectEqual(rounds(6, .infinity), 1)
  }
}

private let second: UInt64 = 1_000_000_000

/// Blocks on a fake clock.
private struct Scenario {
  var budgetSeconds = 10
  var limit: Int?
  /// Time between the start and the first block.
  var spentSeconds: UInt64 = 0
  /// Of each block; the last one's goes on.
  var blockSeconds: [UInt64] = [1]
  var looks: Set<Int> = []
  /// The number of blocks from which on it is clear.
  var clearFrom = Int.max
  /// Whether the run is cancelled once so many blocks have begun.
  var cancelledFrom = Int.max
  /// The block that is the last there is to measure.
  var lastBlock = Int.max

  struct Outcome {
    var ending: SequentialBlocks.Ending
    var blocks: [Int]
    /// Counts at which it was asked whether it is clear.
    var asked: [Int]
  }

  func run() -> Outcome {
    let clock = FakeClock()
    let start = clock.now()
    clock.advance(by: spentSeconds * second)
    var blocks: [Int] = []
    var asked: [Int] = []
    let sequence = SequentialBlocks(
      budget: .seconds(budgetSeconds), limit: limit, start: start, clock: clock)
    let ending = sequence.run(
      isCancelled: { blocks.count >= cancelledFrom }, isLook: looks.contains,
      isClear: {
        asked.append($0)
        return $0 >= clearFrom
      },
      perform: {
        blocks.append($0)
        clock.advance(by: blockSeconds[min($0, blockSeconds.count - 1)] * second)
        return $0 < lastBlock
      })
    return Outcome(ending: ending, blocks: blocks, asked: asked)
  }
}

struct SequentialBlocksTests {
  @Test func theBudgetCountsFromTheStart() {
    let all = Scenario(blockSeconds: [2]).run()
    expectEqual(all.blocks, [0, 1, 2, 3, 4])
    expectEqual(all.ending, .budget)
    // 4 s are gone; blocks end at 6, 8 and 10.
    expectEqual(Scenario(spentSeconds: 4, blockSeconds: [2]).run().blocks, [0, 1, 2])
    expectEqual(Scenario(spentSeconds: 5, blockSeconds: [2]).run().blocks, [0, 1])
  }

  /// Blocks end at 1, 5, 6 and 7 s; a fifth might take 4 s again.
  @Test func theLongestBlockDecidesWhetherAnotherFits() {
    let outcome = Scenario(blockSeconds: [1, 4, 1]).run()
    expectEqual(outcome.blocks, [0, 1, 2, 3])
    expectEqual(outcome.ending, .budget)
  }

  @Test func theFirstBlockIsAlwaysRun() {
    for scenario in [Scenario(spentSeconds: 60), Scenario(budgetSeconds: 0), Scenario(blockSeconds: [60])] {
      let outcome = scenario.run()
      expectEqual(outcome.blocks, [0])
      expectEqual(outcome.ending, .budget)
    }
  }

  @Test func whetherItIsClearIsAskedAtLooksAlone() {
    let outcome = Scenario(budgetSeconds: 9, looks: [2, 4, 8]).run()
    expectEqual(outcome.asked, [2, 4, 8])
    expectEqual(outcome.blocks.count, 9)
    expectEqual(outcome.ending, .budget)
  }

  @Test func whatIsClearEndsAtTheNextLook() {
    let outcome = Scenario(looks: [2, 4, 8], clearFrom: 3).run()
    expectEqual(outcome.blocks, [0, 1, 2, 3])
    expectEqual(outcome.asked, [2, 4])
    expectEqual(outcome.ending, .clear)
    expectEqual(Scenario(looks: [], clearFrom: 1).run().ending, .budget)
  }

  @Test func theLimitHoldsWhateverTimeIsLeft() {
    let outcome = Scenario(budgetSeconds: 1000, limit: 3).run()
    expectEqual(outcome.blocks, [0, 1, 2])
    expectEqual(outcome.ending, .count)
    expectEqual(Scenario(limit: 3, looks: [3], clearFrom: 3).run().ending, .clear)
  }

  @Test func aCancelledRunAsksNothingMore() {
    let before = Scenario(cancelledFrom: 0).run()
    #expect(before.blocks.isEmpty)
    expectEqual(before.ending, .cancelled)
    let during = Scenario(looks: [1, 2, 3], clearFrom: 2, cancelledFrom: 2).run()
    expectEqual(during.blocks, [0, 1])
    expectEqual(during.asked, [1])
    expectEqual(during.ending, .cancelled)
  }

  @Test func itEndsWhereNothingIsLeftToMeasure() {
    let outcome = Scenario(looks: [1, 2, 3], lastBlock: 1).run()
    expectEqual(outcome.blocks, [0, 1])
    expectEqual(outcome.asked, [1])
    expectEqual(outcome.ending, .clear)
  }

  @Test func anErrorGoesThrough() {
    struct Broken: Error {}
    let blocks = SequentialBlocks(budget: .seconds(10), start: 0, clock: FakeClock())
    #expect(throws: Broken.self) {
      try blocks.run(isLook: { _ in false }, isClear: { _ in false }, perform: { _ in throw Broken() })
    }
  }
}
