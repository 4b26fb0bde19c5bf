/// Whether a series in time order drifts: the Mann-Kendall test (Mann, "Nonparametric Tests Against Trend", 1945;
/// Kendall, "Rank Correlation Methods", 1975), two-sided, by the normal approximation with tie and continuity
/// correction, and the slope of Theil and Sen (Sen, "Estimates of the Regression Coefficient Based on Kendall's Tau",
/// 1968). It takes the values as independent: neighbours that are alike (a process on a slow page layout, a burst of
/// load) make it see trends too often. Time and memory grow with n².
public struct Trend: Sendable, Equatable {
  /// The median of (xⱼ − xᵢ)/(j − i) over all i < j: the change per step, in the unit of the values.
  public let slope: Double
  /// 1 where all values are equal.
  public let pValue: Double

  /// Nil for fewer than three values or one that is not finite.
  public init?(_ series: [Double]) {
    guard series.count > 2, series.allSatisfy(\.isFinite) else { return nil }
    var slopes: [Double] = []
    slopes.reserveCapacity(series.count * (series.count - 1) / 2)
    var score = 0
    for later in series.indices {
      for earlier in 0..<later {
        let change = series[later] - series[earlier]
        score += change > 0 ? 1 : change < 0 ? -1 : 0
        slopes.append(change / Double(later - earlier))
      }
    }
    guard let slope = median(slopes) else { return nil }
    self.slope = slope
    let n = Double(series.count)
    let tied = Self.varianceOfTies(series)
    let variance = (n * (n - 1) * (2 * n + 5) - tied) / 18
    pValue = variance > 0 ? min(1, 2 * normalUpperTail((abs(Double(score)) - 1) / variance.squareRoot())) : 1
  }

  /// Σ t(t − 1)(2t + 5) over the groups of t equal values.
  private static func varianceOfTies(_ series: [Double]) -> Double {
    Dictionary(grouping: series) { $0 }.values.reduce(0) {
      let size = Double($1.count)
      return $0 + size * (size - 1) * (2 * size + 5)
    }
  }
}
