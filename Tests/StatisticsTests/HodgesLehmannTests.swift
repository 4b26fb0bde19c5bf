import Foundation
import Statistics
import Testing

// Expected values without another source: scripts/statistics_golden.py.
@Suite struct HodgesLehmannTests {
  /// Hollander and Wolfe, sections 3.2 and 3.3: estimate −0.46, interval (−0.786, −0.010) at 96.1 %.
  @Test func depressionMatchesThePublishedValues() throws {
    let result = try #require(HodgesLehmann.estimate(PublishedData.depression, confidence: 0.95))
    #expect(isClose(result.value, -0.46))
    #expect(isClose(result.interval.lower, -0.786))
    #expect(isClose(result.interval.upper, -0.010))
  }

  private static let tied: [Double] = [1, -1, 2, 2, 3, -3, 4, 5, 5, 5]
  private static let sixty = (1...60).map { Double($0 * 37 % 61) - 24.25 }

  @Test(arguments: [
    Case(PublishedData.maize, 0.95, 25, 4, 41.5),
    Case(PublishedData.maize, 0.975, 25, -9, 44.5),
    Case(PublishedData.maize, 0.99, 25, -13, 49),
    Case(tied, 0.95, 2.5, 0.5, 4.5),
    Case(tied, 0.975, 2.5, -0.5, 5),
    Case(tied, 0.99, 2.5, -1, 5),
    Case(sixty, 0.95, 6.25, 1.25, 11.25),
    Case(sixty, 0.99, 6.25, -0.25, 12.75),
  ])
  func intervalsMatchCountedOrderStatistics(_ expected: Case) throws {
    let result = try #require(
      HodgesLehmann.estimate(expected.differences, confidence: expected.confidence))
    #expect(result == expected.estimate)
  }

  /// The interval holds exactly the shifts that the test does not reject.
  @Test(arguments: [8, 13, 20, 31])
  func intervalAndTestAgree(count: Int) throws {
    var generator = SeededGenerator(seed: UInt64(count))
    for _ in 0..<50 {
      let differences = (0..<count).map { _ in Noise.normal.value(&generator) }
      for alpha in [0.05, 0.025, 0.01] {
        let interval = try #require(
          HodgesLehmann.estimate(differences, confidence: 1 - alpha)
        ).interval
        for shift in [interval.lower, interval.upper] {
          let inside = shift == interval.lower ? 1e-9 : -1e-9
          let kept = try #require(SignedRank(differences.map { $0 - shift - inside }))
          let rejected = try #require(SignedRank(differences.map { $0 - shift + inside }))
          #expect(kept.pValue > alpha && rejected.pValue <= alpha)
        }
      }
    }
  }

  @Test func fewDifferencesCannotAttainTheConfidence() throws {
    #expect(HodgesLehmann.estimate([1, 2, 3, 4, 5], confidence: 0.95) == nil)
    let six = try #require(HodgesLehmann.estimate([1, 2, 3, 4, 5, 6], confidence: 0.95))
    #expect(six.interval == Interval(lower: 1, upper: 6))
    #expect(HodgesLehmann.estimate([1, 2, 3, 4, 5, 6], confidence: 0.975) == nil)
    #expect(HodgesLehmann.estimate([1], confidence: 0.5) == nil)
    let two = try #require(HodgesLehmann.estimate([1, 3], confidence: 0.5))
    #expect(two == Estimate(value: 2, interval: Interval(lower: 1, upper: 3)))
  }

  @Test func equalDifferencesAreAPoint() throws {
    let result = try #require(
      HodgesLehmann.estimate([Double](repeating: 0.3, count: 10), confidence: 0.99))
    #expect(result == Estimate(value: 0.3, interval: Interval(lower: 0.3, upper: 0.3)))
  }

  /// The approximate interval of 200 differences ends within one Walsh average's step of the exact one.
  @Test(arguments: [(0.95, 6.25, 23.75), (0.975, 4.75, 24.75), (0.99, 3.25, 26.75)])
  func manyDifferencesContinueTheExactInterval(confidence: Double, lower: Double, upper: Double) throws {
    let differences = (1...200).map { Double($0 * 37 % 211) - 90.25 }
    let result = try #require(HodgesLehmann.estimate(differences, confidence: confidence))
    #expect(result.value == 14.75)
    #expect(abs(result.interval.lower - lower) <= 0.5)
    #expect(abs(result.interval.upper - upper) <= 0.5)
  }

  @Test func badArgumentsGiveNoEstimate() {
    #expect(HodgesLehmann.estimate([], confidence: 0.5) == nil)
    #expect(HodgesLehmann.estimate([1, 2, .nan], confidence: 0.5) == nil)
    #expect(HodgesLehmann.estimate([1, 2, 3], confidence: 0) == nil)
    #expect(HodgesLehmann.estimate([1, 2, 3], confidence: 1) == nil)
    #expect(HodgesLehmann.estimate([1, 2, 3], confidence: .nan) == nil)
  }

  struct Case: Sendable {
    let differences: [Double]
    let confidence: Double
    let estimate: Estimate

    init(_ differences: [Double], _ confidence: Double, _ value: Double, _ lower: Double, _ upper: Double) {
      self.differences = differences
      self.confidence = confidence
      estimate = Estimate(value: value, interval: Interval(lower: lower, upper: upper))
    }
  }
}
