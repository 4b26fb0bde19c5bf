import Foundation
import Statistics
import TestSupport
import Testing

// Expected values without another source: scripts/statistics_golden.py (SciPy, and every choice of a side
// enumerated where there are ties).
struct MannWhitneyTests {
  /// Hollander and Wolfe, "Nonparametric Statistical Methods", section 4.1: permeability constants of the
  /// human chorioamnion at term and at 12 to 26 weeks; one-sided P = 0.127.
  @Test func permeabilityMatchesThePublishedValue() throws {
    let atTerm = [0.80, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46]
    let earlier = [1.15, 0.88, 0.90, 0.74, 1.21]
    let test = try #require(MannWhitney(atTerm, earlier))
    #expect(test.isExact)
    expectEqual(test.u, 35)
    #expect(isClose(test.pValue, 0.2544122544122544))
    let swapped = try #require(MannWhitney(earlier, atTerm))
    expectEqual(swapped.u, 15)
    #expect(isClose(swapped.pValue, test.pValue))
  }

  @Test(arguments: [
    Case([1, 2, 3], [4, 5, 6, 7], u: 0, p: 0.05714285714285714),
    Case([2], [1, 3], u: 1, p: 1),
    Case([1], [2], u: 0, p: 1),
    Case([200.5, 3.5, 180.5], (1...200).map(Double.init), u: 383, p: 0.4327739442571563),
    Case(
      (1...50).map { Double($0 * 37 % 101) }, (51...100).map { Double($0 * 37 % 101) + 7.5 },
      u: 1085, p: 0.2580209279654661),
  ])
  func exactMatchesSciPy(_ expected: Case) throws { try expected.check(exact: true) }

  @Test(arguments: [
    Case([1, 2, 2, 3, 5, 5, 8], [2, 4, 5, 6, 8, 9], u: 11.5, p: 0.20512820512820512),
    Case([1, 1, 1], [2, 2, 2], u: 0, p: 0.1),
    Case([1, 1, 1, 1, 2], [1, 1, 3, 4], u: 6, p: 0.3333333333333333),
    Case([7, 7, 7], [7, 7], u: 3, p: 1),
  ])
  func exactWithTiesMatchesEveryChoiceEnumerated(_ expected: Case) throws {
    try expected.check(exact: true)
  }

  @Test(arguments: [
    Case(
      (1...60).map { Double($0 * 53 % 127) }, (61...120).map { Double($0 * 53 % 127) + 9.5 },
      u: 1381, p: 0.028052218586901826),
    Case(
      (1...60).map { Double($0 * 53 % 31) }, (61...120).map { Double($0 * 53 % 31) + 4 },
      u: 1430, p: 0.05234790648103194),
  ])
  func manyValuesMatchSciPysNormalApproximation(_ expected: Case) throws {
    try expected.check(exact: false)
  }

  @Test func manyEqualValuesProveNothing() throws {
    let same = [Double](repeating: 3, count: 200)
    let test = try #require(MannWhitney(same, same))
    expectEqual(test.pValue, 1)
    expectEqual(test.u, 20_000)
  }

  @Test func badSamplesGiveNoTest() {
    expectNil(MannWhitney([], [1, 2]))
    expectNil(MannWhitney([1], []))
    expectNil(MannWhitney([1, .nan], [1, 2]))
    expectNil(MannWhitney([1, 2], [.infinity]))
  }

  struct Case: Sendable {
    let a: [Double]
    let b: [Double]
    let u: Double
    let pValue: Double

    init(_ a: [Double], _ b: [Double], u: Double, p: Double) {
      (self.a, self.b, self.u, pValue) = (a, b, u, p)
    }

    func check(exact: Bool) throws {
      let test = try #require(MannWhitney(a, b))
      expectEqual(test.isExact, exact)
      expectEqual(test.u, u)
      #expect(isClose(test.pValue, pValue), "p \(test.pValue), expected \(pValue)")
    }
  }
}
