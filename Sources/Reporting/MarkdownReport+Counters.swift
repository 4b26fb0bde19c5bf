extension MarkdownReport {
  /// What the CPU counted, or in a line why it counted nothing; empty where the record says neither.
  static func counters(_ run: RunFigures) -> String {
    let rows = run.ranked.filter { $0.figures.counters != nil }
    guard !rows.isEmpty else {
      return section("Counters", [run.record.countersUnavailable.map { "None: \($0.singleLine)." } ?? ""])
    }
    let unit = run.record.kind == .endToEnd ? "token" : "call"
    var table = MarkdownTable([
      ("variant", .left), ("threads", .right), ("test", .left), ("instructions per \(unit)", .right),
      ("cycles per \(unit)", .right), ("IPC", .right), ("cache misses per \(unit)", .right),
      ("of cache references %", .right),
    ])
    table.rows = rows.map { row in
      let counters = row.figures.counters
      let missed = counters?.cacheMisses.flatMap { misses in
        counters?.cacheReferences.flatMap { $0 > 0 ? 100 * misses / $0 : nil }
      }
      return ["`\(row.cell.variant)`", "\(row.cell.threads)", row.cell.test.name]
        + [
          counters?.instructions, counters?.cycles, counters?.instructionsPerCycle, counters?.cacheMisses,
          missed,
        ].map { $0.map { NumberText.significant($0) } ?? "" }
    }
    let note =
      "Medians over the samples, of all threads of a contestant, in user mode, of what the row is judged by: a "
      + "prompt's pass with its token, the steps behind the first token, or a product or operation. Threads that wait in a loop "
      + "count too."
    let share = rows.compactMap { $0.figures.counters?.share }.min().flatMap { $0 < 1 ? $0 : nil }
    let turns = share.map {
      " The counters took turns: the least ran \(Validity.percent($0)) of the time, and counts are extrapolated."
    }
    return section("Counters", [table.text, note + (turns ?? "")])
  }
}
