import Foundation
import Statistics
import Testing

/// False alarms and finds of whole sequential comparisons on simulated log-ratios.
@Suite struct SequentialErrorTests {
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
