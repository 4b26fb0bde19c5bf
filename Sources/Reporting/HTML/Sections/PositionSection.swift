extension PageSection {
  /// tok/s as the sequence grows, all decode tests of a batch size in one chart.
  static func positions(_ context: PageContext) -> PageSection? {
    let batches = context.run.tests.filter(\.isDecode).map(\.batch).uniqued().sorted()
    let figures = batches.compactMap { chart(context, batch: $0) }
    guard !figures.isEmpty else { return nil }
    let blocks = MarkdownBlock.blocks(of: MarkdownReport.positions(context.run)).dropFirst()
    let note = blocks.prefix(1)
    return PageSection(
      id: "positions", title: "Speed as the sequence grows",
      [
        .markdown(Array(note)), .charts(figures),
        .details("The figures as a table", [.markdown(Array(blocks.dropFirst()))]),
      ])
  }

  private static func chart(_ context: PageContext, batch: Int) -> Markup? {
    let rows = context.run.ranked.filter { $0.cell.test.isDecode && $0.cell.test.batch == batch }
    let series = rows.map(\.contestant).uniqued().map { contestant in
      LineChart.Series(
        name: context.name(of: contestant),
        points: rows.filter { $0.contestant == contestant }.flatMap(\.figures.positions).map { rate in
          (x: Double(rate.positions.lowerBound + rate.positions.upperBound) / 2, y: rate.tokensPerSecond)
        }.sorted { $0.x < $1.x }, style: context.style(of: contestant))
    }.filter { !$0.points.isEmpty }
    // One position alone shows no course.
    guard Set(series.flatMap { $0.points.map(\.x) }).count > 1 else { return nil }
    let suffix = batch > 1 ? ", batch of \(batch)" : ""
    let ends = series.compactMap { line in
      line.points.first.flatMap { first in
        line.points.last.map { last in
          "\(line.name) from \(NumberText.significant(first.y)) at position \(NumberText.plain(first.x)) to "
            + "\(NumberText.significant(last.y)) at \(NumberText.plain(last.x))"
        }
      }
    }
    return .figure(
      LineChart(series: series, xTitle: "position in the sequence, tokens", yTitle: "decode tok/s").chart(
        id: "positions-\(batch)", title: "Decode tok/s over the position\(suffix)",
        description: "A line a variant: \(ends.joined(separator: "; "))."),
      caption: "Decode tok/s over the position\(suffix)")
  }
}
