import GPT2Engine
import Record

/// A worker's findings as the record keeps them.
enum CheckRows {
  static func rows(
    of answer: CheckAnswer, _ request: CheckRequest, _ contestant: Contestant
  ) -> [Correctness] {
    var rows = answer.references.map { row($0.comparison.result, reference: $0.name, of: contestant) }
    if let batch = answer.batch {
      let reference = "batch of \(batch.sequences), as each sequence alone"
      rows.append(row(batch.result, reference: reference, of: contestant))
    }
    rows += (answer.continuations ?? []).map { row($0.check.result, reference: $0.name, of: contestant) }
    if let found = answer.operation, let shape = request.operation {
      rows.append(row(found.check.result(ragged: found.raggedFailure), reference: shape.name, of: contestant))
    }
    return rows
  }

  static func row(
    _ found: CheckResult, reference: String, of contestant: Contestant
  ) -> Correctness {
    Correctness(
      variant: contestant.label, threads: contestant.threads, reference: reference, passed: found.passed,
      maxAbsoluteError: found.maxAbsoluteError, tolerance: found.tolerance, nmse: found.nmse,
      argmaxAgreed: found.agreed, argmaxCompared: found.compared, failure: found.failure)
  }

  /// Tokens that were timed, against those of the first contestant.
  static func tokens(
    _ found: [[Int]], expected: [[Int]], of contestant: Contestant, reference: String
  ) -> Correctness {
    row(CheckResult(tokens: found, expected: expected), reference: reference, of: contestant)
  }
}

extension Correctness {
  func isOf(_ contestant: Contestant) -> Bool {
    variant == contestant.label && threads == contestant.threads
  }
}
