import Statistics

extension Comparison {
  /// The comparison for people: the verdict, every row (the worst first), geometric means, what had no
  /// counterpart, and how to read it.
  public var markdown: String {
    let parts = [
      "# Comparison of two runs",
      warnings.map { "> **Warning:** \($0)" }.joined(separator: "\n>\n"),
      "**\(summary)** Threshold \(NumberText.plain(threshold * 100)) %, exit code \(exitCode).",
      failures.isEmpty ? "" : "Failed its correctness check in head:\n\n" + MarkdownReport.list(failures),
      rowTable, meansTable,
      unmatched.isEmpty ? "" : "## In one record only\n\n" + MarkdownReport.list(unmatched), explanation,
    ]
    return parts.filter { !$0.isEmpty }.joined(separator: "\n\n") + "\n"
  }

  /// One row a compared metric, RFC 4180; empty where there is no figure.
  public var csv: String {
    let names = [
      "variant", "weights", "threads", "test", "metric", "unit", "base", "head", "base_samples",
      "head_samples", "ratio", "ratio_ci_low", "ratio_ci_high", "verdict", "counts", "reason",
    ]
    return CSVReport.table(
      names,
      rows.map { row in
        [
          row.contestant.variant, row.contestant.weights, "\(row.contestant.threads)", row.test?.name ?? "",
          row.metric.rawValue, row.metric.unit, Self.number(row.base), Self.number(row.head),
          "\(row.baseSamples)", "\(row.headSamples)", Self.number(row.ratio?.value),
          Self.number(row.ratio?.interval?.lower), Self.number(row.ratio?.interval?.upper),
          row.verdict.rawValue, "\(row.counts)", row.reason ?? "",
        ]
      })
  }

  /// `1 regressed, 2 unchanged.`, of the rows that count.
  private var summary: String {
    let counted = rows.filter(\.counts)
    let parts = Verdict.allCases.compactMap { verdict -> String? in
      let count = counted.count { $0.verdict == verdict }
      return count > 0 ? "\(count) \(verdict.rawValue)" : nil
    }
    return parts.isEmpty ? "Nothing could be compared." : parts.joined(separator: ", ") + "."
  }

  /// In parentheses where it does not decide.
  private static func verdict(of row: ComparisonRow) -> String {
    guard row.counts else { return "(\(row.verdict.rawValue))" }
    return row.verdict == .regressed ? "**regressed**" : row.verdict.rawValue
  }

  private var rowTable: String {
    guard !rows.isEmpty else { return "" }
    var table = MarkdownTable([
      ("verdict", .left), ("variant", .left), ("weights", .left), ("threads", .right), ("test", .left),
      ("metric", .left), ("base", .right), ("head", .right), ("unit", .left), ("n", .right),
      ("ratio, > 1 is better", .right), ("95 % CI", .left), ("remark", .left),
    ])
    let ordered = [true, false].flatMap { counts in
      Verdict.allCases.flatMap { verdict in
        rows.filter { $0.counts == counts && $0.verdict == verdict }
      }
    }
    table.rows = ordered.map { row in
      [
        Self.verdict(of: row),
        "`\(row.contestant.variant)`", row.contestant.weights, "\(row.contestant.threads)",
        row.test?.name ?? "", row.metric.rawValue, row.base.map { NumberText.significant($0) } ?? "",
        row.head.map { NumberText.significant($0) } ?? "", row.metric.unit,
        "\(row.baseSamples), \(row.headSamples)", row.ratio.map { NumberText.fixed($0.value, 3) } ?? "",
        row.ratio?.interval.map {
          "\(NumberText.fixed($0.lower, 3)) to \(NumberText.fixed($0.upper, 3))"
        } ?? "",
        row.reason ?? "",
      ]
    }
    return table.text
  }

  private var meansTable: String {
    guard !geometricMeans.isEmpty else { return "" }
    var table = MarkdownTable([
      ("geometric mean of the ratios", .left), ("ratio, > 1 is better", .right), ("rows", .right),
    ])
    table.rows = geometricMeans.map { [$0.metric, NumberText.fixed($0.ratio, 3), "\($0.count)"] }
    return table.text
  }

  private var explanation: String {
    let rule = VerdictRule(threshold: threshold)
    let worse = NumberText.fixed(rule.worse, 3)
    let better = NumberText.fixed(rule.better, 3)
    return """
      ## How to read it

      - **Ratio** = median time in base ÷ median time in head (of a rate: the head's ÷ the base's; of memory: base ÷ head). Above 1 the head is faster or smaller.
      - **CI** is the 95 % percentile bootstrap of that ratio; the two records are resampled apart (unpaired).
      - **regressed**: the whole interval is below 1 and the ratio below \(worse). **improved**: the whole interval is above 1 and the ratio above \(better). **unchanged**: the interval lies within \(worse) to \(better). Otherwise, and with fewer than \(Bootstrap.minimumCount) samples on a side, **inconclusive**. **failed**: the head has no figure, because it failed its correctness check.
      - Peak memory is one value a process, and the threshold alone judges it. A load time is one value too; it is shown and does not count.
      - Exit code: 3 where a row regressed, else 4 where a check failed in head, else 5 where a row is inconclusive or nothing could be compared, else 0.
      - Base: \(Self.identity(base)). Head: \(Self.identity(head)).
      """
  }

  private static func identity(_ record: Record) -> String {
    [
      "gpt2-bench \(record.build.version)", record.build.commit.map { "commit \($0)" },
      "run of \(record.started)",
    ].compactMap { $0 }.joined(separator: ", ")
  }

  private static func number(_ value: Double?) -> String {
    value.map(NumberText.plain) ?? ""
  }
}
