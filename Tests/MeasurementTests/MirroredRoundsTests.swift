import Statistics
import Testing

@testable import Measurement

@Suite struct MirroredRoundsTests {
  private typealias Turn = MirroredRounds.Turn

  private func order(_ rounds: [Int], sides: Int = 3, seed: UInt64 = 1) -> [Turn] {
    var generator = SeededGenerator(seed: seed)
    return MirroredRounds(rounds: rounds, sides: sides).order(using: &generator)
  }

  /// The turns of each round, in the order in which they come. A round's turns follow each other.
  private func rounds(_ turns: [Turn], sides: Int) -> [ArraySlice<Turn>] {
    stride(from: 0, to: turns.count, by: 2 * sides).map { turns[$0..<min($0 + 2 * sides, turns.count)] }
  }

  @Test(arguments: 1...5)
  func everySideHasTwoTurnsARoundTheSecondInReverse(_ sides: Int) {
    let found = rounds(order([4, 1, 3], sides: sides), sides: sides)
    #expect(found.count == 8)
    for round in found {
      #expect(round.count == 2 * sides)
      #expect(Set(round.map { [$0.unit, $0.round] }).count == 1)
      #expect(round.prefix(sides).map(\.side).sorted() == Array(0..<sides))
      #expect(round.suffix(sides).map(\.side) == round.prefix(sides).map(\.side).reversed())
    }
  }

  @Test func everyUnitHasItsRoundsAndNoneIsLeftOut() {
    let turns = order([4, 1, 0, 3, -2])
    for (unit, count) in [(0, 4), (1, 1), (2, 0), (3, 3), (4, 0)] {
      let own = turns.filter { $0.unit == unit }
      #expect(own.count == 6 * count)
      #expect(Set(own.map(\.round)) == Set(0..<count))
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
    #expect(sums.count == 10)
    for sum in sums.values {
      #expect(sum.count == sides)
      #expect(Set(sum.values).count == 1)
    }
    #expect(Set(firstHalves).count == sides, "the drift shows where the second half is left out")
  }

  @Test func theSeedDecidesOrdersThatDifferFromRoundToRound() {
    let turns = order([60, 60])
    #expect(turns == order([60, 60]))
    #expect(turns != order([60, 60], seed: 2))
    let orders = rounds(turns, sides: 3).map { $0.prefix(3).map(\.side) }
    let counts = Dictionary(grouping: orders, by: { $0 }).mapValues(\.count)
    // Six orders, 20 times each on average: all of them come up, and none far more often than the others.
    #expect(counts.count == 6)
    #expect(counts.values.allSatisfy { (8...36).contains($0) })
    for side in 0..<3 { #expect(orders.contains { $0[0] == side }) }
  }

  @Test func roundsOfDifferentUnitsAreMixed() {
    let units = rounds(order([20, 20]), sides: 3).compactMap(\.first?.unit)
    let changes = zip(units, units.dropFirst()).count { $0 != $1 }
    #expect(units.count == 40)
    #expect(changes > 8)
  }

  @Test func asManyRoundsAsFitIntoTheTime() {
    func rounds(_ seconds: Double, _ execution: Double, sides: Int = 3) -> Int {
      MirroredRounds.rounds(within: seconds, executionSeconds: execution, sides: sides, limit: 8)
    }
    #expect(rounds(6, 0.25) == 4)
    #expect(rounds(5.99, 0.25) == 3)
    #expect(rounds(6, 0.25, sides: 2) == 6)
    #expect(rounds(6, 0.01) == 8)
    #expect(rounds(6, 5) == 1)
    #expect(rounds(0, 5) == 1)
    #expect(rounds(6, 0) == 8)
    #expect(rounds(6, .infinity) == 1)
  }
}
