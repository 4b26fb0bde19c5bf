import Statistics

/// Distributions, one a row, each over its own median: a tick for each value, and the median, P90 and P99 marked by shape.
struct StripChart {
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

  func chart(id: String, title: String, description: String) -> Chart {
    let values = strips.flatMap { strip in strip.values.map { $0 / strip.marked.p50 } }.filter { $0 > 0 }
    let isWide = (values.max() ?? 1) / (values.min() ?? 1) > Self.linearSpan
    let (start, end) = (6.0, Chart.width - 6)
    let scale =
      isWide
      ? Scale.logarithmic(values, room: 1.05, start: start, end: end)
      : Scale.around(values, start: start, end: end)
    let bottom = Double(strips.count) * Self.rowHeight + 4
    let legend = Legend(items: [
      Legend.Item(text: "one gap") { x, y in
        .group(class: "s7", [.line((x, y - 6), (x, y + 6), class: "tick")])
      },
      Legend.Item(text: "p50") { x, y in Self.mark(.p50, SeriesStyle(index: 7), x: x, y: y) },
      Legend.Item(text: "p90") { x, y in Self.mark(.p90, SeriesStyle(index: 7), x: x, y: y) },
      Legend.Item(text: "p99") { x, y in Self.mark(.p99, SeriesStyle(index: 7), x: x, y: y) },
    ]).marks(top: bottom + RowAxis.height)
    let rows = strips.enumerated().flatMap { index, strip in
      row(strip, scale, top: Double(index) * Self.rowHeight)
    }
    let axis = RowAxis(scale: scale, title: axisTitle + (isWide ? ", logarithmic" : ""), bottom: bottom)
    return Chart(
      id: id, title: title, description: description, height: bottom + RowAxis.height + legend.height,
      marks: axis.marks + rows + legend.marks)
  }

  private enum Mark { case p50, p90, p99 }

  /// The median is a bar, P90 a hollow circle, P99 a hollow diamond.
  private static func mark(_ mark: Mark, _ style: SeriesStyle, x: Double, y: Double, tip: String = "")
    -> Markup
  {
    let (cx, cy) = (coordinate(x), coordinate(y))
    let path: (d: String, css: String) =
      switch mark {
      case .p50: ("M\(coordinate(x - 2)) \(coordinate(y - 8))h4v16h-4Z", "mark")
      case .p90: ("M\(coordinate(x - 4)) \(cy)a4 4 0 1 0 8 0a4 4 0 1 0 -8 0Z", "open")
      case .p99:
        ("M\(cx) \(coordinate(y - 5.5))l5.5 5.5l-5.5 5.5l-5.5 -5.5Z", "open")
      }
    return .element(
      "path", ["d": path.d, "class": "\(path.css) \(style.cssClass)"],
      tip.isEmpty ? [] : [.element("title", text: tip)])
  }

  private func row(_ strip: Strip, _ scale: Scale, top: Double) -> [Markup] {
    let middle = top + 27
    let ticks = Self.thinned(strip.values).map { scale.clamped($0 / strip.marked.p50) }
    let path = ticks.map { "M\(coordinate($0)) \(coordinate(middle - 6))v12" }.joined()
    let room = Chart.width - TextWidth.of(strip.figure, size: TextWidth.small) - 14
    let marks: [(Mark, String, Double)] = [
      (.p99, "p99", strip.marked.p99), (.p90, "p90", strip.marked.p90), (.p50, "p50", strip.marked.p50),
    ]
    return [
      .label(TextWidth.fitted(strip.name, to: room), x: 0, y: top + 13, class: "name backed"),
      .label(strip.figure, x: Chart.width, y: top + 13, anchor: .end, class: "small backed"),
      .group(class: strip.style.cssClass, [.void("path", ["d": path, "class": "tick"])]),
    ]
      + marks.map { mark, name, value in
        Self.mark(
          mark, strip.style, x: scale.clamped(value / strip.marked.p50), y: middle,
          tip: "\(strip.name), \(name): \(NumberText.significant(value))")
      }
  }

  private static func thinned(_ values: [Double]) -> [Double] {
    guard values.count > tickLimit else { return values }
    return quantiles(values, (0..<tickLimit).map { Double($0) / Double(tickLimit - 1) }) ?? []
  }
}
