import Foundation
import Testing

@testable import Reporting

@Suite struct TimeSplitTests {
  @Test(arguments: [
    (100.0, 64.0, 10.0, 1.0), (10, 1, 100, 64), (5, 3, 5, 6), (7, 2, 7.0000001, 2), (1e9, 1e12, 1, 1),
  ])
  func bothPartsSumToTheChange(t0: Double, w0: Double, t1: Double, w1: Double) throws {
    let split = try #require(TimeSplit(from: (t0, w0), to: (t1, w1)))
    #expect(abs(split.work + split.rate - (t1 - t0)) <= 1e-12 * max(t0, t1))
  }

  @Test func theOtherWayRoundOnlyTheSignsChange() throws {
    let there = try #require(TimeSplit(from: (100, 64), to: (10, 1)))
    let back = try #require(TimeSplit(from: (10, 1), to: (100, 64)))
    #expect(abs(there.work + back.work) < 1e-12)
    #expect(abs(there.rate + back.rate) < 1e-12)
  }

  /// 90 ns less for a 64th of the work: ln 64 ÷ ln 10 of it by work, at a time per work that is 6.4 times as long.
  @Test func workedOutByHand() throws {
    let split = try #require(TimeSplit(from: (100, 64), to: (10, 1)))
    #expect(abs(split.work - -90 * log(64) / log(10)) < 1e-9)
    #expect(abs(split.rate - 90 * log(6.4) / log(10)) < 1e-9)
  }

  @Test func theSameWorkIsAllRateAndTheSameRateAllWork() throws {
    #expect(TimeSplit(from: (100, 8), to: (40, 8)).map(\.work) == 0)
    let scaled = try #require(TimeSplit(from: (100, 8), to: (50, 4)))
    #expect(abs(scaled.rate) < 1e-12)
  }

  @Test func whatOneSideDoesNotDoIsWork() {
    #expect(TimeSplit(from: (0, 0), to: (3, 8)).map { [$0.work, $0.rate] } == [3, 0])
    #expect(TimeSplit(from: (3, 8), to: (0, 0)).map { [$0.work, $0.rate] } == [-3, 0])
    #expect(TimeSplit(from: (0, 8), to: (3, 8)).map { [$0.work, $0.rate] } == [0, 3])
    #expect(TimeSplit(from: (1, 0), to: (3, 0)) == nil)
  }

  @Test(arguments: [(1.0, 1.0), (1, 1 + 1e-9), (1, 1 + 1e-7), (2, 8), (8, 2)])
  func theLogarithmicMeanLiesBetweenGeometricAndArithmetic(a: Double, b: Double) {
    let mean = TimeSplit.logarithmicMean(a, b)
    #expect(mean >= (a * b).squareRoot() * (1 - 1e-12))
    #expect(mean <= (a + b) / 2 * (1 + 1e-12))
  }
}
