import Files
import Record
import Statistics

/// Two runs or builds side by side: a verdict for each row that both have, and the exit code that follows.
public struct Comparison: Sendable {
  /// How the figures of both sides came about.
  public enum Method: String, Sendable {
    /// Two records, each of a run of its own: the samples are unpaired, and the machine may have changed in between.
    case stored
    /// Both builds in the rounds of one run: the samples are paired.
    case interleaved
  }

  let method: Method
  let base: ComparedSide
  let head: ComparedSide
  let thresholds: Thresholds
  let rows: [ComparisonRow]
  /// Rows that only one side has a figure for, one line each.
  let unmatched: [Prose]
  /// Variants of the head that failed a correctness check, with the reason.
  let failures: [Prose]
  /// Whether the head lost a contestant that failed no check: what it would have shown is not known.
  var hasLostHead = false
  /// Whether the base lost a contestant that it had measured: rows are gone that there were.
  var hasLostBaseMidway = false
  /// What limits the comparison: differences of both sides, records that are not whole. One line each.
  let warnings: [String]
  let notes: [Prose]
  /// Why rows changed, from both sides' profiles, one line each; empty where a side has none.
  var reasons: [Prose] = []

  /// 3 where a row regressed; else 4 where a check failed in the head; else 1 where the head lost a contestant for
  /// another reason; else 5 where a row is inconclusive, the base lost a contestant during the run, or nothing could be
  /// compared; else 0.
  public var exitCode: Int32 {
    let verdicts = rows.filter(\.counts).map(\.verdict)
    if verdicts.contains(.regressed) { return 3 }
    if !failures.isEmpty || verdicts.contains(.failed) { return 4 }
    if hasLostHead { return 1 }
    if verdicts.contains(.inconclusive) || verdicts.isEmpty || hasLostBaseMidway { return 5 }
    return 0
  }

  /// Rows that count first; of either kind the worst verdict first, and of one verdict the lowest ratio.
  var rowsWorstFirst: [ComparisonRow] {
    [true, false].flatMap { counts in
      Verdict.allCases.flatMap { verdict in
        rows.filter { $0.counts == counts && $0.verdict == verdict }.enumerated()
          .sorted { ($0.element.ratio?.value ?? 1, $0.offset) < ($1.element.ratio?.value ?? 1, $1.offset) }
          .map(\.element)
      }
    }
  }
}

struct ComparedSide: Sendable, Equatable {
  /// The record's file or the build's; nil where the report was not told.
  var label: String?
  /// Of `gpt2-bench`.
  var version: String
  var commit: String?
  /// When its run started: ISO 8601, UTC.
  var started: String
  var buildFlags: [String]

  /// `base.json, gpt2-bench 0.1.0, commit 0123abc, run of 2026-01-02T03:04:05Z (Swift 6.3, release, …)`
  var words: String {
    let parts = [label, "gpt2-bench \(version)", commit.map { "commit \($0)" }, "run of \(started)"]
    let flags = buildFlags.isEmpty ? "" : " (\(buildFlags.joined(separator: ", ")))"
    return parts.compactMap { $0 }.joined(separator: ", ").safeLine + flags.safeLine
  }
}

extension ComparedSide {
  init(_ record: Record, label: String?) {
    self.init(
      label: label, version: record.build.version, commit: record.build.commit, started: record.started,
      buildFlags: record.build.flags)
  }
}

extension Build {
  public var flags: [String] { [compiler, configuration, cpuFlag, "\(vectorBits)-bit vectors"] }
}

/// One metric of one contestant on one test, on both sides.
struct ComparisonRow: Sendable {
  let contestant: MeasuredVariant
  /// Nil for what belongs to the whole process.
  let test: Test?
  let metric: Metric
  /// The figure as `unit` has it; nil where there is none.
  var base: Double?
  var head: Double?
  var baseSamples = 0
  var headSamples = 0
  /// Above 1 where the head is faster or smaller.
  var ratio: Figure?
  /// Two-sided, of the test that the method uses; nil for what was not tested.
  var pValue: Double?
  var adjustedPValue: Double?
  /// The change, as a share, that shows without any change of the program: of the interleaved comparison base against
  /// base, of stored records what the ceilings differed by between the runs, and the samples within one.
  var noiseFloor: Double?
  var smallestDetectable: Double?
  /// Whether `base` and `head` are percent of the ceilings of their own run.
  var isShareOfCeiling = false
  /// The change, as a share, from which on it counts.
  var threshold: Double
  /// A change beyond this share, though it does not count, is not called unchanged; nil for the threshold itself.
  var tolerance: Double?
  var verdict: Verdict
  var reason: String?
  /// Whether a second, independent measurement bore the verdict out; nil where there was none.
  var isConfirmed: Bool?
  /// Whether the row decides the exit code.
  var counts = true
  /// Of two stored runs; nil where it is not known, or where the figures are shares of the machine's ceilings.
  var machine: MachineDifference?

  var unit: String { isShareOfCeiling ? "% of ceiling" : metric.unit.name }
  var label: String { RowFilter.label(contestant, test, metric) }
}

struct GroupMean: Sendable, Equatable {
  let metric: Metric
  /// Nil for the rows of every variant.
  let variant: String?
  /// Above 1 where the head is better.
  let ratio: Double
  let count: Int
}

extension Comparison {
  /// Metric by metric in the metrics' order: of all rows, then of each variant where there are several.
  var groupMeans: [GroupMean] {
    Metric.compared.flatMap { metric in
      let own = rows.filter { $0.metric == metric && $0.ratio != nil }
      let variants = own.map(\.contestant.variant).uniqued()
      let groups: [String?] = [nil] + (variants.count > 1 ? variants : [])
      return groups.compactMap { variant -> GroupMean? in
        let ratios = own.filter { variant == nil || $0.contestant.variant == variant }.compactMap(
          \.ratio?.value)
        return geometricMean(ratios).map {
          GroupMean(metric: metric, variant: variant, ratio: $0, count: ratios.count)
        }
      }
    }
  }
}
