extension PageSection {
  /// Peak memory against the weights, and how long loading took.
  static func memory(_ context: PageContext) -> PageSection? {
    let blocks = MarkdownBlock.blocks(of: MarkdownReport.loading(context.run))
    guard !blocks.isEmpty else { return nil }
    return PageSection(
      id: "memory", title: "Memory and loading",
      [.charts([chart(context)].compactMap { $0 }), .markdown(Array(blocks.dropFirst()))])
  }

  private static func chart(_ context: PageContext) -> Markup? {
    let rows = context.run.ranked.filter { $0.figures.peakMemoryMiB != nil }
    let contestants = rows.map(\.contestant).uniqued()
    let weights = context.record.model.map { Double($0.weightBytes) / 1_048_576 }
    let bars = contestants.compactMap { contestant -> BarChart.Bar? in
      let peaks = rows.filter { $0.contestant == contestant }.compactMap(\.figures.peakMemoryMiB)
      guard let peak = peaks.max() else { return nil }
      let factor = weights.flatMap { $0 > 0 ? NumberText.factor(peak / $0) : nil }
      return BarChart.Bar(
        name: context.name(of: contestant), value: peak, interval: nil,
        figure: "\(NumberText.significant(peak)) MiB", factor: factor ?? "",
        style: context.style(of: contestant))
    }
    guard !bars.isEmpty else { return nil }
    let limit = weights.map { (value: $0, name: "the weights' \(NumberText.significant($0)) MiB") }
    return .figure(
      BarChart(bars: bars, axisTitle: "peak resident memory, MiB", limit: limit).chart(
        id: "memory-peak", title: "Peak memory in MiB by variant",
        description: "Horizontal bars: " + bars.map { "\($0.name) \($0.words)" }.joined(separator: "; ")
          + (limit.map { ". The line is \($0.name)." } ?? ".")),
      caption: "Peak memory, × the weights' size")
  }
}
