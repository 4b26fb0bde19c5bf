/// The rank-sum test of two independent samples (Wilcoxon 1945; Mann and Whitney, "On a Test of Whether one of Two
/// Random Variables is Stochastically Larger than the Other", 1947), two-sided: does one side tend to larger values?
/// Exact where that is cheap (all up to 55 a side without ties, 45 with, and more where one side is small), with ties
/// too: every choice of one side's values is as likely, and the p-value is twice the smaller tail. Otherwise the
/// normal approximation with tie and continuity correction of SciPy's `mannwhitneyu(method: "asymptotic")`.
public struct MannWhitney: Sendable, Equatable {
  /// Pairs (a value of the first sample, a value of the second) in which the first is larger; equal ones count ½.
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

/// The exact distribution of the sum of the ranks of `chosen` values out of all, every choice as likely. By dynamic
/// programming over the values in the order of their ranks: of n − i values left, the next is chosen with probability
/// (chosen − c)/(n − i) where c are chosen already. Only products and sums of what is positive, so no digit cancels.
struct RankSumDistribution {
  /// Most steps of the program; above, a normal approximation serves as well.
  private static let affordableSteps = 30_000_000

  /// P(S = lowest + s·step), in doubled ranks, at index s.
  private let probabilities: [Double]
  private let step: Int
  private let lowest: Int

  /// Nil where the program would take more than `affordableSteps`.
  init?(ranks: Ranks, chosen: Int) {
    let count = ranks.doubled.count
    // Without ties every doubled rank is even.
    let step = ranks.hasTies ? 1 : 2
    let sorted = ranks.doubled.sorted()
    let first = sorted[0]
    // Ranks above the lowest: the sums then start from 0.
    let offsets = sorted.map { ($0 - first) / step }
    let highest = offsets.suffix(chosen).reduce(0, +)
    let (cells, overflow) = (highest + 1).multipliedReportingOverflow(by: chosen + 1)
    guard !overflow, cells <= Self.affordableSteps / count else { return nil }
    self.step = step
    lowest = first * chosen
    let width = highest + 1
    var table = [Double](repeating: 0, count: cells)
    table[0] = 1
    // The highest sum of c chosen so far.
    var reach = [Int](repeating: 0, count: chosen + 1)
    table.withUnsafeMutableBufferPointer { table in
      for (index, offset) in offsets.enumerated() {
        let left = Double(count - index)
        for taken in stride(from: min(index + 1, chosen), through: 0, by: -1) {
          let stays = 1 - Double(chosen - taken) / left
          let row = taken * width
          for sum in 0...reach[taken] { table[row + sum] *= stays }
          guard taken > 0 else { continue }
          let joins = Double(chosen - taken + 1) / left
          let source = row - width
          for sum in 0...reach[taken - 1] { table[row + sum + offset] += joins * table[source + sum] }
          reach[taken] = max(reach[taken], reach[taken - 1] + offset)
        }
      }
    }
    probabilities = Array(table[(chosen * width)...])
  }

  /// Twice the smaller of P(S ≤ sum) and P(S ≥ sum), at most 1.
  func pValue(of doubledSum: Int) -> Double {
    let index = (doubledSum - lowest) / step
    let below = probabilities[...index].reduce(0, +)
    let above = probabilities[index...].reduce(0, +)
    return min(1, 2 * min(below, above))
  }
}

/// Midranks of values: 1 for the smallest, and equal values share the mean of the ranks that they span.
struct Ranks {
  /// Twice the midrank of each value, in the order given: always whole numbers.
  let doubled: [Int]
  /// Σ (t³ − t) over the groups of t equal values: what ties take from the variance of a rank statistic.
  let tieTerm: Double

  init(_ values: [Double]) {
    let order = values.indices.sorted { values[$0] < values[$1] }
    var doubled = [Int](repeating: 0, count: values.count)
    var tieTerm = 0.0
    var start = 0
    while start < order.count {
      var end = start + 1
      while end < order.count, values[order[end]] == values[order[start]] { end += 1 }
      // Ranks start + 1 to end share their mean.
      for place in start..<end { doubled[order[place]] = start + 1 + end }
      let size = Double(end - start)
      tieTerm += size * size * size - size
      start = end
    }
    (self.doubled, self.tieTerm) = (doubled, tieTerm)
  }

  var hasTies: Bool { tieTerm > 0 }
}
