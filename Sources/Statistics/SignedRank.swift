import Foundation

/// Wilcoxon's signed-rank test of paired differences (Wilcoxon, "Individual Comparisons by Ranking Methods", 1945),
/// two-sided: could differences that are symmetric about zero look like these?
///
/// The differences must be independent. Pairs measured in one pair of processes share what each process landed on
/// (page layout, core), and count as one: of 30 pairs from 3 processes a side, of which 3 in 10 are slow by ten times
/// the noise, a sequential plan at 5 % raises false alarms in 64 of 100 simulated runs.
///
/// Differences of zero are dropped, as Wilcoxon did; equal magnitudes share their midrank. Up to `exactCount`
/// differences the p-value is exact, with ties too: every choice of signs is as likely. Above, it is the normal
/// approximation with tie and continuity correction (SciPy's `wilcoxon(method: "asymptotic", correction: true)`).
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

/// The lower end of the exact distribution of a sum of ranks of which each is in or out with probability ½, up to the
/// sum asked for. By dynamic programming over the ranks, counting the choices that give each sum: only sums of what is
/// positive, so no digit cancels, and the counts of up to 53 ranks are exact.
struct SignedRankDistribution {
  /// Choices of ranks with sum s at index s.
  private let choices: [Double]
  /// What one choice weighs: 2⁻ⁿ.
  private let weight: Double

  /// Of n ranks without ties, 1...n: P(W = s) for s in 0...limit.
  init(count: Int, upTo limit: Int) { self.init(ranks: stride(from: 1, through: count, by: 1), upTo: limit) }

  /// - Parameter ranks: positive, no more than 1000 of them: their choices are below the largest `Double`.
  init(ranks: some Sequence<Int>, upTo limit: Int) {
    var choices = [Double](repeating: 0, count: limit + 1)
    var weight = 1.0
    choices[0] = 1
    choices.withUnsafeMutableBytes { choices in
      var highest = 0
      for rank in ranks {
        highest = min(highest + rank, limit)
        weight *= 0.5
        Self.add(rank, upTo: highest, choices)
      }
    }
    (self.choices, self.weight) = (choices, weight)
  }

  /// P(W ≤ limit).
  var total: Double { choices.reduce(0, +) * weight }

  /// The largest s with P(W ≤ s) ≤ `tail`, among the sums kept; nil where even P(W ≤ 0) is above it.
  func largestSum(within tail: Double) -> Int? {
    var cumulative = 0.0
    for (sum, count) in choices.enumerated() {
      cumulative += count
      if cumulative * weight > tail { return sum == 0 ? nil : sum - 1 }
    }
    return choices.count - 1
  }

  /// choices[s] += choices[s − rank] for s from `highest` down to `rank`: downwards, so that what is read is the
  /// count without this rank. Eight at a time, as the power of a comparison takes thousands of distributions.
  private static func add(_ rank: Int, upTo highest: Int, _ choices: UnsafeMutableRawBufferPointer) {
    let size = MemoryLayout<Double>.stride
    var end = highest + 1
    while end - 8 >= rank {
      end -= 8
      let old = choices.loadUnaligned(fromByteOffset: end * size, as: SIMD8<Double>.self)
      let joined = choices.loadUnaligned(fromByteOffset: (end - rank) * size, as: SIMD8<Double>.self)
      choices.storeBytes(of: old + joined, toByteOffset: end * size, as: SIMD8<Double>.self)
    }
    let counts = choices.assumingMemoryBound(to: Double.self)
    for sum in stride(from: end - 1, through: rank, by: -1) { counts[sum] += counts[sum - rank] }
  }
}

/// The shift of paired differences that goes with Wilcoxon's signed-rank test (Hodges and Lehmann, "Estimates of
/// Location Based on Rank Tests", 1963): the median of the n(n + 1)/2 Walsh averages (xᵢ + xⱼ)/2, i ≤ j, and the
/// interval of those shifts that the test does not reject (Tukey; Hollander, Wolfe and Chicken, "Nonparametric
/// Statistical Methods", 2014, section 3.3). Time and memory grow with n².
///
/// For independent differences that are symmetric about the shift the interval covers it at least as often as asked,
/// whatever their distribution. Two sides drawn from one family of times, however skewed, give log-ratios that are
/// symmetric. Differences that are skewed themselves it covers less often, and estimates the median mean of two.
public enum HodgesLehmann {
  /// Nil where so few differences cannot attain the confidence (2^(1 − n) > 1 − confidence: fewer than 6 at 95 %),
  /// where one is not finite, or where the confidence is not between 0 and 1.
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
