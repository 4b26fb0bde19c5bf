import Testing

@testable import Measurement

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

@Suite struct SequentialBlocksTests {
  @Test func theBudgetCountsFromTheStart() {
    let all = Scenario(blockSeconds: [2]).run()
    #expect(all.blocks == [0, 1, 2, 3, 4])
    #expect(all.ending == .budget)
    // 4 s are gone; blocks end at 6, 8 and 10.
    #expect(Scenario(spentSeconds: 4, blockSeconds: [2]).run().blocks == [0, 1, 2])
    #expect(Scenario(spentSeconds: 5, blockSeconds: [2]).run().blocks == [0, 1])
  }

  /// Blocks end at 1, 5, 6 and 7 s; a fifth might take 4 s again.
  @Test func theLongestBlockDecidesWhetherAnotherFits() {
    let outcome = Scenario(blockSeconds: [1, 4, 1]).run()
    #expect(outcome.blocks == [0, 1, 2, 3])
    #expect(outcome.ending == .budget)
  }

  @Test func theFirstBlockIsAlwaysRun() {
    for scenario in [Scenario(spentSeconds: 60), Scenario(budgetSeconds: 0), Scenario(blockSeconds: [60])] {
      let outcome = scenario.run()
      #expect(outcome.blocks == [0])
      #expect(outcome.ending == .budget)
    }
  }

  @Test func whetherItIsClearIsAskedAtLooksAlone() {
    let outcome = Scenario(budgetSeconds: 9, looks: [2, 4, 8]).run()
    #expect(outcome.asked == [2, 4, 8])
    #expect(outcome.blocks.count == 9)
    #expect(outcome.ending == .budget)
  }

  @Test func whatIsClearEndsAtTheNextLook() {
    let outcome = Scenario(looks: [2, 4, 8], clearFrom: 3).run()
    #expect(outcome.blocks == [0, 1, 2, 3])
    #expect(outcome.asked == [2, 4])
    #expect(outcome.ending == .clear)
    #expect(Scenario(looks: [], clearFrom: 1).run().ending == .budget)
  }

  @Test func theLimitHoldsWhateverTimeIsLeft() {
    let outcome = Scenario(budgetSeconds: 1000, limit: 3).run()
    #expect(outcome.blocks == [0, 1, 2])
    #expect(outcome.ending == .count)
    #expect(Scenario(limit: 3, looks: [3], clearFrom: 3).run().ending == .clear)
  }

  @Test func aCancelledRunAsksNothingMore() {
    let before = Scenario(cancelledFrom: 0).run()
    #expect(before.blocks.isEmpty)
    #expect(before.ending == .cancelled)
    let during = Scenario(looks: [1, 2, 3], clearFrom: 2, cancelledFrom: 2).run()
    #expect(during.blocks == [0, 1])
    #expect(during.asked == [1])
    #expect(during.ending == .cancelled)
  }

  @Test func itEndsWhereNothingIsLeftToMeasure() {
    let outcome = Scenario(looks: [1, 2, 3], lastBlock: 1).run()
    #expect(outcome.blocks == [0, 1])
    #expect(outcome.asked == [1])
    #expect(outcome.ending == .clear)
  }

  @Test func anErrorGoesThrough() {
    struct Broken: Error {}
    let blocks = SequentialBlocks(budget: .seconds(10), start: 0, clock: FakeClock())
    #expect(throws: Broken.self) {
      try blocks.run(isLook: { _ in false }, isClear: { _ in false }, perform: { _ in throw Broken() })
    }
  }
}
