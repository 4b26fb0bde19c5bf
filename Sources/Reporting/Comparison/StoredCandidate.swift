import Statistics

/// A row of two stored records before its verdict.
struct StoredCandidate: Sendable {
  var row: ComparisonRow
  /// Between both runs; nil where it is not known, or where the figures are shares of the machine's ceilings.
  var machine: MachineDifference?

  /// The row with its verdict taken back where it does not hold for the times against the ceiling that bounds them.
  func heldAgainstTheMachine(_ row: ComparisonRow) -> ComparisonRow {
    guard row.pValue != nil, let machine, let ratio = row.ratio?.value, let claimed = row.verdict.direction
    else { return row }
    let corrected = ratio / machine.ratio
    guard VerdictRule.direction(of: corrected, beyond: row.threshold) != claimed else { return row }
    var row = row
    row.verdict = .inconclusive
    row.reason =
      "the machine itself was \(machine.words): against its ceiling the ratio is "
      + NumberText.fixed(corrected, 3)
    return row
  }

  /// Where the samples are too few for any result among `tested` rows to be significant; nil where they are not.
  static func insignificance(_ row: ComparisonRow, tested: Int) -> String? {
    let counts = (row.baseSamples, row.headSamples)
    let apart = MannWhitney(
      (0..<counts.0).map(Double.init), (counts.0..<counts.0 + counts.1).map(Double.init))
    guard let smallest = apart?.pValue, let p = row.pValue, let adjusted = row.adjustedPValue else {
      return nil
    }
    let sizes = "n = \(counts.0) and \(counts.1) cannot show a change"
    let possible = "the smallest possible p is \(NumberText.significant(smallest, 2))"
    if smallest >= VerdictRule.alpha { return "\(sizes): \(possible)" }
    guard p <= smallest else { return nil }
    return "the samples do not overlap, but \(sizes) among \(counted(tested, "row")): \(possible), "
      + "\(NumberText.significant(adjusted, 2)) after Holm"
  }
}

extension Verdict {
  /// What the verdict claims of the ratio; nil where it claims nothing.
  fileprivate var direction: VerdictRule.Direction? {
    switch self {
    case .regressed: return .worse
    case .improved: return .better
    case .unchanged: return VerdictRule.Direction.none
    case .failed, .inconclusive: return nil
    }
  }
}
