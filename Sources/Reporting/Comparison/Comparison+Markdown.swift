import Statistics

extension Comparison {
  /// The comparison for people: the verdict, every row (the worst first), geometric means, what had no
  /// counterpart, and how to read it.
  public var markdown: String {
    let parts = [
      "# Comparison of two \(method.nouns)", verdictLine,
      warnings.map { "> **Warning:** \($0)" }.joined(separator: "\n>\n"),
      failures.isEmpty ? "" : "Failed its correctness check in head:\n\n" + MarkdownReport.list(failures),
      table(of: rowsWorstFirst), reasons.isEmpty ? "" : "## Why\n\n" + MarkdownReport.list(reasons),
      meansTable,
      unmatched.isEmpty ? "" : "## On one side only\n\n" + MarkdownReport.list(unmatched), explanation,
    ]
    return parts.filter { !$0.isEmpty }.joined(separator: "\n\n") + "\n"
  }

  /// `1 regressed, 2 unchanged.`, of the rows that count.
  var summary: String {
    let counted = rows.filter(\.counts)
    let parts = Verdict.allCases.compactMap { verdict -> String? in
      let count = counted.count { $0.verdict == verdict }
      return count > 0 ? "\(count) \(verdict.rawValue)" : nil
    }
    return parts.isEmpty ? "Nothing could be compared." : parts.joined(separator: ", ") + "."
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

  /// The verdict in bold, the thresholds and the exit code.
  var verdictLine: String {
    "**\(summary)** A change counts from \(thresholds.words); exit code \(exitCode)."
  }

  /// Empty for no rows.
  func table(of rows: [ComparisonRow]) -> String {
    guard !rows.isEmpty else { return "" }
    var columns = ComparisonColumn.always
    for column in ComparisonColumn.sometimes where rows.contains(where: { !column.display($0).isEmpty }) {
      columns.append(column)
    }
    columns.append(ComparisonColumn.remark)
    var table = MarkdownTable(columns.map { ($0.heading, $0.alignment) })
    table.rows = rows.map { row in columns.map { $0.display(row) } }
    return table.text
  }

  /// A line for all rows, then one a variant; a column a metric, with the number of rows behind each mean.
  var meansTable: String {
    let metrics = groupMeans.map(\.metric).uniqued()
    guard !metrics.isEmpty else { return "" }
    var table = MarkdownTable(
      [("geometric mean of the ratios (rows)", .left)] + metrics.map { ($0.name, .right) })
    table.rows = groupMeans.map(\.variant).uniqued().map { variant in
      let means = metrics.map { metric in
        groupMeans.first { $0.metric == metric && $0.variant == variant }
          .map { "\(NumberText.fixed($0.ratio, 3)) (\($0.count))" } ?? ""
      }
      return [variant.map { "`\($0)`" } ?? "all"] + means
    }
    return table.text
  }
}

extension Comparison.Method {
  /// `Comparison of two …`
  var nouns: String {
    switch self {
    case .stored: return "runs"
    case .interleaved: return "builds"
    }
  }
}

/// A column of the Markdown table.
private struct ComparisonColumn {
  let heading: String
  let alignment: MarkdownTable.Alignment
  let display: (ComparisonRow) -> String

  init(
    _ heading: String, _ alignment: MarkdownTable.Alignment, _ display: @escaping (ComparisonRow) -> String
  ) {
    self.heading = heading
    self.alignment = alignment
    self.display = display
  }

  static var always: [Self] {
    [
      Self("verdict", .left, verdict), Self("variant", .left) { "`\($0.contestant.variant)`" },
      Self("weights", .left) { $0.contestant.weights },
      Self("threads", .right) { "\($0.contestant.threads)" },
      Self("test", .left) { $0.test?.name ?? "" }, Self("metric", .left) { $0.metric.name },
      Self("base", .right) { $0.base.map { NumberText.significant($0) } ?? "" },
      Self("head", .right) { $0.head.map { NumberText.significant($0) } ?? "" },
      Self("unit", .left) { $0.unit },
      Self("n", .right) { "\($0.baseSamples), \($0.headSamples)" },
      Self("ratio, > 1 is better", .right) { $0.ratio.map { NumberText.fixed($0.value, 3) } ?? "" },
      Self("CI", .left) {
        $0.ratio?.interval.map { "\(NumberText.fixed($0.lower, 3)) to \(NumberText.fixed($0.upper, 3))" }
          ?? ""
      },
      Self("p, Holm", .right) { $0.adjustedPValue.map { NumberText.significant($0, 2) } ?? "" },
    ]
  }

  /// Left out where no row has a value.
  static var sometimes: [Self] {
    [
      Self("noise floor", .right) { percent($0.noiseFloor) },
      Self("smallest detectable", .right) { percent($0.smallestDetectable) },
      Self("confirmed", .left) { $0.isConfirmed.map { $0 ? "yes" : "no" } ?? "" },
    ]
  }

  static var remark: Self { Self("remark", .left) { $0.reason ?? "" } }

  /// In parentheses where it does not decide.
  private static func verdict(_ row: ComparisonRow) -> String {
    guard row.counts else { return "(\(row.verdict.rawValue))" }
    return row.verdict == .regressed ? "**regressed**" : row.verdict.rawValue
  }

  private static func percent(_ share: Double?) -> String {
    share.map { NumberText.fixed($0 * 100, 1) + " %" } ?? ""
  }
}
