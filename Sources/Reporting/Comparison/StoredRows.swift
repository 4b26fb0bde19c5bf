import Record
import Statistics

/// The rows of two records, paired by variant, weights, threads and test: each metric of a pair with its evidence.
struct StoredRows: Sendable {
  /// A line of a report, and what a filter looks at.
  struct Remark: Sendable {
    let label: String
    let line: String
  }

  private struct Key: Hashable {
    let contestant: Contestant
    let test: Test

    init(_ row: RunRow) {
      contestant = row.contestant
      test = row.cell.test
    }
  }

  let comparability: Comparability
  let evidence: StoredEvidence
  private(set) var unmatched: [Remark] = []
  private(set) var failures: [Remark] = []
  private var candidates: [StoredCandidate] = []

  init(base: Record, head: Record, thresholds: Thresholds) {
    comparability = Comparability(base: base, head: head)
    evidence = StoredEvidence(
      base: RunFigures(base), head: RunFigures(head), comparability: comparability, thresholds: thresholds)
    let headFigures = evidence.head
    failures = headFigures.variants.compactMap { variant in
      headFigures.failure(of: variant).map {
        Remark(label: variant, line: "`\(variant)`: \($0.singleLine)")
      }
    }
    guard comparability.isPossible else { return }
    matchTests()
    let contestants = evidence.base.rows.map(\.contestant).uniqued()
    candidates += contestants.compactMap(evidence.memory) + contestants.compactMap(evidence.load)
  }

  /// What `filter` keeps.
  ///
  /// - Throws: `OptionError` where there are rows and none is kept.
  func kept(by filter: RowFilter) throws(OptionError) -> StoredRows {
    let labels = (candidates.map(\.row.label) + unmatched.map(\.label)).uniqued()
    guard labels.isEmpty || labels.contains(where: filter.keeps) else {
      throw filter.matchesNone(of: labels)
    }
    var copy = self
    copy.candidates = candidates.filter { filter.keeps($0.row.label) }
    copy.unmatched = unmatched.filter { filter.keeps($0.label) }
    let variants = Set(copy.candidates.map(\.row.contestant.variant))
    copy.failures = failures.filter { variants.contains($0.label) || filter.keeps($0.label) }
    return copy
  }

  /// What speaks against each record's own figures.
  var validity: [String] {
    [("base", evidence.base), ("head", evidence.head)].flatMap { side, run in
      Validity(run.record).findings.filter { $0.severity == .warning }.map {
        "In the \(side)'s run: \($0.text)."
      }
    }
  }

  /// Every row with its verdict.
  var judged: [ComparisonRow] {
    let rows = candidates.map(\.row).judged(insignificance: StoredCandidate.insignificance)
    return zip(rows, candidates).map { $1.heldAgainstTheMachine($0) }
  }

  private mutating func matchTests() {
    let (base, head) = (evidence.base, evidence.head)
    let headRows = Dictionary(head.rows.map { (Key($0), $0) }) { first, _ in first }
    let baseKeys = Set(base.rows.map(Key.init))
    for row in base.rows { match(row, headRows[Key(row)]) }
    for row in head.rows where !baseKeys.contains(Key(row)) { leaveOut(row, "only in head") }
  }

  private mutating func match(_ base: RunRow, _ head: RunRow?) {
    guard let head else { return leaveOut(base, "only in base") }
    if case .failed(let reason) = head.check {
      candidates.append(evidence.withoutHead(base, .failed, "head failed its check: \(reason)"))
    } else if base.hasFigures, head.hasFigures {
      candidates += Metric.compared(on: base.cell.test).map { evidence.candidate($0, base, head) }
    } else if base.hasFigures {
      let reason = "head has no figure: \(Self.status(head))"
      candidates.append(evidence.withoutHead(base, .inconclusive, reason))
    } else {
      let place = head.hasFigures ? "only in head; base has no figure" : "no figure in either record; base"
      leaveOut(base, "\(place): \(Self.status(base))")
    }
  }

  private mutating func leaveOut(_ row: RunRow, _ why: String) {
    let metric = Metric.compared(on: row.cell.test)[0]
    unmatched.append(
      Remark(
        label: RowFilter.label(row.contestant, row.cell.test, metric),
        line: "\(row.contestant.markdown) on \(row.cell.test.name): \(why)"))
  }

  private static func status(_ row: RunRow) -> String {
    row.cell.status.words + (row.cell.message.map { ": \($0.singleLine)" } ?? "")
  }
}
