import Record
import Statistics

/// The second, independent measurement of the rows that the search took for changed: fresh blocks, with looks and
/// shares of α of their own, declared before anything was measured. A change that it does not show again is none.
struct PairedConfirmation: Sendable {
  private let search: PairedSearch

  /// - Parameters:
  ///   - series: of the confirmation's blocks, the rows to confirm alone.
  ///   - blocks: how many blocks of it have been measured.
  ///   - isOver: no further block of it follows.
  init(
    _ series: [PairedSeries], thresholds: Thresholds, settings: PairedSettings, blocks: Int, isOver: Bool
  ) {
    search = PairedSearch(
      series, thresholds: thresholds, plan: settings.confirmationPlan, blocks: blocks, isOver: isOver)
  }

  /// Whether every row is confirmed, or shown not to be.
  var isClear: Bool { search.isClear }

  /// The row as it stands after the confirmation.
  func applied(to row: ComparisonRow) -> ComparisonRow {
    guard row.verdict.isChange else { return row }
    var result = row
    let again = search.outcomes.first { $0.series.label == row.label }?.row
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
