import Record
import Reporting

/// What is decided when all samples are there.
extension Bench {
  /// What the run met on its machine, and what that means for its figures.
  ///
  /// - Parameter known: what the user has been told already.
  func judgeConditions(known: [Finding]) {
    record.conditions = conditions.end()
    let findings = Validity(record).findings
    record.findings = findings
    let new = findings.filter { !known.contains($0) }.map(\.text)
    if !new.isEmpty { progress.remark(new.joined(separator: "; ")) }
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
