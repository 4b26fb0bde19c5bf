import Statistics

/// Distributions, one a row, each over its own median: a tick for each value, and the median, P90 and P99 marked by
/// shape.
struct StripChart: Drawing {
  struct Strip {
    let name: String
    /// Not negative; the median is above zero.
    let values: [Double]
    let marked: Percentiles
    /// At the row's right end: the percentiles in words.
    let figure: String
    let style: SeriesStyle
  }

  let strips: [Strip]
  /// With its unit.
  let axisTitle: String
  private static let rowHeight = 40.0
  /// More ticks than this would be a smear: so many quantiles then stand for the values, the ends among them.
  private static let tickLimit = 160
  private static let linearSpan = 4.0

  func drawn(width: Double, id: String) -> (height: Double, marks: [Markup]) {
    let values = strips.flatMap { strip in strip.values.map { $0 / strip.marked.p50 } }.filter { $0 > 0 }
    let isWide = (values.max() ?? 1) / (values.min() ?? 1) > Self.linearSpan
    let (start, end) = (6.0, width - 6)
    let scale =
      isWide
      ? Scale.logarithmic(values, room: 1.05, start: start, end: end)
      : Scale.around(values, start: start, end: end)
    let places = strips.indices.map { index -> ClosedRange<Double> in
      let middle = Double(index) * Self.rowHeight + 27
      return middle - 9...middle + 9
    }
    let bottom = places.last?.upperBound ?? 0
    let gap = Legend.Item(text: "one gap") { x, y in
      .group(class: "s7", [.line((x, y - 6), (x, y + 6), class: "tick")])
    }
    let percentiles = Mark.allCases.map { mark in
      Legend.Item(text: "\(mark)") { x, y in Self.mark(mark, SeriesStyle(index: 7), x: x, y: y) }
    }
    let legend = Legend(items: [gap] + percentiles).marks(top: bottom + RowAxis.height, width: width)
    let rows = strips.enumerated().flatMap { index, strip in
      row(strip, scale, top: Double(index) * Self.rowHeight, width: width)
    }
    let axis = RowAxis(
      scale: scale, title: axisTitle + (isWide ? ", logarithmic" : ""), width: width, bars: places)
    return (bottom + RowAxis.height + legend.height, axis.marks + rows + legend.marks)
  }

  private enum Mark: CaseIterable { case p50, p90, p99 }

  /// The median is a bar, P90 a hollow circle, P99 a hollow diamond.
  private static func mark(_ mark: Mark, _ style: SeriesStyle, x: Double, y: Double, tip: String = "")
    -> Markup
  {
    let (outline, look) =
      switch mark {
      case .p50: ("M\(coordinate(x - 2)) \(coordinate(y - 8))h4v16h-4Z", "mark")
      case .p90: ("M\(coordinate(x - 4)) \(coordinate(y))a4 4 0 1 0 8 0a4 4 0 1 0 -8 0Z", "open")
      case .p99: ("M\(coordinate(x)) \(coordinate(y - 5.5))l5.5 5.5l-5.5 5.5l-5.5 -5.5Z", "open")
      }
    return .mark(outline, class: "\(look) \(style.cssClass)", tip: tip)
  }

  private func row(_ strip: Strip, _ scale: Scale, top: Double, width: Double) -> [Markup] {
    let middle = top + 27
    let ticks = Self.thinned(strip.values).map { scale.clamped($0 / strip.marked.p50) }
    let path = ticks.map { "M\(coordinate($0)) \(coordinate(middle - 6))v12" }.joined()
    let room = width - TextWidth.of(strip.figure, size: TextWidth.small) - 14
    let values: [(Mark, Double)] = [
      (.p99, strip.marked.p99), (.p90, strip.marked.p90), (.p50, strip.marked.p50),
    ]
    let marks = values.map { mark, value in
      Self.mark(
        mark, strip.style, x: scale.clamped(value / strip.marked.p50), y: middle,
        tip: "\(strip.name), \(mark): \(NumberText.significant(value))")
    }
    return [
      .label(TextWidth.fitted(strip.name, to: room), x: 0, y: top + 13, class: "name"),
      .label(strip.figure, x: width, y: top + 13, anchor: .end, class: "small"),
      .group(class: strip.style.cssClass, [.path(path, class: "tick")]),
    ] + marks
  }

  private static func thinned(_ values: [Double]) -> [Double] {
    guard values.count > tickLimit else { return values }
    return quantiles(values, (0..<tickLimit).map { Double($0) / Double(tickLimit - 1) }) ?? []
  }
}

struct LineChart: Drawing {
  struct Series {
    let name: String
    /// Sorted by x.
    let points: [(x: Double, y: Double)]
    let style: SeriesStyle
    /// Whether points have markers; a curve of hundreds has none.
    var isMarked = true
  }

  enum Scales {
    /// Logarithmic where values differ by a large factor, else linear; lengths begin at zero.
    case byValues
    case linear(fromZero: Bool)
  }

  let series: [Series]
  let xTitle: String
  let yTitle: String
  var scales = Scales.byValues
  /// Whether x counts something: then no tick stands between two numbers.
  var countsPlaces = false
  private static let plotHeight = 210.0
  /// Beyond this factor the small values would lie together at one end: the scale becomes logarithmic.
  private static let linearSpan = 4.0
  /// Markers that are nearer to the one before are left out; the line goes through their values all the same.
  private static let markerGap = 11.0

  func drawn(width: Double, id: String) -> (height: Double, marks: [Markup]) {
    let points = series.flatMap(\.points)
    let bottom = Axes.top + Self.plotHeight
    let values = points.map(\.y).filter { $0 > 0 }
    let places = points.map(\.x)
    let fromZero = Scale.fromZero(to: values.max() ?? 1, start: bottom, end: Axes.top)
    let (left, right) = (Axes.left, width - Axes.right)
    let (x, y): (Scale, Scale)
    switch scales {
    case .byValues:
      let isWide = (values.max() ?? 1) / (values.min() ?? 1) > Self.linearSpan
      let isLong = (places.min() ?? 0) > 0 && (places.max() ?? 0) / (places.min() ?? 1) > Self.linearSpan
      y = isWide ? .logarithmic(values, room: 1.3, start: bottom, end: Axes.top) : fromZero
      x =
        isLong
        ? .logarithmic(places, room: 1.1, start: left, end: right) : .around(places, start: left, end: right)
    case .linear(let isFromZero):
      y = isFromZero ? fromZero : .around(values, start: bottom, end: Axes.top)
      x = .around(places, start: left, end: right)
    }
    let axes = Axes(
      x: countsPlaces ? x.withWholeTicks : x, y: y, xTitle: xTitle + x.remark, yTitle: yTitle + y.remark)
    let legend = Legend(series.map { ($0.name, $0.style) }).marks(top: bottom + Axes.below, width: width)
    return (
      bottom + Axes.below + legend.height,
      axes.marks + series.flatMap { line($0, axes) } + legend.marks
    )
  }

  private func line(_ series: Series, _ axes: Axes) -> [Markup] {
    let places = series.points.map { (x: axes.x.position($0.x), y: axes.y.clamped($0.y)) }
    var last = -Double.infinity
    var markers: [Markup] = []
    for (index, place) in places.enumerated() where series.isMarked {
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
