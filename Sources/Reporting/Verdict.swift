/// What a comparison says of one row.
enum Verdict: String, Codable, Sendable, CaseIterable {
  case regressed, failed, inconclusive, improved, unchanged
}

/// The rule that turns a ratio into a verdict. Ratios are above 1 where the head is better.
///
/// With threshold t a change counts once it leaves [1 − t, 1 / (1 − t)], which is symmetric: swapping the two
/// records swaps `regressed` and `improved`.
struct VerdictRule: Sendable {
  let worse: Double
  let better: Double

  /// - Parameter threshold: the share of speed that may be lost, 0.05 for 5 %; held within 0...1.
  init(threshold: Double) {
    let share = min(max(threshold, 0), 1)
    worse = 1 - share
    better = share < 1 ? 1 / (1 - share) : .infinity
  }

  /// `regressed` and `improved` need the whole interval on that side of 1 and a change beyond the threshold;
  /// `unchanged` needs the interval within the threshold.
  func verdict(ratio: Double, interval: (lower: Double, upper: Double)) -> Verdict {
    if interval.upper < 1, ratio < worse { return .regressed }
    if interval.lower > 1, ratio > better { return .improved }
    return interval.lower >= worse && interval.upper <= better ? .unchanged : .inconclusive
  }

  /// For a metric with one value a side: the threshold alone decides.
  func verdict(singleRatio ratio: Double) -> Verdict {
    if ratio < worse { return .regressed }
    return ratio > better ? .improved : .unchanged
  }
}
