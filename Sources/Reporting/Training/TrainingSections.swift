extension TrainingReport {
  /// Points of a curve: more than a page has columns for.
  private static let points = 400

  private typealias Row = TrainingHistory.Row

  var loss: Section? {
    guard history.rows.count > 1 else { return nil }
    return Section(
      id: "loss", title: "Loss",
      [
        .note(
          """
          The mean of −log p over predicted tokens, in nats: \(averaging) Training loss is of the windows of a step, before \
          the step changes the model. Validation is of text that was kept back, and that no step has seen.
          """),
        .charts([
          losses("loss-steps", "Loss over the steps", over: "step") { Double($0.step) },
          losses("loss-time", "Loss over the time", over: "seconds of all steps so far", \.seconds),
        ]),
      ])
  }

  var course: Section? {
    guard history.rows.count > 1 else { return nil }
    return Section(
      id: "course", title: "Learning rate, gradients and speed",
      [
        .charts([
          curve("rate", "Learning rate", "learning rate", \.learningRate),
          curve("norm", "Gradient norm", "gradient norm", \.gradientNorm),
          curve("speed", "Speed", "training tok/s", \.tokensPerSecond),
        ]),
        .note(
          """
          The gradient's norm is that of all parameters together, before clipping. Tokens per second are of steps alone: \
          evaluations, samples and checkpoints do not count.
          """),
      ])
  }

  var writing: Section? {
    guard let last = samples.last else { return nil }
    let earlier = samples.dropLast().reversed().flatMap { sample -> [Block] in
      [.heading(Self.heading(sample)), .code(sample.text)]
    }
    return Section(
      id: "samples", title: "What it writes",
      [
        .note(
          "Drawn with a seed of its own, so that only the model differs from one evaluation to the next."),
        .heading(Self.heading(last)), .code(last.text), .details("Earlier samples", earlier),
      ])
  }

  private static func heading(_ sample: Sample) -> Prose { "After step \(sample.step)" }

  var evaluations: Section? {
    let rows = history.rows.filter { $0.validation != nil || $0.step == history.rows.last?.step }
    return Section(
      id: "evaluations", title: "Every evaluation",
      [.table(Table(TrainingHistory.columns, rows), label: "every evaluation")])
  }

  var method: Section? {
    Section(
      id: "method", title: "How it was trained",
      [
        .list(facts.map { "**\($0.name):** \($0.text)" }),
        .code(commandToType(command, after: "", width: 100)),
      ])
  }

  /// How many steps a point of a curve stands for.
  private var averaging: Prose {
    let size = history.stepsPerPoint(Self.points)
    return size > 1 ? "a point of a curve is the mean of \(size) steps." : "a point of a curve is a step."
  }

  private func losses(
    _ id: String, _ title: String, over xTitle: String, _ place: (Row) -> Double
  ) -> Figured {
    let training = history.curve(\.loss, over: place, points: Self.points)
    let validation = history.rows.compactMap { row in row.validation.map { (x: place(row), y: $0) } }
    let lines = [
      LineChart.Series(
        name: "training", points: training, style: SeriesStyle(index: 0), isMarked: false),
      LineChart.Series(name: "validation", points: validation, style: SeriesStyle(index: 1)),
    ].filter { !$0.points.isEmpty }
    return figured(id, title, lines, xTitle: xTitle, yTitle: "loss, nats a token", fromZero: false)
  }

  private func curve(
    _ id: String, _ title: String, _ yTitle: String, _ figure: (Row) -> Double
  ) -> Figured {
    let points = history.curve(figure, over: { Double($0.step) }, points: Self.points)
    let line = LineChart.Series(name: yTitle, points: points, style: SeriesStyle(index: 0), isMarked: false)
    return figured(id, title, [line], xTitle: "step", yTitle: yTitle, fromZero: true)
  }

  private func figured(
    _ id: String, _ title: String, _ lines: [LineChart.Series], xTitle: String, yTitle: String, fromZero: Bool
  ) -> Figured {
    let ends = lines.map { line in
      let (first, last) = (line.points[0], line.points[line.points.count - 1])
      return "\(line.name) from \(NumberText.significant(first.y)) to \(NumberText.significant(last.y))"
    }
    return Figured(
      chart: LineChart(
        series: lines, xTitle: xTitle, yTitle: yTitle, scales: .linear(fromZero: fromZero)
      ).chart(id: id, title: "\(title): \(yTitle)", description: ends.joined(separator: "; ") + "."),
      caption: Prose(title))
  }
}
