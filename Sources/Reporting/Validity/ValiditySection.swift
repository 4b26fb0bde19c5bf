import Record

extension Validity {
  /// One line for the head of a report; nil where no warning was found.
  var warning: Prose? {
    let names = findings.filter { $0.severity == .warning }.map(\.check)
    return names.isEmpty
      ? nil : "Conditions that speak against these figures: \(names.joined(separator: ", ")); see Validity."
  }
}

extension RunReport {
  /// What was looked at, and what was found. Nil where the record knows nothing of the machine and nothing else was found.
  var conditions: Section? {
    let findings = validity.findings
    guard record.conditions != nil || !findings.isEmpty else { return nil }
    let lines = findings.map { finding -> Prose in
      finding.severity == .warning
        ? "**Warning**, \(finding.check): \(finding.text)." : "Note, \(finding.check): \(finding.text)."
    }
    let missing = validity.unreadable
    let unreadable: Prose = missing.isEmpty ? "" : "Not readable here: \(missing.joined(separator: ", "))."
    return Section(
      id: "validity", title: "Validity",
      [
        lines.isEmpty ? .paragraph("Nothing was found that speaks against these figures.") : .list(lines)
      ] + (record.conditions == nil ? [] : [.table(Self.table(validity))]) + [.paragraph(unreadable)]
        + (record.conditions == nil ? [] : [.paragraph(Self.conditionNote)]))
  }

  private static func table(_ validity: Validity) -> Table {
    let columns: [Column<ValidityCheck>] = [
      Column(heading: .init("checked", .left), key: "checked", reading: .text { $0.name }),
      Column(heading: .init("found", .left), key: "found", reading: .text { $0.figure }),
      Column(heading: .init("limit", .left), key: "limit", reading: .text { $0.limit }),
      Column(
        heading: .init("", .left), key: "severity", reading: .text { $0.finding?.severity.rawValue }),
    ]
    return Table(columns, validity.checks.filter { !$0.figure.isEmpty })
  }

  private static let conditionNote: Prose = """
    Load by others is what all processes and the kernel used, less what this command and its contestants did, in cores. \
    Frequency drift is P90 / P10 − 1 of a fixed chain of dependent operations on one core, timed before the rounds, \
    between them and after them: its time is proportional to 1 / clock rate. Its trend, and that of each cell's samples, \
    is Mann and Kendall's with the medians of both halves of the run. Core-to-core latency is half of the time in which \
    two threads on the same two cores hand each other a cache line and back, from P10 to P90. `record.json` has the whole \
    course.
    """
}
