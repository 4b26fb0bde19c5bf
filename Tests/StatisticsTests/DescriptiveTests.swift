import Statistics
import TestSupport
import Testing

// Expected values: NumPy 2 and SciPy 1 on the same ten numbers.
private let values = [12.5, 3.25, 7.75, 9.0, 1.5, 22.0, 4.125, 15.875, 6.0, 8.5]

private func isClose(_ value: Double?, _ expected: Double, _ relative: Double = 1e-14) -> Bool {
  guard let value else { return false }
  return abs(value - expected) <= relative * abs(expected)
}

struct DescriptiveTests {
  @Test func momentsMatchNumPy() {
    #expect(isClose(mean(values), 9.05))
    #expect(isClose(standardDeviation(values), 6.257273545420739))
    #expect(isClose(geometricMean(values), 7.0705946268674325))
  }

  @Test(arguments: [
    (0, 1.5), (0.01, 1.6575), (0.1, 3.075), (0.25, 4.59375), (0.5, 8.125), (0.75, 11.625),
    (0.9, 16.4875), (0.99, 21.44875), (1, 22.0),
  ])
  func quantilesMatchNumPy(probability: Double, expected: Double) {
    #expect(isClose(quantile(values, probability), expected))
  }

  @Test func medianOfOddAndEvenCounts() {
    expectEqual(median([3, 1, 2]), 2)
    expectEqual(median([4, 1, 3, 2]), 2.5)
    expectEqual(median([7]), 7)
  }

  @Test func deviationKeepsItsDigitsFarFromZero() {
    #expect(isClose(standardDeviation([1e9 + 4, 1e9 + 7, 1e9 + 13, 1e9 + 16]), 5.477225575051661))
  }

  @Test func tooFewValuesGiveNoFigure() {
    expectNil(mean([]))
    expectNil(median([]))
    expectNil(standardDeviation([1]))
    expectNil(geometricMean([]))
  }

  @Test(arguments: [Double.nan, .infinity, -.infinity])
  func aValueThatIsNotFiniteGivesNoFigure(bad: Double) {
    expectNil(mean([1, bad, 3]))
    expectNil(median([1, bad, 3]))
    expectNil(standardDeviation([1, bad, 3]))
    expectNil(geometricMean([1, bad, 3]))
  }

  @Test func undefinedArgumentsGiveNoFigure() {
    expectNil(quantile([1, 2], -0.1))
    expectNil(quantile([1, 2], 1.1))
    expectNil(quantile([1, 2], .nan))
    expectNil(geometricMean([1, 0]))
    expectNil(geometricMean([1, -2]))
    expectNil(mean([.greatestFiniteMagnitude, .greatestFiniteMagnitude]))
  }
}

struct TrendTests {
  /// scripts/statistics_golden.py: SciPy's theilslopes, and the variance of the score over every order.
  @Test(arguments: [
    ([1.0, 1.2, 1.1, 1.5, 1.4, 1.9, 2.0], 0.16666666666666666, 0.016260936780450295),
    ([3, 1, 2, 2, 3, 4, 4, 4], 0.5, 0.03832583001344678),
    ([5, 4, 3], -1, 0.2962698714842864),
    ([2, 2, 2, 2], 0, 1),
    ([0.3, -1.2, 2.2, 0.7, -0.4, 1.1, 0.2, -0.9], -0.16666666666666666, 0.7105230229164895),
  ])
  func matchesSciPyAndEveryOrderEnumerated(series: [Double], slope: Double, pValue: Double) throws {
    let trend = try #require(Trend(series))
    #expect(isClose(trend.slope, slope), "slope \(trend.slope)")
    #expect(isClose(trend.pValue, pValue), "p \(trend.pValue)")
  }

  @Test func seesADriftAndNoOtherThing() throws {
    var generator = SeededGenerator(seed: 5)
    let still = (0..<60).map { _ in Noise.skewed.value(&generator) }
    #expect(try #require(Trend(still)).pValue > 0.05)
    let drifting = try #require(Trend(still.enumerated().map { $1 + 0.002 * Double($0) }))
    #expect(drifting.pValue < 0.001)
    #expect(abs(drifting.slope - 0.002) < 0.0005)
  }

  @Test func badSeriesHaveNoTrend() {
    expectNil(Trend([]))
    expectNil(Trend([1, 2]))
    expectNil(Trend([1, .nan, 2]))
  }
}
