import Foundation
import Record
import Statistics

/// A paired record's rows with their verdicts: what the runner asks while it measures, and what the reports show.
public struct PairedAnalysis: Sendable {
  private let record: PairedRecord
  private let thresholds: Thresholds
  private let search: PairedSearch

  /// - Parameter isSearchOver: no further block of the search follows.
  /// - Throws: `OptionError` where the record's own settings do not hold what they should.
  public init(_ record: PairedRecord, isSearchOver: Bool) throws(OptionError) {
    self.record = record
    thresholds = try Thresholds(parsing: record.settings.maxRegression)
    let filter = try record.filter
    let lost = record.lost.map { Contestant(record.contestants[$0.contestant]) }
    search = PairedSearch(
      record.series(.search).filter { series in
        filter?.keeps(series.label) ?? true && !lost.contains(series.contestant) && !series.entries.isEmpty
      }, thresholds: thresholds, plan: record.settings.plan,
      blocks: record.blocks.count { $0.stage == .search }, isOver: isSearchOver)
  }

  /// Whether every row has a clear verdict.
  public var isClear: Bool { search.isClear }

  /// What rows without a clear verdict need.
  public var open: PairedDemand { demand { !$0.isClear } }

  /// Likewise of the rows that seem to have changed.
  public var changed: PairedDemand { demand(\.row.verdict.isChange) }

  private func demand(_ isWanted: (PairedSearch.Outcome) -> Bool) -> PairedDemand {
    PairedDemand(of: search.outcomes.filter(isWanted).map(\.series), in: record)
  }

  /// Whether no further block of the confirmation is needed.
  public var isConfirmationClear: Bool { confirmation(isOver: false).isClear }

  private func confirmation(isOver: Bool) -> PairedConfirmation {
    let candidates = Set(search.outcomes.filter(\.row.verdict.isChange).map(\.series.label))
    return PairedConfirmation(
      record.series(.confirmation).filter { candidates.contains($0.label) }, thresholds: thresholds,
      settings: record.settings, blocks: record.blocks.count { $0.stage == .confirmation }, isOver: isOver)
  }

  /// The rows as the reports show them, with the confirmation and the smallest detectable changes.
  var rows: [ComparisonRow] {
    let confirmation = confirmation(isOver: true)
    return search.outcomes.map { outcome in
      var row = confirmation.applied(to: outcome.row)
      row.smallestDetectable = smallestDetectable(outcome)
      return row
    }
  }

  /// The whole rule of the search, on the control's values: these vary by 2σ² where the head's, held against both
  /// processes of the base, vary by 1.5σ².
  private func smallestDetectable(_ outcome: PairedSearch.Outcome) -> Double? {
    let rows = Double(search.outcomes.count)
    let floor = log(1 / VerdictRule.worse(max(outcome.row.threshold, outcome.row.noiseFloor ?? 0)))
    let control = outcome.controls.map { $0 * 0.75.squareRoot() }
    let shift = DetectableShift().smallest(control: control) { values in
      guard let p = SignedRank(values)?.pValue, let center = median(values) else { return false }
      return p * rows < outcome.alpha && center > floor
    }
    return shift.map { 1 - exp(-$0) }
  }
}

extension PairedSettings {
  public var plan: SequentialPlan { SequentialPlan(alpha: alpha, firstLook: firstLook) }

  /// The looks of the confirmation.
  public var confirmationPlan: SequentialPlan {
    SequentialPlan(alpha: alpha, firstLook: max(confirmationBlocks, 2))
  }

  /// Blocks of the confirmation at most: its fourth look.
  public var mostConfirmationBlocks: Int { confirmationPlan.count(look: 3) }

  /// Whether the thresholds and the rows can be read.
  ///
  /// - Parameter path: the record's file, which an error names.
  /// - Throws: `RecordError.invalid` where they cannot.
  public func checkTexts(path: String) throws {
    do {
      _ = try Thresholds(parsing: maxRegression)
      if let rows { _ = try RowFilter(parsing: rows) }
    } catch {
      throw RecordError.invalid(path: path, field: "settings", found: error.found, expected: error.expected)
    }
  }
}
