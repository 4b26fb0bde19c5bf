import Foundation
import Record

extension Comparison {
  /// The comparison for programs: indented, keys sorted; a key without a value is left out. Shares such as
  /// `threshold` are fractions.
  public var json: String {
    get throws {
      String(decoding: try readableJSON(Document(self)), as: UTF8.self)
    }
  }

  private struct Document: Encodable {
    let schema = 2
    let method: String
    let base: Party
    let head: Party
    /// By the metric's word.
    let thresholds: [String: Double]
    let exitCode: Int32
    let warnings: [String]
    let failures: [String]
    let unmatched: [String]
    let notes: [String]
    let rows: [Entry]
    let geometricMeans: [Mean]

    init(_ comparison: Comparison) {
      method = comparison.method.rawValue
      base = Party(comparison.base)
      head = Party(comparison.head)
      thresholds = Dictionary(
        uniqueKeysWithValues: Metric.compared.map { ($0.word, comparison.thresholds[$0]) })
      exitCode = comparison.exitCode
      warnings = comparison.warnings
      failures = comparison.failures
      unmatched = comparison.unmatched
      notes = comparison.notes
      rows = comparison.rows.map(Entry.init)
      geometricMeans = comparison.groupMeans.map(Mean.init)
    }
  }

  private struct Party: Encodable {
    let label: String?
    let version: String
    let commit: String?
    let started: String
    let buildFlags: [String]

    init(_ side: Side) {
      label = side.label
      version = side.version
      commit = side.commit
      started = side.started
      buildFlags = side.buildFlags
    }
  }

  private struct Mean: Encodable {
    let metric: String
    /// Absent for the mean over all variants.
    let variant: String?
    let ratio: Double
    let rows: Int

    init(_ mean: GroupMean) {
      metric = mean.metric.name
      variant = mean.variant
      ratio = mean.ratio
      rows = mean.count
    }
  }

  private struct Entry: Encodable {
    let variant: String
    let weights: String
    let threads: Int
    let test: String?
    let metric: String
    let unit: String
    let base: Double?
    let head: Double?
    let baseSamples: Int
    let headSamples: Int
    let ratio: Double?
    let ratioLow: Double?
    let ratioHigh: Double?
    let p: Double?
    let pAdjusted: Double?
    let threshold: Double
    let noiseFloor: Double?
    let smallestDetectable: Double?
    let shareOfCeiling: Bool
    let verdict: Verdict
    let confirmed: Bool?
    let counts: Bool
    let reason: String?

    init(_ row: ComparisonRow) {
      variant = row.contestant.variant
      weights = row.contestant.weights
      threads = row.contestant.threads
      test = row.test?.name
      metric = row.metric.name
      unit = row.unit
      base = row.base
      head = row.head
      baseSamples = row.baseSamples
      headSamples = row.headSamples
      ratio = row.ratio?.value
      ratioLow = row.ratio?.interval?.lower
      ratioHigh = row.ratio?.interval?.upper
      p = row.pValue
      pAdjusted = row.adjustedPValue
      threshold = row.threshold
      noiseFloor = row.noiseFloor
      smallestDetectable = row.smallestDetectable
      shareOfCeiling = row.isShareOfCeiling
      verdict = row.verdict
      confirmed = row.isConfirmed
      counts = row.counts
      reason = row.reason
    }
  }
}
