import Foundation
import Statistics
import TestSupport
import Testing

// Expected values without another source: scripts/statistics_golden.py (SciPy, and every choice of signs
// enumerated where there are ties).
struct SignedRankTests {
  /// Hollander and Wolfe, section 3.1: depression factor before and after therapy; one-sided P = 0.020.
  @Test func depressionMatchesThePublishedValue() throws {
    let test = try #require(SignedRank(PublishedData.depression))
    expectEqual(test.statistic, 5)
    expectEqual(test.count, 9)
    #expect(test.isExact)
    expectEqual(test.pValue, 0.0390625)
  }

  /// Darwin's heights of crossed and self-fertilised maize, in eighths of an inch: rank sum 24 of 120.
  @Test func maizeMatchesThePublishedValue() throws {
    let test = try #require(SignedRank(PublishedData.maize))
    expectEqual(test.statistic, 96)
    expectEqual(test.pValue, 0.041259765625)
  }

  @Test(arguments: [
    Case([3], statistic: 1, p: 1),
    Case([1, -2], statistic: 1, p: 1),
    Case([1, 2, 3], statistic: 6, p: 0.25),
    Case([1, -1, 2, 2, 3, -3, 4, 5, 5, 5], statistic: 48, p: 0.0390625),
    Case([2, 2, 2, -2, 2, 2], statistic: 17.5, p: 0.21875),
    Case((1...60).map { Double($0 * 37 % 61) - 24.25 }, statistic: 1254, p: 0.011971238214373292),
  ])
  func exactMatchesSciPyAndEnumeration(_ expected: Case) throws {
    let test = try #require(SignedRank(expected.differences))
    #expect(test.isExact)
    expectEqual(test.statistic, expected.statistic)
    #expect(isClose(test.pValue, expected.pValue), "p \(test.pValue)")
  }

  @Test(arguments: [
    Case((1...200).map { Double($0 * 37 % 211) - 90.25 }, statistic: 12678, p: 0.001345953188852609),
    Case((1...200).map { Double($0 * 37 % 23) - 9 }, statistic: 12339.5, p: 6.555584178362115e-05),
  ])
  func manyDifferencesMatchSciPysNormalApproximation(_ expected: Case) throws {
    let test = try #require(SignedRank(expected.differences))
    #expect(!test.isExact)
    expectEqual(test.statistic, expected.statistic)
    #expect(isClose(test.pValue, expected.pValue), "p \(test.pValue)")
  }

  @Test func zerosAreDropped() throws {
    let test = try #require(SignedRank([0, 0, 1, -1, 2, 2, 3, 0, 4, 5, 5, -6]))
    expectEqual(test.count, 9)
    expectEqual(test.statistic, 34.5)
    #expect(isClose(test.pValue, 0.16796875))
    expectEqual(test, SignedRank([1, -1, 2, 2, 3, 4, 5, 5, -6]))
    let none = try #require(SignedRank([0, 0, -0.0]))
    expectEqual(none.count, 0)
    expectEqual(none.statistic, 0)
    expectEqual(none.pValue, 1)
  }

  @Test(arguments: [1, 2, 5, 10, 30, 60, SignedRank.exactCount])
  func oneSignGivesTheSmallestPValue(count: Int) throws {
    let test = try #require(SignedRank((1...count).map(Double.init)))
    expectEqual(test.pValue, min(1, pow(2, Double(1 - count))))
    let equal = try #require(SignedRank([Double](repeating: -0.5, count: count)))
    expectEqual(equal.pValue, test.pValue)
  }

  @Test func theOrderOfDifferencesAndTheSideDoNotMatter() throws {
    let test = try #require(SignedRank(PublishedData.maize))
    let negated = try #require(SignedRank(PublishedData.maize.map { -$0 }))
    expectEqual(negated.pValue, test.pValue)
    expectEqual(negated.statistic, 24)
    expectEqual(SignedRank(PublishedData.maize.reversed()), test)
  }

  /// At the border the exact value and the approximation differ by less than a tenth.
  @Test func theApproximationContinuesTheExactValue() throws {
    func differences(_ count: Int) -> [Double] { (1...count).map { Double($0 * 71 % 227) - 95.25 } }
    let exact = try #require(SignedRank(differences(SignedRank.exactCount)))
    let approximate = try #require(SignedRank(differences(SignedRank.exactCount) + [0.125]))
    #expect(exact.isExact && !approximate.isExact)
    #expect(abs(exact.pValue / approximate.pValue - 1) < 0.1, "\(exact.pValue) \(approximate.pValue)")
  }

  @Test func badDifferencesGiveNoTest() {
    expectNil(SignedRank([]))
    expectNil(SignedRank([1, .nan]))
    expectNil(SignedRank([1, -.infinity]))
  }

  struct Case: Sendable {
    let differences: [Double]
    let statistic: Double
    let pValue: Double

    init(_ differences: [Double], statistic: Double, p: Double) {
      (self.differences, self.statistic, pValue) = (differences, statistic, p)
    }
  }
}

// Expected values without another source: scripts/statistics_golden.py.
struct HodgesLehmannTests {
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
    expectEqual(result, expected.estimate)
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
    expectNil(HodgesLehmann.estimate([1, 2, 3, 4, 5], confidence: 0.95))
    let six = try #require(HodgesLehmann.estimate([1, 2, 3, 4, 5, 6], confidence: 0.95))
    expectEqual(six.interval, Interval(lower: 1, upper: 6))
    expectNil(HodgesLehmann.estimate([1, 2, 3, 4, 5, 6], confidence: 0.975))
    expectNil(HodgesLehmann.estimate([1], confidence: 0.5))
    let two = try #require(HodgesLehmann.estimate([1, 3], confidence: 0.5))
    expectEqual(two, Estimate(value: 2, interval: Interval(lower: 1, upper: 3)))
  }

  @Test func equalDifferencesAreAPoint() throws {
    let result = try #require(
      HodgesLehmann.estimate([Double](repeating: 0.3, count: 10), confidence: 0.99))
    expectEqual(result, Estimate(value: 0.3, interval: Interval(lower: 0.3, upper: 0.3)))
  }

  /// The approximate interval of 200 differences ends within one Walsh average's step of the exact one.
  @Test(arguments: [(0.95, 6.25, 23.75), (0.975, 4.75, 24.75), (0.99, 3.25, 26.75)])
  func manyDifferencesContinueTheExactInterval(confidence: Double, lower: Double, upper: Double) throws {
    let differences = (1...200).map { Double($0 * 37 % 211) - 90.25 }
    let result = try #require(HodgesLehmann.estimate(differences, confidence: confidence))
    expectEqual(result.value, 14.75)
    #expect(abs(result.interval.lower - lower) <= 0.5)
    #expect(abs(result.interval.upper - upper) <= 0.5)
  }

  @Test func badArgumentsGiveNoEstimate() {
    expectNil(HodgesLehmann.estimate([], confidence: 0.5))
    expectNil(HodgesLehmann.estimate([1, 2, .nan], confidence: 0.5))
    expectNil(HodgesLehmann.estimate([1, 2, 3], confidence: 0))
    expectNil(HodgesLehmann.estimate([1, 2, 3], confidence: 1))
    expectNil(HodgesLehmann.estimate([1, 2, 3], confidence: .nan))
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
