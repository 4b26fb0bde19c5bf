/// Lines with a marker at each value, over two axes.
struct LineChart {
  struct Series {
    let name: String
    /// Sorted by x.
    let points: [(x: Double, y: Double)]
    let style: SeriesStyle
  }

  let series: [Series]
  let xTitle: String
  let yTitle: String

  private static let plotHeight = 210.0
  /// Beyond this factor the small values would lie on the axis: the scale becomes logarithmic.
  private static let linearSpan = 8.0

  func chart(id: String, title: String, description: String) -> Chart {
    let points = series.flatMap(\.points)
    let bottom = Axes.bottom(height: Self.plotHeight)
    let values = points.map(\.y).filter { $0 > 0 }
    let isWide = (values.max() ?? 1) / (values.min() ?? 1) > Self.linearSpan
    let y =
      isWide
      ? Scale.logarithmic(values, room: 1.3, start: bottom, end: Axes.top)
      : Scale.fromZero(to: values.max() ?? 1, start: bottom, end: Axes.top)
    let axes = Axes(
      x: .around(points.map(\.x), start: Axes.left, end: Axes.right), y: y, xTitle: xTitle,
      yTitle: yTitle + (isWide ? ", logarithmic" : ""))
    let legend = Legend(
      items: series.map { line in
        Legend.Item(text: line.name) { x, y in line.style.marker(x: x, y: y) }
      }
    ).marks(top: bottom + Axes.below)
    return Chart(
      id: id, title: title, description: description, height: bottom + Axes.below + legend.height,
      marks: axes.marks + series.flatMap { line($0, axes) } + legend.marks)
  }

  private func line(_ series: Series, _ axes: Axes) -> [Markup] {
    let places = series.points.map { (x: axes.x.position($0.x), y: axes.y.clamped($0.y)) }
    let markers = zip(series.points, places).map { point, place in
      series.style.marker(
        x: place.x, y: place.y, radius: 3.6,
        tip: "\(series.name): \(NumberText.significant(point.y)) at \(NumberText.plain(point.x))")
    }
    return [.group(class: series.style.cssClass, [.polyline(places, class: "stroke")])] + markers
  }
}
