import Files
import Record
import Statistics

/// What two records hold for and against a change of each row.
struct StoredEvidence: Sendable {
  let base: RunFigures
  let head: RunFigures
  let comparability: Comparability
  let thresholds: Thresholds
  /// What the same program, or a fixed loop, differed by within a run, in the run where that was more.
  private let unrest: Double?
  /// What the fixed loop's medians differ by from run to run.
  private let driftOfLoop: Double?
  /// Cores that other processes used in one run and not in the other.
  private let coresOfOthers: Double

  init(base: RunFigures, head: RunFigures, comparability: Comparability, thresholds: Thresholds) {
    self.base = base
    self.head = head
    self.comparability = comparability
    self.thresholds = thresholds
    let conditions = [base, head].compactMap(\.record.conditions)
    unrest =
      ([base, head].compactMap(\.largestDifferenceOfHalves)
      + conditions.compactMap { $0.spreadOfLoop.map(share) })
      .max()
    let loops = conditions.compactMap { median($0.calibration.map { Double($0.nanoseconds) }) }
    driftOfLoop =
      loops.count == 2 && loops.allSatisfy { $0 > 0 }
      ? 1 - min(loops[0], loops[1]) / max(loops[0], loops[1]) : nil
    let others = conditions.compactMap(\.coresOfOthers)
    coresOfOthers = others.count == 2 ? abs(others[0] - others[1]) : 0
  }

  func row(_ metric: Metric, _ base: RunRow, _ head: RunRow) -> ComparisonRow {
    if metric == .timeToFirstToken, !comparability.firstTokensCarryOver {
      return withoutRatio(metric, base, head, "one record's TTFT starts at text, the other's at token ids")
    }
    return comparability.timesCarryOver ? times(metric, base, head) : shares(metric, base, head)
  }

  func withoutHead(_ base: RunRow, _ verdict: Verdict, _ reason: String) -> ComparisonRow {
    withoutRatio(base.cell.test.headlineMetric, base, nil, reason.safeLine, verdict)
  }

  /// A metric of a contestant's process, the largest of its cells; nil where a side has none.
  func row(_ metric: Metric, of contestant: MeasuredVariant) -> ComparisonRow? {
    let values = [base, head].map { run in
      run.rows.filter { $0.contestant == contestant }.compactMap { $0.figures[metric]?.value }.max()
    }
    guard let old = values[0], let new = values[1], old > 0, new > 0 else { return nil }
    return metric.span == nil ? memory(metric, contestant, old, new) : load(metric, contestant, old, new)
  }

  /// One value a process. Bytes mean the same on every machine.
  private func memory(_ metric: Metric, _ contestant: MeasuredVariant, _ old: Double, _ new: Double)
    -> ComparisonRow
  {
    let threshold = thresholds.ofMemory(base: old, head: new)
    var row = ComparisonRow(
      contestant: contestant, test: nil, metric: metric, base: old, head: new, baseSamples: 1,
      headSamples: 1, ratio: Figure(value: old / new), threshold: threshold,
      verdict: VerdictRule.verdict(of: old / new, beyond: threshold))
    let known = [base, head].map { $0.memoryUnrest(of: contestant) }
    row.noiseFloor = known.compactMap { $0 }.max() ?? RunFigures.usualMemoryUnrest
    if row.verdict.isChange, VerdictRule.verdict(of: old / new, beyond: row.noiseFloor ?? 0) == .unchanged {
      row.verdict = .inconclusive
      row.reason =
        known.contains { $0 == nil }
        ? "one process a side, and processes of one build differ by up to \(NumberText.percent(RunFigures.usualMemoryUnrest))"
        : "processes of one build differed by as much"
    }
    let tests = [base, head].map { Set($0.rows.filter { $0.contestant == contestant }.map(\.cell.test)) }
    if tests[0] != tests[1] {
      row.isOnlyShown("the peak covers all tests of a run, and the two runs had different tests")
    }
    return row
  }

  /// Loading reads memory, so DRAM's ceiling tells how the machine changed; a share of it would say nothing.
  private func load(_ metric: Metric, _ contestant: MeasuredVariant, _ old: Double, _ new: Double)
    -> ComparisonRow
  {
    // Every cell of a contestant holds the same ones.
    let times = [base, head].map { run in
      run.rows.filter { $0.contestant == contestant }.map { $0.cell.durations(of: metric) }
        .first { !$0.isEmpty } ?? []
    }
    var row = unpaired(metric, contestant, nil, times[0], times[1])
    (row.base, row.head) = (old, new)
    guard comparability.timesCarryOver else {
      row.ratio = nil
      row.isOnlyShown("load times do not carry over")
      return row
    }
    guard row.pValue != nil else {
      row.ratio = Figure(value: old / new)
      row.isOnlyShown("fewer than \(Bootstrap.minimumCount) loads on a side")
      return row
    }
    if times[0] == times[1] { row.isUnchangedAsTheSame() }
    row.machine = MachineDifference(roof: .memory(level: Ceiling.dram), ceilings(contestant))
    row.noiseFloor = noiseFloor(row.machine?.share, times, contestant)
    return row
  }

  private func times(_ metric: Metric, _ base: RunRow, _ head: RunRow) -> ComparisonRow {
    let times = [base, head].map { $0.cell.durations(of: metric) }
    var row = unpaired(metric, base.contestant, base.cell.test, times[0], times[1])
    (row.base, row.head) = (base.figures[metric]?.value, head.figures[metric]?.value)
    row.ratio = row.ratio?.widened(by: base.figures.openHalfWidth, head.figures.openHalfWidth)
    row.machine = MachineDifference(base, head, ceilings: ceilings(base.contestant))
    row.noiseFloor = noiseFloor(row.machine?.share, times, base.contestant)
    if base.cell.samples == head.cell.samples { row.isUnchangedAsTheSame() }
    return row
  }

  /// Each time in units of the least that the ceilings of its own run allow for the work.
  private func shares(_ metric: Metric, _ base: RunRow, _ head: RunRow) -> ComparisonRow {
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
      spreads.compactMap { roof, ceiling in roof.flatMap { ceiling?.spread($0) } }.max(),
      [baseTimes, headTimes], base.contestant)
    return row
  }

  /// What the machine alone may have done to a row. Within seconds it moves by as much as samples of a run differ, and
  /// between two runs at least as far again. What fixed work differed by from run to run comes on top, and so do the
  /// cores that others used beyond those that the row leaves free: a team waits for the thread whose core was taken.
  /// - Parameter times: of both runs.
  private func noiseFloor(_ ofCeilings: Double?, _ times: [[Double]], _ contestant: MeasuredVariant)
    -> Double?
  {
    let drift = [ofCeilings, driftOfLoop].compactMap { $0 }.max()
    let within = (times.compactMap { relativeSpread($0).map(share) } + [unrest].compactMap { $0 }).max()
    let free = Double(max(base.record.machine.logicalCores - contestant.threads, 0))
    let others = min(max(coresOfOthers - free, 0), 0.9)
    let known = [drift, within].compactMap { $0 }
    guard !known.isEmpty || others > 0 else { return nil }
    return 1 - known.reduce(1 - others) { $0 * (1 - $1) }
  }

  private func withoutRatio(
    _ metric: Metric, _ base: RunRow, _ head: RunRow?, _ reason: String, _ verdict: Verdict = .inconclusive
  ) -> ComparisonRow {
    ComparisonRow(
      contestant: base.contestant, test: base.cell.test, metric: metric, base: base.figures[metric]?.value,
      head: head?.figures[metric]?.value, baseSamples: base.cell.durations(of: metric).count,
      headSamples: head?.cell.durations(of: metric).count ?? 0, threshold: thresholds[metric],
      verdict: verdict, reason: reason)
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

// What two stored records alone say of a row.
extension ComparisonRow {
  /// The row with its verdict taken back where it does not hold for the times against the ceiling that bounds them.
  var heldAgainstTheMachine: ComparisonRow {
    guard pValue != nil, let machine, let ratio = ratio?.value, verdict.isChange || verdict == .unchanged
    else { return self }
    let corrected = ratio / machine.ratio
    guard VerdictRule.verdict(of: corrected, beyond: threshold) != verdict else { return self }
    var row = self
    row.verdict = .inconclusive
    row.reason =
      "the machine itself was \(machine.words): relative to its ceiling the ratio is "
      + NumberText.fixed(corrected, 3)
    return row
  }

  /// Where the samples are too few for any result among `tested` rows to be significant; nil where they are not.
  func insignificance(tested: Int) -> String? {
    let apart = MannWhitney(
      (0..<baseSamples).map(Double.init), (baseSamples..<baseSamples + headSamples).map(Double.init))
    guard let smallest = apart?.pValue, let p = pValue, let adjusted = adjustedPValue else { return nil }
    let sizes = "n = \(baseSamples) and \(headSamples) cannot show a change"
    let possible = "the smallest possible p is \(NumberText.significant(smallest, 2))"
    if smallest >= VerdictRule.alpha { return "\(sizes): \(possible)" }
    guard p <= smallest else { return nil }
    return "the samples do not overlap, but \(sizes) among \(counted(tested, "row")): \(possible), "
      + "\(NumberText.significant(adjusted, 2)) after Holm"
  }
}

/// The share by which a shorter time lies below one that is longer by `spread`.
private func share(_ spread: Double) -> Double { spread / (1 + spread) }

extension RunFigures {
  /// The share by which peaks of one build's processes were seen to differ, where a record has only one of them.
  static let usualMemoryUnrest = 0.04

  /// The share by which the peaks of a contestant's processes differ, all of which loaded the same model and made one
  /// token; nil for fewer than three.
  func memoryUnrest(of contestant: MeasuredVariant) -> Double? {
    let loads = rows.first { $0.contestant == contestant && $0.cell.load?.samples != nil }?.cell.load?.samples
    let peaks = (loads ?? []).compactMap(\.peakMemoryBytes)
    guard peaks.count >= Bootstrap.minimumCount, let least = peaks.min(), let most = peaks.max(), least > 0
    else { return nil }
    return 1 - Double(least) / Double(most)
  }

  /// The largest share by which one row's samples in the first half of the run differ from those in the second, median
  /// against median: the same program in both, so what the machine alone may do to one of so many rows. Nil where no
  /// row has three samples in each half.
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
