import Record

extension RunHistory {
  /// The history as a page: what the newest run changed, then each test's rows over the runs.
  var page: HTMLPage {
    var document = document
    document.sections = [trends] + document.sections
    return HTMLPage(
      document, answer: answer, cards: [],
      footer: "Made by 'gpt2-bench report FOLDER --history --format html'.")
  }

  /// How many rows are faster in the newest run, and which changed most.
  private var answer: Prose {
    let known = rows.compactMap { row in row.ratio.map { (row: row, ratio: $0) } }
    guard let most = known.max(by: { Self.change($0.ratio) < Self.change($1.ratio) }) else {
      return "There is one figure of each row: a trend needs two."
    }
    let faster = known.count { $0.ratio > 1 }
    let place: Prose = "`\(most.row.place.contestant.variant)` on \(most.row.place.test.name)"
    return """
      The newest run is faster than the oldest in \(faster) of \(counted(known.count, "row")). \(place) changed most: it is \
      \(NumberText.fixed(most.ratio, 3)) times as fast.
      """
  }

  /// Twice as fast and half as fast are the same change.
  private static func change(_ ratio: Double) -> Double { max(ratio, 1 / ratio) }

  private var trends: Section? {
    let tests = rows.map(\.place.test).uniqued()
    let charts = tests.enumerated().compactMap { number, test in chart(of: test, number: number) }
    let note: Prose = "The runs stand in their order, the newest at 0. They are unpaired."
    return Section(
      id: "trends", title: "From run to run", charts.isEmpty ? [] : [.note(note), .charts(charts)])
  }

  private func chart(of test: Test, number: Int) -> Figured? {
    let contestants = rows.map(\.place.contestant).uniqued()
    let own = rows.filter { $0.place.test == test }
    let series = own.compactMap { row -> LineChart.Series? in
      let points = row.figures.enumerated().compactMap { index, figure in
        figure.map { (x: Double(index + 1 - runs.count), y: $0.value) }
      }
      guard points.count > 1, let index = contestants.firstIndex(of: row.place.contestant) else { return nil }
      return LineChart.Series(
        name: row.place.contestant.label, points: points, style: SeriesStyle(index: index))
    }
    guard !series.isEmpty else { return nil }
    let metric = test.headlineMetric
    let words = series.map { line in
      "\(line.name): " + line.points.map { NumberText.significant($0.y) }.joined(separator: ", ")
    }
    return Figured(
      chart: LineChart(
        series: series, xTitle: "run, the newest at 0", yTitle: "\(metric.title) \(metric.unit.name)",
        countsPlaces: true
      ).chart(
        id: "trend-\(number)", title: "\(metric.name) from run to run, \(test.name)",
        description: words.joined(separator: "; ") + "."),
      caption: "\(metric.name), \(test.name)")
  }
}
