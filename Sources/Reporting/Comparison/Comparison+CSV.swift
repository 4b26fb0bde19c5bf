extension Comparison {
  /// One row a compared metric, RFC 4180; empty where there is no figure. Shares such as `threshold` are fractions.
  public var csv: String {
    let names = [
      "variant", "weights", "threads", "test", "metric", "unit", "base", "head", "base_samples",
      "head_samples", "ratio", "ratio_ci_low", "ratio_ci_high", "p", "p_adjusted", "threshold", "noise_floor",
      "smallest_detectable", "share_of_ceiling", "verdict", "confirmed", "counts", "reason",
    ]
    return CSVReport.table(
      names,
      rows.map { row in
        [
          row.contestant.variant, row.contestant.weights, "\(row.contestant.threads)", row.test?.name ?? "",
          row.metric.name, row.unit, Self.number(row.base), Self.number(row.head),
          "\(row.baseSamples)", "\(row.headSamples)", Self.number(row.ratio?.value),
          Self.number(row.ratio?.interval?.lower), Self.number(row.ratio?.interval?.upper),
          Self.number(row.pValue), Self.number(row.adjustedPValue), Self.number(row.threshold),
          Self.number(row.noiseFloor), Self.number(row.smallestDetectable), "\(row.isShareOfCeiling)",
          row.verdict.rawValue, row.isConfirmed.map { "\($0)" } ?? "", "\(row.counts)", row.reason ?? "",
        ]
      })
  }

  private static func number(_ value: Double?) -> String {
    value.map(NumberText.plain) ?? ""
  }
}
