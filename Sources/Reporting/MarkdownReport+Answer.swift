extension MarkdownReport {
  /// Which variant is fastest, by how much, and whether all were correct; then who has no figures, and why.
  static func answer(_ run: RunFigures) -> String {
    if let answer = profiledAnswer(run.record) { return answer }
    let sentences = Ladder.all(run).compactMap(fastest)
    let opening = run.rows.contains(where: \.hasFigures) ? sentences : ["No variant has a figure."]
    let answer = (opening + [verdict(run)]).filter { !$0.isEmpty }.joined(separator: " ")
    return [answer, list(RunRemarks.withoutFigures(run))]
      .filter { !$0.isEmpty }.joined(separator: "\n\n")
  }

  private static func fastest(_ ladder: Ladder) -> String? {
    guard let first = ladder.rungs.first?.row else { return nil }
    let subject: String
    switch ladder.test {
    case .decode: subject = "at decode (`\(ladder.test.name)`)"
    case .prefill: subject = "at prefill (`\(ladder.test.name)`)"
    case .operation: subject = "on `\(ladder.test.name)`"
    }
    let speed = "\(ladder.column.display(first)) \(ladder.column.unit)"
    let factor = first.speedAgainstNaive.map { ", \(NumberText.factor($0.value)) `\(RunFigures.oracle)`" }
    let isOracle = first.cell.variant == RunFigures.oracle
    return "**\(first.contestant.markdown) is fastest \(subject): \(speed)\(isOracle ? "" : factor ?? "").**"
  }

  /// One sentence on every variant's correctness.
  static func verdict(_ run: RunFigures) -> String {
    let variants = run.variants
    let failed = variants.compactMap { variant in
      run.failure(of: variant).map { "`\(variant)` (\($0.singleLine))" }
    }
    let unchecked = variants.filter { variant in
      run.failure(of: variant) == nil
        && run.rows.contains { $0.cell.variant == variant && $0.check == .notChecked }
    }.map { "`\($0)`" }
    let passed = variants.count - failed.count - unchecked.count
    let parts = [
      failed.isEmpty ? nil : "FAILED its correctness check: \(failed.joined(separator: ", ")).",
      unchecked.isEmpty ? nil : "Not checked: \(unchecked.joined(separator: ", ")).",
      passed == 0
        ? nil : "\(passed) of \(counted(variants.count, "variant")) passed every correctness check.",
    ]
    return parts.compactMap { $0 }.joined(separator: " ")
  }

  /// Contestants fastest first, each with a bar; for GEMMs and operations one ladder a shape.
  static func ladder(_ run: RunFigures) -> String {
    Ladder.all(run).map(table).joined(separator: "\n\n")
  }

  private static func table(_ ladder: Ladder) -> String {
    let test = "`\(ladder.test.name)`"
    var headings: [(String, MarkdownTable.Alignment)] = [("variant", .left)]
    if ladder.showsWeights { headings.append(("weights", .left)) }
    headings += [("threads", .right), ("\(ladder.column.heading), \(test)", .right), ("", .left)]
    let factors = ladder.rungs.map { Column.speedAgainstNaive.display($0.row) }
    let showsFactor = factors.contains { !$0.isEmpty }
    if showsFactor { headings.append(("against naive", .right)) }
    if let prefill = ladder.prefillTest {
      headings.append(("\(Column.prefillRate.heading), `\(prefill.name)`", .right))
      if showsFactor { headings.append(("against naive", .right)) }
    }
    headings.append(("check", .left))
    var table = MarkdownTable(headings)
    table.rows = ladder.rungs.indices.map { index in
      let rung = ladder.rungs[index]
      var cells = ["`\(rung.row.cell.variant)`"]
      if ladder.showsWeights { cells.append(rung.row.cell.weights) }
      cells += [
        "\(rung.row.cell.threads)", ladder.column.display(rung.row), bar(share: rung.share, width: 24),
      ]
      if showsFactor { cells.append(factors[index]) }
      if ladder.prefillTest != nil {
        cells.append(rung.prefill.map(Column.prefillRate.display) ?? "")
        if showsFactor { cells.append(rung.prefill.map(Column.speedAgainstNaive.display) ?? "") }
      }
      return cells + [Column.outcome.display(rung.row)]
    }
    return table.text
  }

  /// Every cell, test by test, fastest first.
  static func allFigures(_ run: RunFigures) -> String {
    guard !run.rows.isEmpty else { return "" }
    return section(
      "Every cell",
      [
        MarkdownTable(
          TableColumns.markdown(run.record.kind, hasBatches: run.record.hasBatches), run.ranked
        ).text, driftNote(run),
      ])
  }
}
