import Reporting

/// What is decided when all samples are there.
extension Bench {
  /// Measures the ceilings again and keeps the better: a clock that rose during the run is no kernel's feat.
  func raiseCeilings(_ threads: [Int]) {
    progress.step("measuring the machine's ceilings again")
    for again in Ceiling.measure(threads: threads) {
      guard let index = record.ceilings.firstIndex(where: { $0.threads == again.threads }) else { continue }
      record.ceilings[index].fmaGFLOPS = max(record.ceilings[index].fmaGFLOPS, again.fmaGFLOPS)
      record.ceilings[index].dramGBPerSecond =
        max(record.ceilings[index].dramGBPerSecond, again.dramGBPerSecond)
    }
    progress.end()
  }

  /// A figure beyond the FMA peak shows that something was not computed; such a cell loses its samples.
  func rejectImpossible() {
    for index in record.cells.indices where record.cells[index].status == .measured {
      guard let verdict = ImpossibleRate(record.cells[index], ceilings: record.ceilings) else { continue }
      record.cells[index].status = .rejected
      record.cells[index].message = verdict.description
      record.cells[index].samples = []
    }
  }

  /// Every float32 variant must have produced the same tokens in what was timed as the first contestant did.
  func compareTokens() {
    guard let first = ids.values.flatMap(\.keys).min() else { return }
    for contestant in plan.contestants.indices {
      let shared = ids.values.compactMap { answers in
        answers[contestant].flatMap { found in answers[first].map { (found, $0) } }
      }
      guard !shared.isEmpty else { continue }
      let row = CheckRows.tokens(
        shared.flatMap(\.0), expected: shared.flatMap(\.1), of: plan.contestants[contestant],
        reference: "timed tokens, as \(plan.contestants[first].name)'s")
      record.correctness.append(row)
      guard !row.passed else { continue }
      for cell in rows(of: contestant) where record.cells[cell].status == .measured {
        record.cells[cell].status = .failedCheck
        record.cells[cell].message = row.failure
        record.cells[cell].samples = []
      }
    }
  }
}
