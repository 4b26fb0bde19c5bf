import Record

/// Why rows of two stored records changed, as far as both hold profiles of them.
struct StoredReasons {
  let base: Record
  let head: Record

  /// One line for each decode and prefill row that regressed or improved and that both records profiled, in the rows'
  /// order.
  func lines(of rows: [ComparisonRow]) -> [String] {
    rows.filter { [.regressed, .improved].contains($0.verdict) && !$0.isShareOfCeiling }.compactMap(line)
  }

  private func line(_ row: ComparisonRow) -> String? {
    guard let stage = row.metric.stage, let tokens = row.test?.profiledTokens,
      let old = profile(base, row.contestant, stage, tokens),
      let new = profile(head, row.contestant, stage, tokens),
      let explanation = try? Explanation(
        from: old, named: "base", to: new, named: "head", ceiling: new.ceiling(among: head.ceilings))
    else { return nil }
    let opening = "\(row.contestant.markdown), `\(row.test?.name ?? "")`, \(row.verdict.rawValue)"
    let agrees = explanation.outcome == (row.verdict == .improved ? .faster : .slower)
    return agrees
      ? "\(opening): \(explanation.headline)"
      : "\(opening); the profiles do not show it: \(explanation.headline)"
  }

  /// The contestant's profile of the stage; of several the one at the test's length.
  private func profile(
    _ record: Record, _ contestant: Contestant, _ stage: Profile.Stage, _ tokens: Int
  ) -> Profile? {
    let found = (record.profiles ?? []).filter { $0.contestant == contestant && $0.stage == stage }
    return found.first { $0.tokens == tokens } ?? found.first
  }
}

extension Metric {
  /// The stage of a generation that it measures; nil for any other.
  fileprivate var stage: Profile.Stage? {
    switch self {
    case .decodeRate: .decode
    case .prefillRate: .prefill
    default: nil
    }
  }
}

extension Test {
  /// Tokens that a profile of the test is of; nil for what is timed alone.
  fileprivate var profiledTokens: Int? {
    switch self {
    case .prefill(let tokens, _): tokens
    case .decode(_, let depth, _): depth
    case .operation: nil
    }
  }
}
