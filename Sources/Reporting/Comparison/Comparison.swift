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
  let base: Side
  let head: Side
  let thresholds: Thresholds
  /// In the base's order.
  let rows: [ComparisonRow]
  /// Rows that only one side has a figure for, one line each.
  let unmatched: [String]
  /// Variants of the head that failed a correctness check, with the reason.
  let failures: [String]
  /// Whether the head lost a contestant that failed no check: what it would have shown is not known.
  var hasLostHead = false
  /// Whether the base lost a contestant that it had measured: rows are gone that there were.
  var hasLostBaseMidway = false
  /// What limits the comparison: differences of both sides, records that are not whole. One line each.
  let warnings: [String]
  /// How this comparison was made, one line each.
  let notes: [String]
  /// Why rows changed, from both sides' profiles, one line each; empty where a side has none.
  var reasons: [String] = []

  /// 3 where a row regressed; else 4 where a check failed in the head; else 1 where the head lost a contestant for
  /// another reason; else 5 where a row is inconclusive, the base lost a contestant on the way or nothing could be
  /// compared; else 0.
  public var exitCode: Int32 {
    let verdicts = rows.filter(\.counts).map(\.verdict)
    if verdicts.contains(.regressed) { return 3 }
    if !failures.isEmpty || verdicts.contains(.failed) { return 4 }
    if hasLostHead { return 1 }
    if verdicts.contains(.inconclusive) || verdicts.isEmpty || hasLostBaseMidway { return 5 }
    return 0
  }
}

/// What a report says of one side.
struct Side: Sendable, Equatable {
  /// The record's file or the build's; nil where the report was not told.
  var label: String?
  /// Of `gpt2-bench`.
  var version: String
  var commit: String?
  /// When its run started: ISO 8601, UTC.
  var started: String
  /// Compiler, configuration, CPU flag and vector width.
  var buildFlags: [String]

  /// `base.json, gpt2-bench 0.1.0, commit 0123abc, run of 2026-01-02T03:04:05Z (Swift 6.3, release, …)`
  var words: String {
    let parts = [label, "gpt2-bench \(version)", commit.map { "commit \($0)" }, "run of \(started)"]
    let flags = buildFlags.isEmpty ? "" : " (\(buildFlags.joined(separator: ", ")))"
    return parts.compactMap { $0 }.joined(separator: ", ").singleLine + flags.singleLine
  }
}

extension Side {
  init(_ record: Record, label: String? = nil) {
    self.init(
      label: label, version: record.build.version, commit: record.build.commit, started: record.started,
      buildFlags: record.build.flags)
  }
}

extension Build {
  /// Compiler, configuration, CPU flag and vector width.
  public var flags: [String] { [compiler, configuration, cpuFlag, "\(vectorBits)-bit vectors"] }
}
