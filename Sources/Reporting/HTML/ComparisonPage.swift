extension Comparison {
  /// More rows in one chart would push everything else away; the table has all of them.
  private static let chartLimit = 24
  /// So many rows without news are shown; more are folded.
  private static let openLimit = 30

  /// The comparison as one page for a browser: the answer, every ratio in a chart, then what the report has.
  public var html: String {
    let (urgent, others) = (rowsWorstFirst.filter(\.isUrgent), rowsWorstFirst.filter { !$0.isUrgent })
    let document = Document(
      title: title, opening: opening,
      sections: [
        Section(id: "why", title: "Why", [.list(reasons)]), ratios,
        Section(
          id: "rows", title: "Every row",
          [
            table(of: urgent),
            .details(
              counted(others.count, urgent.isEmpty ? "row" : "other row"), [table(of: others)],
              isOpen: others.count <= Self.openLimit),
          ]), Section(id: "means", title: "Geometric means", means), onOneSide, explanation,
      ])
    let command =
      method == .stored
      ? "gpt2-bench compare BASE HEAD --format html" : "gpt2-bench report RECORD --format html"
    return HTMLPage(
      document, answer: answer, cards: cards, footer: "Made by gpt2-bench; '\(command)' makes it again."
    ).text
  }

  /// What changed, in sentences; then what is not known.
  var answer: Prose {
    let counting = rowsWorstFirst.filter(\.counts)
    guard !counting.isEmpty else { return "Nothing could be compared." }
    let words: [(verdict: Verdict, word: String)] = [(.regressed, "worse"), (.improved, "better")]
    let changes = words.compactMap { verdict, word -> Prose? in
      let changed = counting.filter { $0.verdict == verdict }
      guard let most = verdict == .regressed ? changed.first : changed.last else { return nil }
      return
        "Head is \(word) in \(changed.count) of \(counted(counting.count, "row")), most in \(Self.words(most))."
    }
    let failed: [Prose] =
      failures.isEmpty ? [] : ["Head failed \(counted(failures.count, "correctness check"))."]
    let open = counting.count { $0.verdict == .inconclusive }
    let isWhole = changes.isEmpty && failed.isEmpty && open == 0
    let rest: Prose =
      isWhole
      ? "Nothing changed: all \(counted(counting.count, "row")) are within their thresholds."
      : open > 0 ? "\(counted(open, "row")) could not be decided." : ""
    return (changes + failed + [rest]).filter { !$0.isEmpty }.joined(separator: " ")
  }

  /// ``decode tok/s of `packed` on tg8 @ d16: 0.912 times as good as base``
  private static func words(_ row: ComparisonRow) -> Prose {
    let test = row.test.map { " on \($0.name)" } ?? ""
    let ratio = row.ratio.map { ": \(NumberText.fixed($0.value, 3)) times as good as base" } ?? ""
    return "\(row.metric.name) of `\(row.contestant.variant)`\(test)\(ratio)"
  }

  private var cards: [Card] {
    groupMeans.filter { $0.variant == nil }.map { mean in
      Card(
        title: "\(mean.metric.name), geometric mean of \(counted(mean.count, "row"))",
        figure: NumberText.fixed(mean.ratio, 3) + " ×", unit: "above 1 head is better")
    }
  }

  private var ratios: Section? {
    let note: Prose = """
      Head against base: above 1 head is faster or smaller. A line is the interval of the ratio, a box what the row's \
      threshold allows. Only rows that count are drawn, the worst first.
      """
    let charts = Metric.compared.compactMap(chart)
    return Section(id: "ratios", title: "By how much", charts.isEmpty ? [] : [.note(note), .charts(charts)])
  }

  private func chart(of metric: Metric) -> Figured? {
    let rows = rowsWorstFirst.compactMap { row -> RatioChart.Row? in
      guard row.metric == metric, row.counts, let ratio = row.ratio else { return nil }
      let name = [row.contestantWords, row.test?.name].compactMap { $0 }.joined(separator: ", ")
      return RatioChart.Row(name: name, ratio: ratio, threshold: row.threshold, verdict: row.verdict)
    }
    guard !rows.isEmpty else { return nil }
    let shown = rows.prefix(Self.chartLimit)
    let description = shown.map { "\($0.name): \($0.figure), \($0.verdict.rawValue)" }
    let left = rows.count - shown.count
    return Figured(
      chart: RatioChart(rows: Array(shown), axisTitle: "ratio, above 1 is better").chart(
        id: "ratio-\(metric.word)", title: "Ratio of head to base: \(metric.name)",
        description: description.joined(separator: "; ") + "."),
      caption: Prose(metric.name),
      note: left > 0
        ? "\(counted(left, "row")) with higher ratios or without news are in the table alone." : "")
  }
}
