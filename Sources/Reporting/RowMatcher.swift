import Statistics

/// Pairs the rows of two records by variant, weights, threads and test, and judges each metric of a pair.
struct RowMatcher {
  private(set) var rows: [ComparisonRow] = []
  private(set) var unmatched: [String] = []
  private let rule: VerdictRule

  private struct Key: Hashable {
    let contestant: Contestant
    let test: Test

    init(_ row: Row) {
      contestant = row.contestant
      test = row.cell.test
    }
  }

  init(base: RunFigures, head: RunFigures, rule: VerdictRule) {
    self.rule = rule
    let headRows = Dictionary(head.rows.map { (Key($0), $0) }) { first, _ in first }
    let baseKeys = Set(base.rows.map(Key.init))
    for row in base.rows {
      match(row, headRows[Key(row)])
    }
    for row in head.rows where !baseKeys.contains(Key(row)) {
      unmatched.append("\(Self.name(row)): only in head")
    }
    compareProcesses(base, head)
  }

  private mutating func match(_ base: Row, _ head: Row?) {
    guard let head else {
      unmatched.append("\(Self.name(base)): only in base")
      return
    }
    if case .failed(let reason) = head.check {
      rows += ComparedMetric.sampled(on: head.cell.test).prefix(1).map {
        without($0, base, head, .failed, "head failed its check: \(reason)")
      }
    } else if base.hasFigures, head.hasFigures {
      rows += ComparedMetric.sampled(on: base.cell.test).map { compare($0, base, head) }
    } else if base.hasFigures {
      let reason = "head has no figure: \(Self.status(head))"
      rows += ComparedMetric.sampled(on: head.cell.test).prefix(1).map {
        without($0, base, head, .inconclusive, reason)
      }
    } else {
      let place = head.hasFigures ? "only in head; base has no figure" : "no figure in either record; base"
      unmatched.append("\(Self.name(base)): \(place): \(Self.status(base))")
    }
  }

  private func compare(_ metric: ComparedMetric, _ base: Row, _ head: Row) -> ComparisonRow {
    let baseTimes = metric.durations(base.cell)
    let headTimes = metric.durations(head.cell)
    let ratio = Figure(medianOf: baseTimes, overMedianOf: headTimes)
    let verdict: Verdict
    let reason: String?
    if base.cell.samples == head.cell.samples {
      (verdict, reason) = (.unchanged, "the same samples in both records")
    } else if let ratio, let interval = ratio.interval {
      verdict = rule.verdict(ratio: ratio.value, interval: (interval.lower, interval.upper))
      reason = verdict == .inconclusive ? "the interval reaches across the threshold" : nil
    } else {
      let fewest = min(baseTimes.count, headTimes.count)
      (verdict, reason) = (.inconclusive, "n=\(fewest), at least \(Bootstrap.minimumCount) needed")
    }
    return ComparisonRow(
      contestant: base.contestant, test: base.cell.test, metric: metric,
      base: metric.value(base.figures), head: metric.value(head.figures), baseSamples: baseTimes.count,
      headSamples: headTimes.count, ratio: ratio, verdict: verdict, reason: reason)
  }

  private func without(
    _ metric: ComparedMetric, _ base: Row, _ head: Row, _ verdict: Verdict, _ reason: String
  ) -> ComparisonRow {
    ComparisonRow(
      contestant: base.contestant, test: base.cell.test, metric: metric, base: metric.value(base.figures),
      head: nil, baseSamples: metric.durations(base.cell).count, headSamples: 0, ratio: nil,
      verdict: verdict, reason: reason.singleLine)
  }

  /// Memory and load time: one value a contestant, the largest of its cells.
  private mutating func compareProcesses(_ base: RunFigures, _ head: RunFigures) {
    for metric in ComparedMetric.singleValued {
      for contestant in base.rows.map(\.contestant).uniqued() {
        let values = [base, head].map { run in
          run.rows.filter { $0.contestant == contestant }.compactMap { metric.value($0.figures) }.max()
        }
        guard let old = values[0], let new = values[1], old > 0, new > 0 else { continue }
        rows.append(
          ComparisonRow(
            contestant: contestant, test: nil, metric: metric, base: old, head: new, baseSamples: 1,
            headSamples: 1, ratio: Figure(value: old / new),
            verdict: rule.verdict(singleRatio: old / new),
            reason: metric.counts ? nil : "one value a side, does not count"))
      }
    }
  }

  private static func name(_ row: Row) -> String {
    "\(row.contestant.markdown) on \(row.cell.test.name)"
  }

  private static func status(_ row: Row) -> String {
    row.cell.status.words + (row.cell.message.map { ": \($0.singleLine)" } ?? "")
  }
}
