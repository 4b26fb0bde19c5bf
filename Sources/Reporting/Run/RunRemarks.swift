import Record

/// What a reader must know before the figures, one line each.
enum RunRemarks {
  /// That the run is incomplete, and the record's warnings.
  static func warnings(_ record: Record) -> [Prose] {
    let done = record.cells.count { $0.status != .pending }
    let incomplete: [Prose] =
      record.isComplete
      ? [] : ["The run is incomplete: \(done) of \(counted(record.cells.count, "cell")) done."]
    return incomplete + record.warnings.map { Prose($0) }
  }

  /// Each contestant that has no figures on some tests, with the tests and the reason.
  static func withoutFigures(_ run: RunFigures) -> [Prose] {
    let missing = run.rows.filter { !$0.hasFigures && $0.cell.status != .pending }
    let groups = missing.map(Outcome.init).uniqued()
    return groups.map { group in
      let tests = missing.filter { Outcome($0) == group }.map(\.cell.test.name)
      let reason = group.message.map { ": " + $0 } ?? ""
      return
        "\(group.contestant.prose) has no figures on \(tests.joined(separator: ", ")): \(group.status.words)\(reason)"
    }
  }

  /// What the record says of cells that do have figures.
  static func onFigures(_ run: RunFigures) -> [Prose] {
    run.rows.filter(\.hasFigures).compactMap { row in
      row.cell.message.map { "\(row.contestant.prose) on \(row.cell.test.name): \($0)" }
    }
  }

  private struct Outcome: Hashable {
    let contestant: Contestant
    let status: Cell.Status
    let message: String?

    init(_ row: RunRow) {
      contestant = row.contestant
      status = row.cell.status
      message = row.cell.message
    }
  }
}

extension Cell.Status {
  /// In words for a sentence.
  var words: String {
    switch self {
    case .pending: return "not finished"
    case .measured: return "measured without a sample"
    case .failedCheck: return "failed its correctness check"
    case .died: return "its process died"
    case .hung: return "its process hung"
    case .rejected: return "its figures were rejected"
    case .skipped: return "skipped"
    }
  }
}
