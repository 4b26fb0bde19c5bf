/// The shift of paired differences that goes with Wilcoxon's signed-rank test (Hodges and Lehmann, "Estimates
/// of Location Based on Rank Tests", 1963): the median of the n(n + 1)/2 Walsh averages (xᵢ + xⱼ)/2, i ≤ j,
/// and the interval of those shifts that the test does not reject (Tukey; Hollander, Wolfe and Chicken,
/// "Nonparametric Statistical Methods", 2014, section 3.3).
///
/// For independent differences that are symmetric about the shift the interval covers it at least as often as
/// asked, whatever their distribution. Both sides of a comparison drawn from one family of times, however
/// skewed, give log-ratios that are symmetric. Differences that are skewed themselves it covers less often
/// than asked, and what it estimates then is the median of the mean of two of them.
///
/// Time and memory grow with n².
public enum HodgesLehmann {
  /// The median of the Walsh averages and its interval. Nil where so few differences cannot attain the
  /// confidence (2^(1 − n) > 1 − confidence: fewer than 6 at 95 %), where one is not finite, or where the
  /// confidence is not between 0 and 1.
  public static func estimate(_ differences: [Double], confidence: Double) -> Estimate? {
    guard confidence > 0, confidence < 1, let averages = walshAverages(differences),
      let outside = criticalSum(count: differences.count, tail: (1 - confidence) / 2)
    else { return nil }
    return Estimate(
      value: quantile(sorted: averages, 0.5),
      interval: Interval(lower: averages[outside], upper: averages[averages.count - 1 - outside]))
  }

  /// The median of the Walsh averages; nil for no values or one that is not finite.
  static func pseudomedian(_ values: [Double]) -> Double? {
    walshAverages(values).map { quantile(sorted: $0, 0.5) }
  }

  /// The largest sum c with P(W ≤ c) ≤ `tail`: how many Walsh averages lie outside the interval on each side.
  private static func criticalSum(count: Int, tail: Double) -> Int? {
    let middle = count * (count + 1) / 4
    guard count > SignedRank.exactCount else {
      return SignedRankDistribution(count: count, upTo: middle).largestSum(within: tail)
    }
    let n = Double(count)
    let deviation = (n * (n + 1) * (2 * n + 1) / 24).squareRoot()
    func lowerTail(_ sum: Int) -> Double {
      normalUpperTail((n * (n + 1) / 4 - Double(sum) - 0.5) / deviation)
    }
    guard lowerTail(0) <= tail else { return nil }
    var inside = 0
    var outside = middle + 1
    while outside - inside > 1 {
      let sum = (inside + outside) / 2
      if lowerTail(sum) <= tail { inside = sum } else { outside = sum }
    }
    return inside
  }

  /// Sorted.
  private static func walshAverages(_ values: [Double]) -> [Double]? {
    guard !values.isEmpty, values.allSatisfy(\.isFinite) else { return nil }
    var averages: [Double] = []
    averages.reserveCapacity(values.count * (values.count + 1) / 2)
    for (index, value) in values.enumerated() {
      // Halved before they are added, so that no sum of finite values overflows.
      for other in values[index...] { averages.append(0.5 * value + 0.5 * other) }
    }
    averages.sort()
    return averages
  }
}
