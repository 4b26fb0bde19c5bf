import Statistics

/// The verdicts that an interleaved comparison comes to, look by look. It may stop early, at looks that are fixed
/// before anything is measured: after 10, 15, 20, 30, 40 … blocks. Look k spends a share α_k of the error α, and the
/// shares sum to α; every p-value is compared with its look's share, every interval has the confidence 1 − α_k. By the
/// union bound the whole procedure then errs with a chance of at most α, wherever it stops. A row whose verdict is
/// clear at a look keeps it: later blocks cannot change it.
struct PairedSearch: Sendable {
  struct Outcome: Sendable {
    let series: PairedSeries
    var row: ComparisonRow
    /// Of the base against itself, a value a block.
    var controls: [Double] = []
    /// Error that its look might spend.
    var alpha: Double
    var isClear = false
  }

  private(set) var outcomes: [Outcome]
  private let plan: SequentialPlan

  /// All rows are tested together. Where it is over, what is not clear yet is looked at once more.
  init(_ series: [PairedSeries], thresholds: Thresholds, plan: SequentialPlan, blocks: Int, isOver: Bool) {
    self.plan = plan
    outcomes = series.map {
      let row = ComparisonRow(
        contestant: $0.contestant, test: $0.test, metric: $0.metric, base: $0.base, head: $0.head,
        threshold: thresholds[$0.metric], tolerance: thresholds.tolerance($0.metric), verdict: .inconclusive)
      return Outcome(series: $0, row: row, alpha: plan.alpha(look: 0))
    }
    var look = 0
    while plan.count(look: look) <= blocks {
      decide(look: look, count: plan.count(look: look))
      look += 1
    }
    let isLook = look > 0 && plan.count(look: look - 1) == blocks
    if isOver, blocks > 0, !isLook { decide(look: look, count: blocks) }
  }

  var isClear: Bool { outcomes.allSatisfy(\.isClear) }

  private mutating func decide(look: Int, count: Int) {
    let alpha = plan.alpha(look: look)
    for index in outcomes.indices where !outcomes[index].isClear {
      let contrasts = outcomes[index].series.contrasts(within: count)
      outcomes[index].controls = contrasts.map(\.control)
      outcomes[index].alpha = alpha
      let evidence = PairedEvidence(contrasts.map(\.improvement), confidence: 1 - alpha)
      outcomes[index].row.ratio = evidence.ratio
      outcomes[index].row.baseSamples = contrasts.count
      outcomes[index].row.headSamples = contrasts.count
      // Holding p·α/α_k against α is holding p against the look's share.
      outcomes[index].row.pValue = evidence.pValue.map { min(1, $0 * plan.alpha / alpha) }
      outcomes[index].row.noiseFloor =
        PairedEvidence(outcomes[index].controls, confidence: 1 - alpha).farthest
    }
    for (index, row) in outcomes.map(\.row).judged().enumerated() where !outcomes[index].isClear {
      outcomes[index].row.adjustedPValue = row.adjustedPValue
      outcomes[index].row.verdict = row.verdict
      outcomes[index].row.reason =
        row.verdict == .inconclusive && row.ratio?.interval == nil
        ? "n = \(row.baseSamples) blocks, \(plan.firstLook) needed" : row.reason
      outcomes[index].isClear = row.verdict != .inconclusive
    }
  }
}

extension PairedSearch {
  /// The row of another search as it stands after this one, which measured it once more.
  func confirmed(_ row: ComparisonRow) -> ComparisonRow {
    guard row.verdict.isChange else { return row }
    var result = row
    let again = outcomes.first { $0.series.label == row.label }?.row
    result.isConfirmed = again?.verdict == row.verdict
    guard let again, again.baseSamples > 0 else {
      result.verdict = .inconclusive
      result.reason = "\(row.verdict.rawValue) at first; there was no confirmation"
      return result
    }
    let ratio = again.ratio.map { NumberText.fixed($0.value, 3) } ?? "none"
    if again.verdict == row.verdict {
      result.reason = "confirmed by \(again.baseSamples) fresh blocks: ratio \(ratio)"
    } else {
      result.verdict = .inconclusive
      let why = again.reason.map { ": \($0)" } ?? ""
      result.reason =
        "\(row.verdict.rawValue) at first, not confirmed: ratio \(ratio), \(again.verdict.rawValue)\(why)"
    }
    return result
  }
}
