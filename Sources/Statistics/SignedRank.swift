import Foundation

/// Wilcoxon's signed-rank test of paired differences (Wilcoxon, "Individual Comparisons by Ranking Methods",
/// 1945), two-sided: could differences that are symmetric about zero look like these?
///
/// The differences must be independent of each other. Pairs measured in one pair of processes share what each
/// process landed on (page layout, core), and count as one: of 30 pairs from 3 processes a side, of which 3 in 10
/// are slow by ten times the noise, a sequential plan at 5 % raises false alarms in 64 of 100 simulated runs.
///
/// Differences of zero are dropped, as Wilcoxon did; equal magnitudes share their midrank. Up to
/// `exactCount` differences the p-value is exact, with ties too: every choice of signs is as likely as the
/// others, given the magnitudes. Above, it is the normal approximation with tie and continuity correction,
/// as in SciPy's `wilcoxon(method: "asymptotic", correction: true)`.
public struct SignedRank: Sendable, Equatable {
  /// Most differences that the p-value is exact for.
  public static let exactCount = 120

  /// W+: the sum of the midranks of the positive differences.
  public let statistic: Double
  /// Two-sided; 1 where no difference is left.
  public let pValue: Double
  /// Differences other than zero.
  public let count: Int
  public let isExact: Bool

  /// Nil for no differences, or where one is not finite.
  public init?(_ differences: [Double]) {
    guard !differences.isEmpty, differences.allSatisfy(\.isFinite) else { return nil }
    let kept = differences.filter { $0 != 0 }
    let ranks = Ranks(kept.map { abs($0) })
    var positive = 0
    for (difference, rank) in zip(kept, ranks.doubled) where difference > 0 { positive += rank }
    let smaller = min(positive, kept.count * (kept.count + 1) - positive)
    statistic = Double(positive) / 2
    count = kept.count
    isExact = kept.count <= Self.exactCount
    pValue =
      isExact
      ? Self.exactPValue(ranks: ranks, doubledSum: smaller)
      : Self.asymptoticPValue(ranks: ranks, doubledSum: smaller)
  }

  /// 2·P(W ≤ `doubledSum` ÷ 2); the distribution is symmetric, so this is both tails.
  private static func exactPValue(ranks: Ranks, doubledSum: Int) -> Double {
    let distribution =
      ranks.hasTies
      ? SignedRankDistribution(ranks: ranks.doubled, upTo: doubledSum)
      : SignedRankDistribution(count: ranks.doubled.count, upTo: doubledSum / 2)
    return min(1, 2 * distribution.total)
  }

  private static func asymptoticPValue(ranks: Ranks, doubledSum: Int) -> Double {
    let n = Double(ranks.doubled.count)
    let mean = n * (n + 1) / 4
    let variance = n * (n + 1) * (2 * n + 1) / 24 - ranks.tieTerm / 48
    let z = (mean - Double(doubledSum) / 2 - 0.5) / variance.squareRoot()
    return min(1, 2 * normalUpperTail(z))
  }
}
