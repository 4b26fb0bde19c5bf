/// Lines with markers at their values, over two axes.
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
  /// Beyond this factor the small values would lie together at one end: the scale becomes logarithmic.
  private static let linearSpan = 4.0
  /// Markers that are nearer to the one before are left out; the line goes through their values all the same.
  private static let markerGap = 11.0

  func chart(id: String, title: String, description: String) -> Chart {
    let points = series.flatMap(\.points)
    let bottom = Axes.bottom(height: Self.plotHeight)
    let values = points.map(\.y).filter { $0 > 0 }
    let isWide = (values.max() ?? 1) / (values.min() ?? 1) > Self.linearSpan
    let y =
      isWide
      ? Scale.logarithmic(values, room: 1.3, start: bottom, end: Axes.top)
      : Scale.fromZero(to: values.max() ?? 1, start: bottom, end: Axes.top)
    let places = points.map(\.x)
    let isLong = (places.min() ?? 0) > 0 && (places.max() ?? 0) / (places.min() ?? 1) > Self.linearSpan
    let x =
      isLong
      ? Scale.logarithmic(places, room: 1.1, start: Axes.left, end: Axes.right)
      : Scale.around(places, start: Axes.left, end: Axes.right)
    let axes = Axes(
      x: x, y: y, xTitle: xTitle + (isLong ? ", logarithmic" : ""),
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
    var last = -Double.infinity
    var markers: [Markup] = []
    for (index, place) in places.enumerated() {
      guard place.x - last >= Self.markerGap || index == places.count - 1 else { continue }
      last = place.x
      let point = series.points[index]
      markers.append(
        series.style.marker(
          x: place.x, y: place.y, radius: 4,
          tip: "\(series.name): \(NumberText.significant(point.y)) at \(NumberText.plain(point.x))"))
    }
    return [.group(class: series.style.cssClass, [.polyline(places, class: "stroke")])] + markers
  }
}
