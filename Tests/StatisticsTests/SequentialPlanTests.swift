import Foundation
import Statistics
import TestSupport
import Testing

struct SequentialPlanTests {
  @Test func looksGrowByHalvesAndThirds() {
    let plan = SequentialPlan()
    #expect((0..<10).map { plan.count(look: $0) } == [10, 15, 20, 30, 40, 60, 80, 120, 160, 240])
    let odd = SequentialPlan(firstLook: 5)
    #expect((0..<6).map { odd.count(look: $0) } == [5, 8, 10, 15, 20, 30])
    let smallest = SequentialPlan(firstLook: 2)
    #expect((0..<6).map { smallest.count(look: $0) } == [2, 3, 4, 6, 8, 12])
  }

  @Test func looksAreFoundByTheirCount() {
    let plan = SequentialPlan()
    expectEqual(plan.look(at: 10), 0)
    expectEqual(plan.look(at: 20), 2)
    expectEqual(plan.look(at: 240), 9)
    for count in [-1, 0, 9, 11, 14, 16, 29, 239] { expectNil(plan.look(at: count)) }
  }

  @Test(arguments: [2, 3, 7, 10])
  func everyCountLiesBetweenTwoLooks(firstLook: Int) {
    let plan = SequentialPlan(firstLook: firstLook)
    expectNil(plan.lookReached(by: firstLook - 1))
    for count in firstLook...500 {
      guard let look = plan.lookReached(by: count) else {
        Issue.record("no look reached by \(count)")
        return
      }
      #expect(plan.count(look: look) <= count && count < plan.count(look: look + 1))
    }
  }

  @Test func theLooksSpendAlphaAndNoMore() {
    let plan = SequentialPlan(alpha: 0.05)
    expectEqual(plan.alpha(look: 0), 0.025)
    expectEqual(plan.alpha(look: 1), 0.0125)
    var spent = 0.0
    for look in 0..<40 {
      spent += plan.alpha(look: look)
      #expect(spent < 0.05)
    }
    #expect(isClose(spent, 0.05))
  }
}

/// False alarms and finds of whole sequential comparisons on simulated log-ratios.
struct SequentialErrorTests {
  private static let trials = 2000
  private static let most = 30
  private let plan = SequentialPlan(alpha: 0.05, firstLook: 10)

  /// Whether the plan stops with a rejection in any of the rows, Holm-adjusted at every look.
  private func rejects(_ rows: [[Double]]) throws -> Bool {
    var look = 0
    while plan.count(look: look) <= Self.most {
      let count = plan.count(look: look)
      let pValues = try rows.map { try #require(SignedRank(Array($0.prefix(count)))).pValue }
      if holm(pValues).contains(where: { $0 <= plan.alpha(look: look) }) { return true }
      look += 1
    }
    return false
  }

  private func rate(_ trial: () throws -> Bool) rethrows -> Double {
    var alarms = 0
    for _ in 0..<Self.trials where try trial() { alarms += 1 }
    return Double(alarms) / Double(Self.trials)
  }

  @Test(arguments: Noise.allCases)
  func falseAlarmsOfOneRowStayWithinAlpha(_ noise: Noise) throws {
    var generator = SeededGenerator(seed: 41)
    let share = try rate { try rejects([series(noise, &generator)]) }
    #expect(share <= 0.05, "false alarms \(share)")
    // Looks that spend nothing would pass the bound as well.
    #expect(share > 0.015, "false alarms \(share)")
  }

  @Test(arguments: Noise.allCases)
  func falseAlarmsOfEightRowsStayWithinAlpha(_ noise: Noise) throws {
    var generator = SeededGenerator(seed: 43)
    let share = try rate { try rejects((0..<8).map { _ in series(noise, &generator) }) }
    #expect(share <= 0.05, "false alarms \(share)")
  }

  /// Rows of one run share its disturbances; Holm needs no independence.
  @Test func falseAlarmsOfRowsThatShareTheirNoiseStayWithinAlpha() throws {
    var generator = SeededGenerator(seed: 47)
    let share = try rate {
      let shared = series(.skewed, &generator)
      return try rejects(
        (0..<8).map { _ in zip(shared, series(.normal, &generator)).map { $0 + 0.5 * $1 } })
    }
    #expect(share <= 0.05, "false alarms \(share)")
  }

  /// The procedures that these tests must be able to tell from the plan.
  @Test func lookingAfterEveryPairRaisesFalseAlarms() throws {
    var generator = SeededGenerator(seed: 53)
    let share = try rate {
      let logRatios = series(.normal, &generator)
      return try (6...Self.most).contains {
        try #require(SignedRank(Array(logRatios.prefix($0)))).pValue <= 0.05
      }
    }
    #expect(share > 0.15, "false alarms \(share)")
  }

  @Test func eightRowsWithoutHolmRaiseFalseAlarms() throws {
    var generator = SeededGenerator(seed: 59)
    let share = try rate {
      try (0..<8).contains { _ in try rejects([series(.normal, &generator)]) }
    }
    #expect(share > 0.15, "false alarms \(share)")
  }

  /// Thirty pairs from three processes a side are three, not thirty.
  @Test func pairsThatShareTheirProcessesRaiseFalseAlarms() throws {
    var generator = SeededGenerator(seed: 67)
    let share = try rate {
      let logRatios = (0..<3).flatMap { _ in
        let processes = Noise.twoLevels.pair(&generator)
        return (0..<Self.most / 3).map { _ in processes + 0.005 * Noise.gaussian(&generator) }
      }
      return try rejects([logRatios])
    }
    #expect(share > 0.3, "false alarms \(share)")
  }

  /// A shift of two standard deviations of the log-ratio in one row of eight.
  @Test func aClearChangeIsFound() throws {
    var generator = SeededGenerator(seed: 61)
    let share = try rate {
      var rows = (0..<8).map { _ in series(.normal, &generator) }
      rows[3] = rows[3].map { $0 + 0.056 }
      return try rejects(rows)
    }
    #expect(share > 0.99, "found \(share)")
  }

  private func series(_ noise: Noise, _ generator: inout SeededGenerator) -> [Double] {
    (0..<Self.most).map { _ in noise.pair(&generator) }
  }
}

struct HolmTests {
  /// scripts/statistics_golden.py: every p-value against every subset of tests that contains it.
  @Test func matchesClosedTesting() {
    let adjusted = holm([0.012, 0.4, 0.001, 0.012, 0.03, 0.9, 0.2, 0.006])
    let expected = [0.072, 0.8, 0.008, 0.072, 0.12, 0.9, 0.6, 0.042]
    #expect(zip(adjusted, expected).allSatisfy { isClose($0, $1) }, "\(adjusted)")
  }

  /// R's p.adjust(1:5/100, "holm").
  @Test func isMonotone() {
    let adjusted = holm([0.01, 0.02, 0.03, 0.04, 0.05])
    #expect(zip(adjusted, [0.05, 0.08, 0.09, 0.09, 0.09]).allSatisfy { isClose($0, $1) }, "\(adjusted)")
  }

  @Test func isCappedAndKeepsTheOrder() {
    expectEqual(holm([0.9, 0.6, 0.5]), [1, 1, 1])
    expectEqual(holm([1, 0]), [1, 0])
    expectEqual(holm([0.3]), [0.3])
    expectEqual(holm([]), [])
  }

  @Test func whatIsNotANumberCountsAsOne() {
    expectEqual(holm([.nan, 0.01]), [1, 0.02])
  }
}
