import Statistics

/// Two records side by side: a ratio with its interval and a verdict for each row that both have, and the
/// exit code that follows.
public struct Comparison: Sendable {
  /// The share of speed that may be lost unless the caller says otherwise.
  public static let defaultThreshold = 0.05

  let base: Record
  let head: Record
  let threshold: Double
  let rows: [ComparisonRow]
  /// Rows that only one record has a figure for, one line each.
  let unmatched: [String]
  /// Variants of the head that failed a correctness check, with the reason.
  let failures: [String]
  /// Why the two may not be comparable, one line each.
  let warnings: [String]

  /// - Parameter threshold: 0.05 for `--max-regression 5%`; held within 0...1.
  public init(base: Record, head: Record, threshold: Double = Comparison.defaultThreshold) {
    let baseFigures = RunFigures(base)
    let headFigures = RunFigures(head)
    let matcher = RowMatcher(
      base: baseFigures, head: headFigures, rule: VerdictRule(threshold: threshold))
    self.base = base
    self.head = head
    self.threshold = threshold
    rows = matcher.rows
    unmatched = matcher.unmatched
    failures = headFigures.variants.compactMap { variant in
      headFigures.failure(of: variant).map { "`\(variant)`: \($0.singleLine)" }
    }
    warnings = Comparability.warnings(base: base, head: head)
  }

  /// 3 where a row regressed; else 4 where a check failed in the head; else 5 where a row is inconclusive or
  /// nothing could be compared; else 0.
  public var exitCode: Int32 {
    let verdicts = rows.filter(\.counts).map(\.verdict)
    if verdicts.contains(.regressed) { return 3 }
    if !failures.isEmpty || verdicts.contains(.failed) { return 4 }
    if verdicts.contains(.inconclusive) || verdicts.isEmpty { return 5 }
    return 0
  }

  /// The geometric mean of the ratios of each metric, in the metrics' order, with how many there are.
  var geometricMeans: [(metric: String, ratio: Double, count: Int)] {
    ComparedMetric.allCases.compactMap { metric in
      let ratios = rows.filter { $0.metric == metric }.compactMap { $0.ratio?.value }
      return geometricMean(ratios).map { (metric.rawValue, $0, ratios.count) }
    }
  }
}

/// One metric of one contestant on one test, in both records.
struct ComparisonRow: Sendable {
  let contestant: Contestant
  /// Nil for what belongs to the whole process.
  let test: Test?
  let metric: ComparedMetric
  let base: Double?
  let head: Double?
  let baseSamples: Int
  let headSamples: Int
  /// Above 1 where the head is faster or smaller.
  let ratio: Figure?
  let verdict: Verdict
  /// Why there is no firm verdict, or no comparison.
  let reason: String?

  /// Whether the row decides the exit code.
  var counts: Bool { metric.counts }
}
