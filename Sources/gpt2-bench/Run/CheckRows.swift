import GPT2Engine
import Record

/// A worker's findings as the record keeps them.
enum CheckRows {
  static func rows(
    of answer: CheckAnswer, _ request: CheckRequest, _ contestant: ContestantPlan
  ) -> [Correctness] {
    var rows = answer.references.map { row($0.comparison, reference: $0.name, of: contestant) }
    if let batch = answer.batch { rows.append(row(batch, of: contestant)) }
    rows += (answer.continuations ?? []).map { row($0.check, reference: $0.name, of: contestant) }
    if let found = answer.operation, let shape = request.operation {
      rows.append(row(found.check, ragged: found.raggedFailure, of: .operation(shape), contestant))
    }
    return rows
  }

  /// - Parameter ragged: what the ragged shapes showed, where they failed.
  private static func row(
    _ found: ValueCheck, ragged: String?, of test: Test, _ contestant: ContestantPlan
  ) -> Correctness {
    let failure = ragged ?? found.failure
    return Correctness(
      variant: contestant.label, threads: contestant.threads, reference: test.name,
      passed: failure == nil, maxAbsoluteError: found.isFinite ? found.maxAbsoluteError : nil,
      tolerance: found.tolerance, nmse: found.nmse, argmaxAgreed: 0, argmaxCompared: 0, failure: failure)
  }

  private static func row(_ found: BatchCheck, of contestant: ContestantPlan) -> Correctness {
    Correctness(
      variant: contestant.label, threads: contestant.threads,
      reference: "batch of \(found.sequences), as each sequence alone", passed: found.passed,
      maxAbsoluteError: nil, tolerance: 0, nmse: nil, argmaxAgreed: found.agreed,
      argmaxCompared: found.compared,
      failure: found.passed
        ? nil : "\(found.agreed) of \(found.compared) tokens are the same, expected all")
  }

  static func row(
    _ found: LogitComparison, reference: String, of contestant: ContestantPlan
  ) -> Correctness {
    Correctness(
      variant: contestant.label, threads: contestant.threads, reference: reference, passed: found.passed,
      maxAbsoluteError: found.argmaxCompared > 0 && found.isFinite ? found.maxAbsoluteError : nil,
      tolerance: found.tolerance, nmse: found.isFinite ? found.nmse : nil,
      argmaxAgreed: found.argmaxAgreed, argmaxCompared: found.argmaxCompared,
      failure: found.passed ? nil : found.failure ?? "nothing was compared")
  }

  static func row(
    _ found: ContinuationCheck, reference: String, of contestant: ContestantPlan
  ) -> Correctness {
    Correctness(
      variant: contestant.label, threads: contestant.threads, reference: reference, passed: found.passed,
      maxAbsoluteError: nil, tolerance: 0, nmse: nil, argmaxAgreed: found.tokensAgreed,
      argmaxCompared: found.tokensExpected,
      failure: found.passed ? nil : found.failure ?? "nothing was compared")
  }

  /// Tokens that were timed, against those of the first contestant.
  static func tokens(
    _ found: [[Int]], expected: [[Int]], of contestant: ContestantPlan, reference: String
  ) -> Correctness {
    let pairs = zip(found, expected).flatMap { zip($0, $1) }
    let agreed = pairs.count { $0 == $1 }
    let total = expected.reduce(0) { $0 + $1.count }
    let passed = found == expected
    return Correctness(
      variant: contestant.label, threads: contestant.threads, reference: reference,
      passed: passed, maxAbsoluteError: nil, tolerance: 0, nmse: nil, argmaxAgreed: agreed,
      argmaxCompared: total,
      failure: passed ? nil : "\(agreed) of \(total) tokens are the same, expected all")
  }
}

extension Correctness {
  func isOf(_ contestant: ContestantPlan) -> Bool {
    variant == contestant.label && threads == contestant.threads
  }
}
