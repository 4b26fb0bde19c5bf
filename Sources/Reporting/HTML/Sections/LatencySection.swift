import Record

extension PageSection {
  /// The gaps between tokens, a strip a contestant.
  static func latencies(_ context: PageContext) -> PageSection? {
    let figures = context.run.tests.filter(\.isDecode).enumerated().compactMap {
      chart(context, $1, number: $0)
    }
    guard !figures.isEmpty else { return nil }
    let note =
      "Every gap between two tokens, of all samples together, as a multiple of the variant's own median, so that all can "
      + "be compared; at the right the percentiles in milliseconds. A narrow strip is a steady stream, what lies far to "
      + "the right a stutter that a reader notices. Variants that recompute the sequence spread, because each token takes "
      + "longer than the one before."
    return PageSection(
      id: "latency", title: "From token to token: ITL", [.note(note), .charts(figures)])
  }

  private static func chart(_ context: PageContext, _ test: Test, number: Int) -> Markup? {
    let strips = context.run.ranked(on: test).compactMap { row -> StripChart.Strip? in
      guard let marked = row.figures.interTokenLatencyMS, marked.p50 > 0 else { return nil }
      return StripChart.Strip(
        name: context.name(of: row.contestant), values: row.cell.tokenGaps.map { $0 * 1e-6 }, marked: marked,
        figure: Column.interTokenLatency.display(row) + " ms", style: context.style(of: row.contestant))
    }
    guard !strips.isEmpty else { return nil }
    var table = MarkdownTable([
      ("variant", .left), ("gaps", .right), ("p50 ms", .right), ("p90 ms", .right), ("p99 ms", .right),
      ("longest ms", .right),
    ])
    table.rows = strips.map { strip in
      [strip.name, "\(strip.values.count)"]
        + [strip.marked.p50, strip.marked.p90, strip.marked.p99, strip.values.max() ?? 0].map {
          NumberText.significant($0)
        }
    }
    return .figure(
      StripChart(strips: strips, axisTitle: "gap ÷ the variant's own median").chart(
        id: "latency-\(number)", title: "Inter-token latency over its median, \(test.name)",
        description: "A strip a variant. P50, P90 and P99 of each variant: "
          + strips.map { "\($0.name) \($0.figure)" }.joined(separator: "; ") + "."),
      caption: "Inter-token latency, \(test.name)", note: "At the right: p50 / p90 / p99.", table: table)
  }
}
