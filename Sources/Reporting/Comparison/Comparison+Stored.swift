import Record
import Statistics

extension Comparison {
  /// Two stored records.
  ///
  /// - Parameters:
  ///   - baseLabel, headLabel: what the report calls the records, such as their files.
  public init(
    base: Record, head: Record, thresholds: Thresholds = Thresholds(), baseLabel: String? = nil,
    headLabel: String? = nil
  ) {
    self.init(
      StoredRows(base: base, head: head, thresholds: thresholds), base: Side(base, label: baseLabel),
      head: Side(head, label: headLabel), thresholds)
    reasons = StoredReasons(base: base, head: head).lines(of: rowsWorstFirst)
  }

  /// Two stored records, of which only the rows that `filter` keeps are compared: what is left out takes no part in
  /// the correction for many rows.
  ///
  /// - Throws: `OptionError` where there are rows and the filter keeps none.
  public init(
    base: Record, head: Record, thresholds: Thresholds = Thresholds(), filter: RowFilter,
    baseLabel: String? = nil, headLabel: String? = nil
  ) throws(OptionError) {
    self.init(
      try StoredRows(base: base, head: head, thresholds: thresholds).kept(by: filter),
      base: Side(base, label: baseLabel), head: Side(head, label: headLabel), thresholds)
    reasons = StoredReasons(base: base, head: head).lines(of: rowsWorstFirst)
  }

  private init(_ stored: StoredRows, base: Side, head: Side, _ thresholds: Thresholds) {
    self.init(
      method: .stored, base: base, head: head, thresholds: thresholds, rows: stored.judged,
      unmatched: stored.unmatched.map(\.line), failures: stored.failures.map(\.line),
      warnings: stored.comparability.warnings + stored.validity, notes: Self.storedNotes)
  }

  private static var storedNotes: [String] {
    [
      "The two records are of two runs, so their samples are unpaired: **p** is Mann and Whitney's, two-sided, of the samples' times; **CI** is the 95 % percentile bootstrap of the ratio, the two resampled apart.",
      "**Noise floor** of a row: the larger of two shares. What the medians of the ceiling that bounds it, with its number of threads, differed by between both runs (of figures that are percent of their ceilings: how far that ceiling's own trials spread). And what the first half of a run's samples differed by from the second, in the row of either run where that was most: the same program against itself.",
      "A verdict must hold for the times as they are and for the times against that ceiling: a machine that was slower in one run slows its ceilings too.",
      "Records can show a change; they cannot confirm one. `gpt2-bench compare --against OTHER-BINARY` measures both builds in the same rounds, with a control and a confirmation.",
    ]
  }
}
