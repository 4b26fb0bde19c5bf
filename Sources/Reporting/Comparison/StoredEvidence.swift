import Record
import Statistics

/// What two records hold for and against a change of each row.
struct StoredEvidence: Sendable {
  let base: RunFigures
  let head: RunFigures
  let comparability: Comparability
  let thresholds: Thresholds
  /// What the same program differed by within a run, in the run where that was more.
  private let unrest: Double?

  init(base: RunFigures, head: RunFigures, comparability: Comparability, thresholds: Thresholds) {
    self.base = base
    self.head = head
    self.comparability = comparability
    self.thresholds = thresholds
    unrest = [base, head].compactMap(\.largestDifferenceOfHalves).max()
  }

  /// A metric of a row that both have figures for.
  func candidate(_ metric: Metric, _ base: RunRow, _ head: RunRow) -> StoredCandidate {
    if metric == .timeToFirstToken, !comparability.firstTokensCarryOver {
      let reason = "one record's TTFT starts at text, the other's at token ids"
      return withoutRatio(metric, base, head, reason)
    }
    return comparability.timesCarryOver ? times(metric, base, head) : shares(metric, base, head)
  }

  /// A row whose head has no figure.
  func withoutHead(_ base: RunRow, _ verdict: Verdict, _ reason: String) -> StoredCandidate {
    withoutRatio(base.cell.test.headlineMetric, base, nil, reason.singleLine, verdict)
  }

  /// A metric of a contestant's process, the largest of its cells; nil where a side has none.
  func candidate(_ metric: Metric, of contestant: MeasuredVariant) -> StoredCandidate? {
    guard let (old, new) = figures(metric, contestant) else { return nil }
    return metric.span == nil ? memory(metric, contestant, old, new) : load(metric, contestant, old, new)
  }

  /// One value a process. Bytes mean the same on every machine.
  private func memory(
    _ metric: Metric, _ contestant: MeasuredVariant, _ old: Double, _ new: Double
  ) -> StoredCandidate {
    let threshold = thresholds.ofMemory(base: old, head: new)
    let judgement = VerdictRule(threshold: threshold).judgement(ofSingleRatio: old / new)
    var row = ComparisonRow(
      contestant: contestant, test: nil, metric: metric, base: old, head: new, baseSamples: 1,
      headSamples: 1, ratio: Figure(value: old / new), threshold: threshold, verdict: judgement.verdict)
    if tests(base, contestant) != tests(head, contestant) {
      row.isOnlyShown("the peak covers all tests of a run, and the two runs had different tests")
    }
    return StoredCandidate(row: row)
  }

  private func tests(_ run: RunFigures, _ contestant: MeasuredVariant) -> Set<Test> {
    Set(run.rows.filter { $0.contestant == contestant }.map(\.cell.test))
  }

  /// Loading reads memory, so DRAM's ceiling tells how the machine changed; a share of it would say nothing, as a load
  /// also starts and maps.
  private func load(
    _ metric: Metric, _ contestant: MeasuredVariant, _ old: Double, _ new: Double
  ) -> StoredCandidate {
    let (baseTimes, headTimes) = (times(metric, base, contestant), times(metric, head, contestant))
    var row = unpaired(metric, contestant, nil, baseTimes, headTimes)
    row.base = old
    row.head = new
    guard comparability.timesCarryOver else {
      row.ratio = nil
      row.isOnlyShown("load times do not carry over")
      return StoredCandidate(row: row)
    }
    guard row.pValue != nil else {
      row.ratio = Figure(value: old / new)
      row.isOnlyShown("fewer than \(Bootstrap.minimumCount) loads on a side")
      return StoredCandidate(row: row)
    }
    if baseTimes == headTimes { row.isUnchangedAsTheSame() }
    let machine = MachineDifference(roof: .memory(level: Ceiling.dram), ceilings(contestant))
    row.noiseFloor = noiseFloor(machine?.share)
    return StoredCandidate(row: row, machine: machine)
  }

  private func times(_ metric: Metric, _ base: RunRow, _ head: RunRow) -> StoredCandidate {
    let machine = MachineDifference(base, head, ceilings: ceilings(base.contestant))
    var row = unpaired(
      metric, base.contestant, base.cell.test, base.cell.durations(of: metric),
      head.cell.durations(of: metric))
    row.base = base.figures[metric]?.value
    row.head = head.figures[metric]?.value
    row.noiseFloor = noiseFloor(machine?.share)
    if base.cell.samples == head.cell.samples { row.isUnchangedAsTheSame() }
    return StoredCandidate(row: row, machine: machine)
  }

  /// Each time in units of the least that the ceilings of its own run allow for the work.
  private func shares(_ metric: Metric, _ base: RunRow, _ head: RunRow) -> StoredCandidate {
    guard let old = base.figures.bound?.nanoseconds, let new = head.figures.bound?.nanoseconds else {
      let side = base.figures.bound?.nanoseconds == nil ? "base" : "head"
      let count = counted(base.contestant.threads, "thread")
      return withoutRatio(
        metric, base, head, "times do not carry over, and \(side) has no ceiling for \(count)")
    }
    let baseTimes = base.cell.durations(of: metric).map { $0 / old }
    let headTimes = head.cell.durations(of: metric).map { $0 / new }
    var row = unpaired(metric, base.contestant, base.cell.test, baseTimes, headTimes)
    row.isShareOfCeiling = true
    row.base = median(baseTimes).map { 100 / $0 }
    row.head = median(headTimes).map { 100 / $0 }
    let ceilings = ceilings(base.contestant)
    let spreads = [(base.figures.roof, ceilings.base), (head.figures.roof, ceilings.head)]
    row.noiseFloor = noiseFloor(
      spreads.compactMap { roof, ceiling in roof.flatMap { ceiling?.spread($0) } }.max())
    return StoredCandidate(row: row)
  }

  /// - Parameter ofCeilings: what the row's ceilings differed by.
  private func noiseFloor(_ ofCeilings: Double?) -> Double? { [ofCeilings, unrest].compactMap { $0 }.max() }

  private func withoutRatio(
    _ metric: Metric, _ base: RunRow, _ head: RunRow?, _ reason: String, _ verdict: Verdict = .inconclusive
  ) -> StoredCandidate {
    StoredCandidate(
      row: ComparisonRow(
        contestant: base.contestant, test: base.cell.test, metric: metric, base: base.figures[metric]?.value,
        head: head?.figures[metric]?.value, baseSamples: base.cell.durations(of: metric).count,
        headSamples: head?.cell.durations(of: metric).count ?? 0, threshold: thresholds[metric],
        verdict: verdict, reason: reason))
  }

  /// Two unpaired samples of times; with too few of them, the row says so and is not tested.
  private func unpaired(
    _ metric: Metric, _ contestant: MeasuredVariant, _ test: Test?, _ baseTimes: [Double],
    _ headTimes: [Double]
  ) -> ComparisonRow {
    var row = ComparisonRow(
      contestant: contestant, test: test, metric: metric, baseSamples: baseTimes.count,
      headSamples: headTimes.count, ratio: Figure(medianOf: baseTimes, overMedianOf: headTimes),
      threshold: thresholds[metric], verdict: .inconclusive)
    if row.ratio?.interval != nil {
      row.pValue = MannWhitney(baseTimes, headTimes)?.pValue
    } else {
      let fewest = min(baseTimes.count, headTimes.count)
      row.reason = "n = \(fewest), at least \(Bootstrap.minimumCount) needed"
    }
    return row
  }

  private func figures(_ metric: Metric, _ contestant: MeasuredVariant) -> (base: Double, head: Double)? {
    let values = [base, head].map { run in
      run.rows.filter { $0.contestant == contestant }.compactMap { $0.figures[metric]?.value }.max()
    }
    guard let old = values[0], let new = values[1], old > 0, new > 0 else { return nil }
    return (old, new)
  }

  /// Every cell of a contestant holds the same ones.
  private func times(_ metric: Metric, _ run: RunFigures, _ contestant: MeasuredVariant) -> [Double] {
    run.rows.filter { $0.contestant == contestant }.map { $0.cell.durations(of: metric) }
      .first { !$0.isEmpty } ?? []
  }

  private func ceilings(_ contestant: MeasuredVariant) -> (base: Ceiling?, head: Ceiling?) {
    (
      base.record.ceilings.first { $0.threads == contestant.threads },
      head.record.ceilings.first { $0.threads == contestant.threads }
    )
  }
}

extension ComparisonRow {
  /// A record against itself, or a part of it: nothing is tested.
  fileprivate mutating func isUnchangedAsTheSame() {
    pValue = nil
    verdict = .unchanged
    reason = "the same samples in both records"
  }

  fileprivate mutating func isOnlyShown(_ why: String) {
    pValue = nil
    verdict = .inconclusive
    reason = why + ", does not count"
    counts = false
  }
}

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
      "the machine itself was \(machine.words): relative to its ceiling the ratio is "
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

extension RunFigures {
  /// The largest share by which the samples of one row in the first half of the run differ from those in the second,
  /// median against median. It is the same program in both, so this is what the machine alone does to a row: with as
  /// many rows as are judged, the largest of them is what one may show by chance. Nil where no row has three samples
  /// in each half.
  var largestDifferenceOfHalves: Double? {
    rows.compactMap { row -> Double? in
      let times = row.cell.primaryDurations
      let half = times.count / 2
      guard half >= Bootstrap.minimumCount, let first = median(Array(times.prefix(half))),
        let second = median(Array(times.suffix(half)))
      else { return nil }
      return 1 - min(first / second, second / first)
    }.max()
  }
}
