import Statistics
import Testing

@Suite struct TrendTests {
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
    #expect(Trend([]) == nil)
    #expect(Trend([1, 2]) == nil)
    #expect(Trend([1, .nan, 2]) == nil)
  }
}
