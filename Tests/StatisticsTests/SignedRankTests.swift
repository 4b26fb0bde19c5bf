import Foundation
import Statistics
import Testing

// Expected values without another source: scripts/statistics_golden.py (SciPy, and every choice of signs
// enumerated where there are ties).
@Suite struct SignedRankTests {
  /// Hollander and Wolfe, section 3.1: depression factor before and after therapy; one-sided P = 0.020.
  @Test func depressionMatchesThePublishedValue() throws {
    let test = try #require(SignedRank(PublishedData.depression))
    #expect(test.statistic == 5)
    #expect(test.count == 9)
    #expect(test.isExact)
    #expect(test.pValue == 0.0390625)
  }

  /// Darwin's heights of crossed and self-fertilised maize, in eighths of an inch: rank sum 24 of 120.
  @Test func maizeMatchesThePublishedValue() throws {
    let test = try #require(SignedRank(PublishedData.maize))
    #expect(test.statistic == 96)
    #expect(test.pValue == 0.041259765625)
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
    #expect(test.statistic == expected.statistic)
    #expect(isClose(test.pValue, expected.pValue), "p \(test.pValue)")
  }

  @Test(arguments: [
    Case((1...200).map { Double($0 * 37 % 211) - 90.25 }, statistic: 12678, p: 0.001345953188852609),
    Case((1...200).map { Double($0 * 37 % 23) - 9 }, statistic: 12339.5, p: 6.555584178362115e-05),
  ])
  func manyDifferencesMatchSciPysNormalApproximation(_ expected: Case) throws {
    let test = try #require(SignedRank(expected.differences))
    #expect(!test.isExact)
    #expect(test.statistic == expected.statistic)
    #expect(isClose(test.pValue, expected.pValue), "p \(test.pValue)")
  }

  @Test func zerosAreDropped() throws {
    let test = try #require(SignedRank([0, 0, 1, -1, 2, 2, 3, 0, 4, 5, 5, -6]))
    #expect(test.count == 9)
    #expect(test.statistic == 34.5)
    #expect(isClose(test.pValue, 0.16796875))
    #expect(test == SignedRank([1, -1, 2, 2, 3, 4, 5, 5, -6]))
    let none = try #require(SignedRank([0, 0, -0.0]))
    #expect(none.count == 0)
    #expect(none.statistic == 0)
    #expect(none.pValue == 1)
  }

  @Test(arguments: [1, 2, 5, 10, 30, 60, SignedRank.exactCount])
  func oneSignGivesTheSmallestPValue(count: Int) throws {
    let test = try #require(SignedRank((1...count).map(Double.init)))
    #expect(test.pValue == min(1, pow(2, Double(1 - count))))
    let equal = try #require(SignedRank([Double](repeating: -0.5, count: count)))
    #expect(equal.pValue == test.pValue)
  }

  @Test func theOrderOfDifferencesAndTheSideDoNotMatter() throws {
    let test = try #require(SignedRank(PublishedData.maize))
    let negated = try #require(SignedRank(PublishedData.maize.map { -$0 }))
    #expect(negated.pValue == test.pValue)
    #expect(negated.statistic == 24)
    #expect(SignedRank(PublishedData.maize.reversed()) == test)
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
    #expect(SignedRank([]) == nil)
    #expect(SignedRank([1, .nan]) == nil)
    #expect(SignedRank([1, -.infinity]) == nil)
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
