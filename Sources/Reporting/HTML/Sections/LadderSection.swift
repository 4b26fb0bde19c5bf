import Record

extension PageSection {
  /// Bars with intervals for every test; those that the page opens with first.
  static func ladders(_ context: PageContext, _ headlines: [Headline]) -> PageSection? {
    let opening = headlines.map(\.test)
    let others = context.run.tests.filter { !opening.contains($0) }
    let figures = (opening + others).enumerated().compactMap { ladder(context, $1, number: $0) }
    let shown = max(opening.count, 1)
    let rest = figures.dropFirst(shown)
    let note =
      "Each bar is a median, the line on it the 95 % bootstrap interval; × is the speed against naive on the same "
      + "test."
    return PageSection(
      id: "ladder", title: "The ladder: who is how fast",
      figures.isEmpty
        ? []
        : [
          .note(note), .charts(Array(figures.prefix(shown))),
          rest.isEmpty
            ? .nothing
            : .details("\(counted(rest.count, "more test"))", [.charts(Array(rest))], isOpen: rest.count < 3),
        ])
  }

  private static func ladder(_ context: PageContext, _ test: Test, number: Int) -> Markup? {
    let ladder = Ladder(context.run, test: test, prefillTest: nil)
    guard !ladder.rungs.isEmpty else { return nil }
    let unit = ladder.column.heading.replacing(" ± CI", with: "")
    let bars = ladder.rungs.map { rung -> BarChart.Bar in
      let figure = ladder.column.figure(rung.row)
      return BarChart.Bar(
        name: context.name(of: rung.row.contestant), value: ladder.column.magnitude(rung.row) ?? 0,
        interval: figure?.interval.map { ($0.lower, $0.upper) },
        figure: ladder.column.display(rung.row), factor: Column.speedAgainstNaive.display(rung.row),
        style: context.style(of: rung.row.contestant))
    }
    var table = MarkdownTable([
      ("variant", .left), (unit, .right), ("95 % from", .right), ("to", .right), ("against naive", .right),
      ("samples", .right), ("check", .left),
    ])
    table.rows = zip(ladder.rungs, bars).map { rung, bar in
      [
        bar.name, NumberText.significant(bar.value),
        bar.interval.map { NumberText.significant($0.lower) } ?? "",
        bar.interval.map { NumberText.significant($0.upper) } ?? "",
        Column.speedAgainstNaive.display(rung.row), Column.sampleCount.display(rung.row),
        Column.outcome.display(rung.row),
      ]
    }
    let title = "\(unit) on \(test.name)"
    return .figure(
      BarChart(bars: bars, axisTitle: unit).chart(
        id: "ladder-\(number)", title: title,
        description: "Horizontal bars, fastest first: "
          + bars.map { "\($0.name) \($0.words)" }.joined(separator: "; ") + "."),
      caption: title, note: ladder.column.better == .lower ? "Shorter is faster." : "Longer is faster.",
      table: table)
  }
}

extension Column {
  /// The figure with its interval; nil for a column of plain numbers or text.
  fileprivate func figure(_ row: Row) -> Figure? {
    guard case .figure(let read) = reading else { return nil }
    return read(row)
  }
}
