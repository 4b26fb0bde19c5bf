import Files
import Record
import Statistics

extension Comparison {
  /// Two stored records; `baseLabel` and `headLabel` are what the report calls them, such as their files.
  public init(
    base: Record, head: Record, thresholds: Thresholds = Thresholds(), baseLabel: String? = nil,
    headLabel: String? = nil
  ) {
    self.init(StoredRows(base: base, head: head, thresholds: thresholds), baseLabel, headLabel)
  }

  /// Only the rows that `filter` keeps: what is left out takes no part in the correction for many rows.
  /// - Throws: `OptionError` where there are rows and the filter keeps none.
  public init(
    base: Record, head: Record, thresholds: Thresholds = Thresholds(), filter: RowFilter,
    baseLabel: String? = nil, headLabel: String? = nil
  ) throws(OptionError) {
    let stored = try StoredRows(base: base, head: head, thresholds: thresholds).kept(by: filter)
    self.init(stored, baseLabel, headLabel)
  }

  /// Whether both records have figures of the same cell, and a time in one means the same in the other: the same model,
  /// machine and build flags.
  public static func carriesOver(from base: Record, to head: Record) -> Bool {
    let comparability = Comparability(base: base, head: head)
    guard comparability.isPossible, comparability.timesCarryOver else { return false }
    let measured = [base, head].map { record in
      Set(
        record.cells.filter { $0.status == .measured }.map { "\($0.variant) \($0.threads) \($0.test.name)" })
    }
    return !measured[0].isDisjoint(with: measured[1])
  }

  private init(_ stored: StoredRows, _ baseLabel: String?, _ headLabel: String?) {
    let (base, head) = (stored.evidence.base.record, stored.evidence.head.record)
    self.init(
      method: .stored, base: ComparedSide(base, label: baseLabel), head: ComparedSide(head, label: headLabel),
      thresholds: stored.evidence.thresholds, rows: stored.judged, unmatched: stored.unmatched.map(\.line),
      failures: stored.failures.map(\.line), warnings: stored.comparability.warnings + stored.validity,
      notes: Self.storedNotes)
    reasons = rowsWorstFirst.compactMap { Self.reason($0, base, head) }
  }

  private static var storedNotes: [Prose] {
    [
      """
      The two records are of two runs, so their samples are unpaired. **p** is that of Mann and Whitney's two-sided \
      test of the samples' times. **CI** is the 95 % percentile bootstrap of the ratio, with both sides resampled \
      independently.
      """,
      """
      **Noise floor** of a row: what the machine alone may have done to it. First what times differ by within a run, the \
      largest of: the row's own samples (P10 to P90), a fixed loop's (likewise), and the first half of a run's samples \
      against the second, in the row where that is most. On top comes what fixed work differed by from run to run, \
      median against median: the ceiling that bounds the row or the fixed loop, whichever differs more. (For figures \
      in percent of their ceilings, it is how far that ceiling's own trials spread.) Last come cores that other \
      processes used in one run and not in the other, beyond those that the row leaves free: a team of threads waits \
      for the one whose core was taken.
      """,
      """
      A verdict must hold for the times as they are and for the times relative to that ceiling: a machine that is \
      slower in one run has slower ceilings too.
      """,
      """
      Records can show a change; they cannot confirm one. `gpt2-bench compare --against OTHER-BINARY` measures both \
      builds in the same rounds, with a control and a confirmation.
      """,
    ]
  }
}

/// The rows of two records, paired by variant, weights, threads and test: each metric of a pair with its evidence.
struct StoredRows: Sendable {
  /// A line of a report, and what a filter looks at.
  typealias Remark = (label: String, line: Prose)
  let comparability: Comparability
  let evidence: StoredEvidence
  private(set) var unmatched: [Remark] = []
  private(set) var failures: [Remark] = []
  private var candidates: [ComparisonRow] = []

  init(base: Record, head: Record, thresholds: Thresholds) {
    comparability = Comparability(base: base, head: head)
    evidence = StoredEvidence(
      base: RunFigures(base), head: RunFigures(head), comparability: comparability, thresholds: thresholds)
    let head = evidence.head
    failures = head.variants.compactMap { variant in
      head.failure(of: variant).map { (variant, "`\(variant)`: \($0)") }
    }
    guard comparability.isPossible else { return }
    func counterpart(of row: RunRow, in run: RunFigures) -> RunRow? {
      run.rows.first { $0.cell.test == row.cell.test && $0.contestant == row.contestant }
    }
    for row in evidence.base.rows { match(row, counterpart(of: row, in: head)) }
    for row in head.rows where counterpart(of: row, in: evidence.base) == nil {
      leaveOut(row, "only in head")
    }
    let contestants = evidence.base.rows.map(\.contestant).uniqued()
    candidates += Metric.compared.filter(\.isOfProcess).flatMap { metric in
      contestants.compactMap { evidence.row(metric, of: $0) }
    }
  }

  /// What `filter` keeps.
  /// - Throws: `OptionError` where there are rows and none is kept.
  func kept(by filter: RowFilter) throws(OptionError) -> StoredRows {
    let labels = (candidates.map(\.label) + unmatched.map(\.label)).uniqued()
    guard labels.isEmpty || labels.contains(where: filter.keeps) else { throw filter.matchesNone(of: labels) }
    var copy = self
    copy.candidates = candidates.filter { filter.keeps($0.label) }
    copy.unmatched = unmatched.filter { filter.keeps($0.label) }
    let variants = Set(copy.candidates.map(\.contestant.variant))
    copy.failures = failures.filter { variants.contains($0.label) || filter.keeps($0.label) }
    return copy
  }

  var validity: [String] {
    [("base", evidence.base), ("head", evidence.head)].flatMap { side, run in
      Validity(run.record).findings.filter { $0.severity == .warning }.map {
        "In the \(side)'s run: \($0.text)."
      }
    }
  }

  var judged: [ComparisonRow] {
    candidates.judged { $0.insignificance(tested: $1) }.map(\.heldAgainstTheMachine)
  }

  private mutating func match(_ base: RunRow, _ head: RunRow?) {
    guard let head else { return leaveOut(base, "only in base") }
    if case .failed(let reason) = head.check {
      candidates.append(evidence.withoutHead(base, .failed, "head failed its check: \(reason)"))
    } else if base.hasFigures, head.hasFigures {
      candidates += Metric.compared(on: base.cell.test).map { evidence.row($0, base, head) }
    } else if base.hasFigures {
      let reason = "head has no figure: \(Self.status(head))"
      candidates.append(evidence.withoutHead(base, .inconclusive, reason))
    } else {
      let place = head.hasFigures ? "only in head; base has no figure" : "no figure in either record; base"
      leaveOut(base, "\(place): \(Self.status(base))")
    }
  }

  private mutating func leaveOut(_ row: RunRow, _ why: String) {
    let label = RowFilter.label(row.contestant, row.cell.test, row.cell.test.headlineMetric)
    unmatched.append((label, "\(row.contestant.prose) on \(row.cell.test.name): \(why)"))
  }

  private static func status(_ row: RunRow) -> String {
    row.cell.status.words + (row.cell.message.map { ": \($0.safeLine)" } ?? "")
  }
}

extension Comparison {
  /// Why a decode or prefill row regressed or improved; nil where a record holds no profile of it.
  private static func reason(_ row: ComparisonRow, _ base: Record, _ head: Record) -> Prose? {
    guard row.verdict.isChange, !row.isShareOfCeiling, let test = row.test, row.metric == test.headlineMetric,
      let (stage, tokens) = test.profiled, let old = profile(base, row.contestant, stage, tokens),
      let new = profile(head, row.contestant, stage, tokens),
      let explanation = try? Explanation(
        from: old, named: "base", to: new, named: "head", ceiling: new.ceiling(among: head.ceilings))
    else { return nil }
    let agrees = explanation.outcome == (row.verdict == .improved ? .faster : .slower)
    let doubt = agrees ? "" : "; the profiles do not show it"
    return "\(row.contestant.prose), `\(test.name)`, \(row.verdict.rawValue)\(doubt): \(explanation.headline)"
  }

  /// The contestant's profile of the stage; of several the one at the test's length.
  private static func profile(
    _ record: Record, _ contestant: MeasuredVariant, _ stage: Profile.Stage, _ tokens: Int
  ) -> Profile? {
    let found = (record.profiles ?? []).filter { $0.contestant == contestant && $0.stage == stage }
    return found.first { $0.tokens == tokens } ?? found.first
  }
}

extension Test {
  /// The profile that shows where its time goes: a stage and a number of tokens. Nil for what is timed alone.
  var profiled: (stage: Profile.Stage, tokens: Int)? {
    traits.stage.flatMap { stage in traits.generation.map { (stage, $0.prompt) } }
  }
}
