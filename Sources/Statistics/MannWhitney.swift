/// The rank-sum test of two independent samples (Wilcoxon 1945; Mann and Whitney, "On a Test of Whether one
/// of Two Random Variables is Stochastically Larger than the Other", 1947), two-sided: does one side tend to
/// larger values?
///
/// Exact where that is cheap (all up to 55 a side without ties, 45 with, and more where one side is small):
/// with ties too: every choice of the values that make up one side is as likely as the others, and the
/// p-value is twice the smaller tail. Otherwise the normal approximation with tie and continuity correction,
/// as in SciPy's `mannwhitneyu(method: "asymptotic")`.
public struct MannWhitney: Sendable, Equatable {
  /// Pairs (a value of the first sample, a value of the second) in which the first is larger; equal ones
  /// count ½.
  public let u: Double
  public let pValue: Double
  public let isExact: Bool

  /// Nil where a side is empty or a value is not finite.
  public init?(_ a: [Double], _ b: [Double]) {
    guard !a.isEmpty, !b.isEmpty, (a + b).allSatisfy(\.isFinite) else { return nil }
    let ranks = Ranks(a + b)
    let doubledSum = ranks.doubled.prefix(a.count).reduce(0, +)
    u = Double(doubledSum - a.count * (a.count + 1)) / 2
    // The tails of one side's sum are those of the other's; the smaller side costs less.
    let smaller = a.count <= b.count ? doubledSum : ranks.doubled.reduce(0, +) - doubledSum
    if let distribution = RankSumDistribution(ranks: ranks, chosen: min(a.count, b.count)) {
      pValue = distribution.pValue(of: smaller)
      isExact = true
    } else {
      pValue = Self.asymptoticPValue(u: u, counts: (Double(a.count), Double(b.count)), ties: ranks.tieTerm)
      isExact = false
    }
  }

  private static func asymptoticPValue(u: Double, counts: (Double, Double), ties: Double) -> Double {
    let total = counts.0 + counts.1
    let pairs = counts.0 * counts.1
    let variance = pairs / 12 * (total + 1 - ties / (total * (total - 1)))
    guard variance > 0 else { return 1 }
    let z = (abs(u - pairs / 2) - 0.5) / variance.squareRoot()
    return min(1, 2 * normalUpperTail(z))
  }
}
