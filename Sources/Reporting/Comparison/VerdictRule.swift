import Statistics

enum Verdict: String, Codable, Sendable, CaseIterable {
  case regressed, failed, inconclusive, improved, unchanged

  var isChange: Bool { self == .regressed || self == .improved }
}

/// The rule that turns a row's ratio into a verdict, whatever the method. Ratios are above 1 where the head is better.
///
/// A change of share t leaves [1 − t, 1 / (1 − t)], which is symmetric: swapping the sides swaps `regressed` and
/// `improved`. A row has changed where all of these hold: the whole interval lies on one side of 1; the adjusted p is
/// below α; the change exceeds the threshold and the noise floor. It is unchanged where the whole interval lies within
/// the threshold and shows no change beyond the tolerance. Otherwise it is inconclusive, for the condition that failed.
struct VerdictRule: Sendable {
  static let alpha = 0.05
  let threshold: Double
  /// A change beyond this share is not called unchanged, though it be below the threshold.
  let tolerance: Double
  /// Nil where none is known.
  let noiseFloor: Double?

  /// - Parameter tolerance: the threshold itself unless a smaller share is given.
  init(threshold: Double, tolerance: Double? = nil, noiseFloor: Double? = nil) {
    (self.threshold, self.noiseFloor) = (threshold, noiseFloor)
    self.tolerance = min(tolerance ?? threshold, threshold)
  }

  struct Judgement: Sendable, Equatable {
    let verdict: Verdict
    var reason: String?
  }

  /// - Parameters:
  ///   - adjustedPValue: two-sided, corrected for all rows of the comparison.
  ///   - fewestSamples: of both sides, or the number of pairs.
  ///   - insignificance: what to say of a p that is too high; nil for the p itself.
  func judgement(
    of ratio: Figure?, adjustedPValue: Double?, fewestSamples: Int, insignificance: String? = nil
  ) -> Judgement {
    func undecided(_ reason: String) -> Judgement { Judgement(verdict: .inconclusive, reason: reason) }
    guard let ratio, let interval = ratio.interval, let adjustedPValue
    else { return undecided("n = \(fewestSamples), at least \(Bootstrap.minimumCount) needed") }
    let change = Self.verdict(of: ratio.value, beyond: threshold)
    if change == .unchanged {
      let ends = [interval.lower, interval.upper].map { Self.verdict(of: $0, beyond: threshold) }
      guard ends == [.unchanged, .unchanged]
      else { return undecided("the interval reaches across the threshold of \(percent(threshold))") }
      let isSeen = adjustedPValue < Self.alpha && (interval.upper < 1 || interval.lower > 1)
      guard isSeen, Self.verdict(of: ratio.value, beyond: tolerance) != .unchanged
      else { return Judgement(verdict: .unchanged) }
      return undecided("a change beyond \(percent(tolerance)), below the threshold of \(percent(threshold))")
    }
    let failed = [
      interval.lower <= 1 && interval.upper >= 1 ? "the interval reaches across 1" : nil,
      adjustedPValue < Self.alpha
        ? nil : insignificance ?? "p = \(NumberText.significant(adjustedPValue, 2)) after Holm",
      noiseFloor.flatMap {
        Self.verdict(of: ratio.value, beyond: $0) == .unchanged
          ? "the change is below the noise floor of \(percent($0))" : nil
      },
    ].compactMap { $0 }
    return failed.isEmpty ? Judgement(verdict: change) : undecided(failed.joined(separator: "; "))
  }

  /// By the ratio alone: on which side, if any, it leaves [1 − share, 1 / (1 − share)].
  static func verdict(of ratio: Double, beyond share: Double) -> Verdict {
    if ratio < worse(share) { return .regressed }
    return share < 1 && ratio > 1 / worse(share) ? .improved : .unchanged
  }

  /// The ratio from which on a change for the worse exceeds `share`.
  static func worse(_ share: Double) -> Double { 1 - min(max(share, 0), 1) }
  private func percent(_ share: Double) -> String { NumberText.significant(share * 100, 2) + " %" }
}

extension [ComparisonRow] {
  /// The rows with Holm's correction over all that have a p-value, and these judged by the rule. Rows that were not
  /// tested keep their verdict. `insignificance` has what there is to say of a row whose p is too high, given the
  /// number of tested rows; nil where the p says it all.
  func judged(insignificance: (ComparisonRow, Int) -> String? = { _, _ in nil }) -> [ComparisonRow] {
    let tested = indices.filter { self[$0].pValue != nil }
    let adjusted = holm(tested.compactMap { self[$0].pValue })
    var rows = self
    for (index, p) in zip(tested, adjusted) {
      rows[index].adjustedPValue = p
      let row = rows[index]
      let rule = VerdictRule(threshold: row.threshold, tolerance: row.tolerance, noiseFloor: row.noiseFloor)
      let judgement = rule.judgement(
        of: row.ratio, adjustedPValue: p, fewestSamples: Swift.min(row.baseSamples, row.headSamples),
        insignificance: p < VerdictRule.alpha ? nil : insignificance(row, tested.count))
      rows[index].verdict = judgement.verdict
      rows[index].reason = judgement.reason
    }
    return rows
  }
}
