import Foundation
import Record
import Statistics

/// A paired record's rows with their verdicts: what the runner asks while it measures, and what the reports show.
public struct PairedAnalysis: Sendable {
  private let record: PairedRecord
  private let thresholds: Thresholds
  private let search: PairedSearch

  /// - Throws: `OptionError` where the record's own settings do not hold what they should.
  public init(_ record: PairedRecord, isSearchOver: Bool) throws(OptionError) {
    self.record = record
    thresholds = try Thresholds(recorded: record.settings.maxRegression)
    let filter = try record.filter
    let lost = record.lost.map { record.contestants[$0.contestant] }
    let series = record.series(.search).filter { series in
      filter?.keeps(series.label) ?? true && !lost.contains(series.contestant) && !series.contrasts.isEmpty
    }
    search = PairedSearch(
      series, thresholds: thresholds, plan: record.settings.plan,
      blocks: record.blocks.count { $0.stage == .search }, isOver: isSearchOver)
  }

  public var isClear: Bool { search.isClear }
  /// What rows without a clear verdict need, and those that seem to have changed.
  public var open: PairedDemand { demand { !$0.isClear } }
  public var changed: PairedDemand { demand(\.row.verdict.isChange) }

  private func demand(_ isWanted: (PairedSearch.Outcome) -> Bool) -> PairedDemand {
    PairedDemand(of: search.outcomes.filter(isWanted).map(\.series), in: record)
  }

  public var isConfirmationClear: Bool { confirmation(isOver: false).isClear }

  /// The second, independent measurement of the rows that the search took for changed: fresh blocks, with looks and
  /// shares of α of their own, declared before anything was measured. A change that it does not show again is none.
  private func confirmation(isOver: Bool) -> PairedSearch {
    let candidates = Set(search.outcomes.filter(\.row.verdict.isChange).map(\.series.label))
    return PairedSearch(
      record.series(.confirmation).filter { candidates.contains($0.label) }, thresholds: thresholds,
      plan: record.settings.confirmationPlan, blocks: record.blocks.count { $0.stage == .confirmation },
      isOver: isOver)
  }

  /// The rows as the reports show them, with the confirmation and the smallest detectable changes.
  var rows: [ComparisonRow] {
    let confirmation = confirmation(isOver: true)
    return search.outcomes.map { outcome in
      var row = confirmation.confirmed(outcome.row)
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

  public var confirmationPlan: SequentialPlan {
    SequentialPlan(alpha: alpha, firstLook: max(confirmationBlocks, 2))
  }

  /// Blocks of the confirmation at most: its fourth look.
  public var mostConfirmationBlocks: Int { confirmationPlan.count(look: 3) }

  /// - Throws: `RecordError.invalid`, with the record's `path`, where the thresholds or the rows cannot be read.
  public func checkTexts(path: String) throws {
    do {
      _ = try Thresholds(parsing: maxRegression)
      if let rows { _ = try RowFilter(parsing: rows) }
    } catch {
      throw RecordError.invalid(path: path, field: "settings", found: error.found, expected: error.expected)
    }
  }
}

/// What is still to be measured: indices of units, and of contestants whose peak memory or load time is wanted.
public struct PairedDemand: Sendable, Equatable {
  public var units: Set<Int>
  /// Of these contestants every unit has to run.
  public var memory: Set<Int>
  public var loads: Set<Int>

  public var isEmpty: Bool { units.isEmpty && memory.isEmpty && loads.isEmpty }

  /// Without the contestants that can no longer be measured.
  public func without(lost: [LostContestant], units all: [PairedUnit]) -> PairedDemand {
    let out = Set(lost.map(\.contestant))
    return PairedDemand(
      units: units.filter { !out.contains(all[$0].contestant) }, memory: memory.subtracting(out),
      loads: loads.subtracting(out))
  }
}

extension PairedDemand {
  /// - Throws: `OptionError` where the record's filter is none.
  public init(ofAllRowsOf record: PairedRecord) throws(OptionError) {
    let filter = try record.filter
    self.init(of: record.series(.search).filter { filter?.keeps($0.label) ?? true }, in: record)
  }

  init(of series: [PairedSeries], in record: PairedRecord) {
    func wanted(_ contestant: Int, _ isWanted: (PairedSeries) -> Bool) -> Bool {
      let contestant = record.contestants[contestant]
      return series.contains { $0.contestant == contestant && isWanted($0) }
    }
    let units = record.units.indices.filter { unit in
      wanted(record.units[unit].contestant) { $0.test == record.units[unit].test }
    }
    self.init(
      units: Set(units),
      memory: Set(record.contestants.indices.filter { wanted($0) { $0.metric == .peakMemory } }),
      loads: Set(record.contestants.indices.filter { wanted($0) { $0.metric == .warmLoad } }))
  }
}

extension PairedRecord {
  /// Nil for all rows.
  var filter: RowFilter? {
    get throws(OptionError) {
      guard let text = settings.rows else { return nil }
      return try RowFilter(parsing: text)
    }
  }

  /// - Throws: `OptionError` where the filter keeps no row that the record can have.
  public func refuseEmptyFilter() throws(OptionError) {
    guard let filter = try filter else { return }
    let labels = series(.search).map(\.label)
    guard labels.contains(where: filter.keeps) else { throw filter.matchesNone(of: labels) }
  }
}
