import Record

extension MarkdownReport {
  /// One line for the head of the report; nil where no warning was found.
  static func validityWarning(_ validity: Validity) -> String? {
    let names = validity.findings.filter { $0.severity == .warning }.map(\.check)
    return names.isEmpty
      ? nil : "Conditions that speak against these figures: \(names.joined(separator: ", ")); see Validity."
  }

  /// What was looked at, and what was found. Empty where the record knows nothing of the machine and nothing else was
  /// found.
  static func validity(_ validity: Validity, _ record: Record) -> String {
    let findings = validity.findings
    guard record.conditions != nil || !findings.isEmpty else { return "" }
    let lines = findings.map { finding in
      "\(finding.severity == .warning ? "**Warning**" : "Note"), \(finding.check): \(finding.text)."
    }
    let missing = validity.unreadable
    let unreadable = missing.isEmpty ? "" : "Not readable here: \(missing.joined(separator: ", "))."
    return section(
      "Validity",
      [
        lines.isEmpty ? "Nothing was found that speaks against these figures." : list(lines),
        record.conditions == nil ? "" : table(validity), unreadable,
        record.conditions == nil ? "" : method,
      ])
  }

  private static func table(_ validity: Validity) -> String {
    var table = MarkdownTable([("checked", .left), ("found", .left), ("limit", .left), ("", .left)])
    table.rows = validity.checks.filter { !$0.figure.isEmpty }.map { check in
      let mark =
        switch check.outcome {
        case .found(let severity): severity.rawValue
        case .clear, .unreadable: ""
        }
      return [check.name, check.figure, check.limit, mark]
    }
    return table.text
  }

  private static let method =
    "Load by others is what all processes and the kernel used, less what this command and its contestants did, in "
    + "cores. Frequency drift is P90 / P10 − 1 of a fixed chain of dependent operations on one core, timed before "
    + "the rounds, between them and after them: its time is proportional to 1 / clock rate. Its trend, and that "
    + "of each cell's samples, is Mann and Kendall's with the medians of both halves of the run. Core-to-core latency is "
    + "half of the time in which two threads on the same two cores hand each other a cache line and back, from P10 to "
    + "P90. `record.json` has the whole course."

  /// Stands under a table with marked rows.
  static func driftNote(_ run: RunFigures) -> String {
    run.rows.contains(where: \.isDrifting) ? "\(Row.driftMark) \(Row.driftMeaning)" : ""
  }
}

extension Row {
  static let driftMark = "‡"
  static let driftMeaning =
    "drifts: the times of this row changed by more than \(Validity.percent(Drift.samples)) from the first half of "
    + "its samples to the second (Mann-Kendall p < \(Drift.significance)); its median is of neither."

  var isDrifting: Bool { figures.drift?.exceeds(Drift.samples) ?? false }

  /// `drifts` or `steady`; nil for fewer samples than could show it.
  var driftWord: String? { figures.drift.map { _ in isDrifting ? "drifts" : "steady" } }
}
