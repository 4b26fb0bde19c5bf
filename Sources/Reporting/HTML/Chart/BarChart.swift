/// Horizontal bars from zero, one a row, with the interval of each; its name and figure stand above it.
struct BarChart {
  struct Bar {
    let name: String
    let value: Double
    let interval: (lower: Double, upper: Double)?
    /// At the row's right end: the figure in words, and behind it what it is in comparison; empty where that is unknown.
    let figure: String
    let factor: String
    let style: SeriesStyle

    /// `61.15 ± 3.36, 71.9×`
    var words: String { factor.isEmpty ? figure : "\(figure), \(factor)" }
  }

  let bars: [Bar]
  /// With its unit.
  let axisTitle: String
  /// A line across all bars, with what it is.
  var limit: (value: Double, name: String)?

  private static let rowHeight = 34.0
  private static let barHeight = 13.0
  private static let factorWidth = 54.0

  func chart(id: String, title: String, description: String) -> Chart {
    let ends = bars.map { max($0.value, $0.interval?.upper ?? 0) } + [limit?.value ?? 0]
    let scale = Scale.fromZero(to: ends.max() ?? 1, start: 1, end: Chart.width - 2)
    let bottom = Double(bars.count) * Self.rowHeight + 4
    let rows = bars.enumerated().flatMap { index, bar in
      row(bar, scale, top: Double(index) * Self.rowHeight)
    }
    let legend = Legend(
      items: limit.map { limit in
        [
          Legend.Item(text: limit.name) { x, y in
            .line((x, y - 6), (x, y + 6), class: "whisker")
          }
        ]
      } ?? []
    ).marks(top: bottom + RowAxis.height)
    let across = limit.map { limit in
      bars.indices.flatMap { index -> [Markup] in
        let (at, y) = (scale.position(limit.value), Double(index) * Self.rowHeight + 18)
        return ["halo", "whisker"].map {
          .line((at, y - 2), (at, y + Self.barHeight + 2), class: $0)
        }
      }
    }
    return Chart(
      id: id, title: title, description: description,
      height: bottom + RowAxis.height + legend.height,
      marks: RowAxis(scale: scale, title: axisTitle, bottom: bottom).marks + rows + (across ?? [])
        + legend.marks)
  }

  private func row(_ bar: Bar, _ scale: Scale, top: Double) -> [Markup] {
    let hasFactors = bars.contains { !$0.factor.isEmpty }
    let figureEnd = Chart.width - (hasFactors ? Self.factorWidth : 0)
    let room = figureEnd - TextWidth.of(bar.figure) - 14
    let y = top + 18
    let middle = y + Self.barHeight / 2
    let whisker = bar.interval.map { interval -> [Markup] in
      let (from, to) = (scale.clamped(interval.lower), scale.clamped(interval.upper))
      let path =
        "M\(coordinate(from)) \(coordinate(middle))H\(coordinate(to))"
        + "M\(coordinate(from)) \(coordinate(middle - 4))v8M\(coordinate(to)) \(coordinate(middle - 4))v8"
      return [.void("path", ["d": path, "class": "halo"]), .void("path", ["d": path, "class": "whisker"])]
    }
    return [
      .label(TextWidth.fitted(bar.name, to: room), x: 0, y: top + 13, class: "name backed"),
      .label(bar.figure, x: figureEnd, y: top + 13, anchor: .end, class: "backed"),
      bar.factor.isEmpty
        ? .nothing : .label(bar.factor, x: Chart.width, y: top + 13, anchor: .end, class: "name backed"),
      .bar(
        x: scale.start, y: y, width: max(scale.position(bar.value) - scale.start, 1), height: Self.barHeight,
        class: "fill \(bar.style.cssClass)", tip: "\(bar.name): \(bar.words)"),
    ] + (whisker ?? [])
  }
}
