import Statistics

extension [ComparisonRow] {
  /// The rows with Holm's correction over all that have a p-value, and these judged by the rule. Rows that were
  /// not tested keep their verdict.
  ///
  /// - Parameter insignificance: what there is to say of a row whose p is too high, given the number of tested rows;
  ///   nil where the p says it all.
  func judged(insignificance: (ComparisonRow, Int) -> String? = { _, _ in nil }) -> [ComparisonRow] {
    let tested = indices.filter { self[$0].pValue != nil }
    let adjusted = holm(tested.compactMap { self[$0].pValue })
    var rows = self
    for (index, p) in zip(tested, adjusted) {
      rows[index].adjustedPValue = p
      let row = rows[index]
      let rule = VerdictRule(
        threshold: row.threshold, tolerance: row.tolerance, noiseFloor: row.noiseFloor)
      let judgement = rule.judgement(
        of: row.ratio, adjustedPValue: p, fewestSamples: Swift.min(row.baseSamples, row.headSamples),
        insignificance: p < VerdictRule.alpha ? nil : insignificance(row, tested.count))
      rows[index].verdict = judgement.verdict
      rows[index].reason = judgement.reason
    }
    return rows
  }
}
