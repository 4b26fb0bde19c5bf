import Statistics

/// The second, independent measurement of the rows that the search took for changed: a fixed number of fresh blocks
/// and one look at α, declared before anything was measured. A change that it does not show again is none.
struct PairedConfirmation: Sendable {
  private let outcomes: [(label: String, row: ComparisonRow)]

  /// - Parameter series: of the confirmation's blocks, the rows to confirm alone.
  init(_ series: [PairedSeries], thresholds: Thresholds, alpha: Double) {
    let rows = series.map { series -> ComparisonRow in
      let evidence = PairedEvidence(series.entries.map(\.improvement), confidence: 1 - alpha)
      return ComparisonRow(
        contestant: series.contestant, test: series.test, metric: series.metric, base: series.base,
        head: series.head, baseSamples: series.entries.count, headSamples: series.entries.count,
        ratio: evidence.ratio, pValue: evidence.pValue,
        noiseFloor: PairedEvidence(series.entries.map(\.control), confidence: 1 - alpha).farthest,
        threshold: thresholds[series.metric], verdict: .inconclusive)
    }
    outcomes = zip(series.map(\.label), rows.judged()).map { ($0, $1) }
  }

  /// The row as it stands after the confirmation.
  func applied(to row: ComparisonRow) -> ComparisonRow {
    guard row.verdict.isChange else { return row }
    var result = row
    let again = outcomes.first { $0.label == row.label }?.row
    result.isConfirmed = again?.verdict == row.verdict
    guard let again, again.baseSamples > 0 else {
      result.verdict = .inconclusive
      result.reason = "\(row.verdict.rawValue) at first; there was no confirmation"
      return result
    }
    let ratio = again.ratio.map { NumberText.fixed($0.value, 3) } ?? "none"
    if again.verdict == row.verdict {
      result.reason = "confirmed by \(again.baseSamples) fresh blocks: ratio \(ratio)"
    } else {
      result.verdict = .inconclusive
      let why = again.reason.map { ": \($0)" } ?? ""
      result.reason =
        "\(row.verdict.rawValue) at first, not confirmed: ratio \(ratio), \(again.verdict.rawValue)\(why)"
    }
    return result
  }
}
