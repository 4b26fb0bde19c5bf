import Foundation

extension Comparison {
  /// The comparison for programs: indented, keys sorted; a key without a value is left out.
  public var json: String {
    get throws {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
      return String(decoding: try encoder.encode(Document(self)), as: UTF8.self) + "\n"
    }
  }

  private struct Document: Encodable {
    let schema = 1
    let threshold: Double
    let exitCode: Int32
    let warnings: [String]
    let failures: [String]
    let unmatched: [String]
    let rows: [Entry]
    let geometricMeans: [Mean]

    init(_ comparison: Comparison) {
      threshold = comparison.threshold
      exitCode = comparison.exitCode
      warnings = comparison.warnings
      failures = comparison.failures
      unmatched = comparison.unmatched
      rows = comparison.rows.map(Entry.init)
      geometricMeans = comparison.geometricMeans.map {
        Mean(metric: $0.metric, ratio: $0.ratio, rows: $0.count)
      }
    }
  }

  private struct Mean: Encodable {
    let metric: String
    let ratio: Double
    let rows: Int
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
    let verdict: Verdict
    let counts: Bool
    let reason: String?

    init(_ row: ComparisonRow) {
      variant = row.contestant.variant
      weights = row.contestant.weights
      threads = row.contestant.threads
      test = row.test?.name
      metric = row.metric.rawValue
      unit = row.metric.unit
      base = row.base
      head = row.head
      baseSamples = row.baseSamples
      headSamples = row.headSamples
      ratio = row.ratio?.value
      ratioLow = row.ratio?.interval?.lower
      ratioHigh = row.ratio?.interval?.upper
      verdict = row.verdict
      counts = row.counts
      reason = row.reason
    }
  }
}
