/// Ratios of two sides with their intervals, one a row, over a box as wide as the change that does not count.
struct RatioChart: Drawing {
  struct Row {
    let name: String
    let ratio: Figure
    /// The change, as a share, from which on it counts.
    let threshold: Double
    let verdict: Verdict

    /// `0.800 (0.797 to 0.803)`
    var figure: String {
      NumberText.fixed(ratio.value, 3) + (ratio.interval.map { " (\($0.words()))" } ?? "")
    }

    /// What swapping both sides would leave the same. A threshold may be larger than what there is to lose.
    fileprivate var box: ClosedRange<Double> {
      let share = min(threshold, 0.99)
      return 1 - share...1 / (1 - share)
    }

    fileprivate var ends: [Double] {
      [ratio.value, box.lowerBound, box.upperBound]
        + (ratio.interval.map { [$0.lower, $0.upper] } ?? [])
    }
  }

  let rows: [Row]
  let axisTitle: String
  private static let rowHeight = 34.0
  private static let boxHeight = 13.0
  /// Beyond this factor the ratios near 1 would lie on each other.
  private static let linearSpan = 4.0

  func drawn(width: Double, id: String) -> (height: Double, marks: [Markup]) {
    let ends = rows.flatMap(\.ends).filter { $0 > 0 }
    let isWide = (ends.max() ?? 1) / (ends.min() ?? 1) > Self.linearSpan
    let (start, end) = (6.0, width - 6)
    let scale =
      isWide
      ? Scale.logarithmic(ends, room: 1.05, start: start, end: end)
      : Scale.around(ends, start: start, end: end)
    let places = rows.indices.map { index -> ClosedRange<Double> in
      let top = Double(index) * Self.rowHeight + 18
      return top - 1...top + Self.boxHeight + 1
    }
    let bottom = places.last?.upperBound ?? 0
    let drawn = rows.enumerated().flatMap { index, row in
      marks(of: row, scale, top: Double(index) * Self.rowHeight, width: width)
    }
    let legend = Legend(items: legendItems).marks(top: bottom + RowAxis.height, width: width)
    let axis = RowAxis(scale: scale, title: axisTitle + scale.remark, width: width, bars: places)
    return (bottom + RowAxis.height + legend.height, axis.marks + drawn + legend.marks)
  }

  private var legendItems: [Legend.Item] {
    let verdicts = Verdict.allCases.filter { verdict in rows.contains { $0.verdict == verdict } }
    let marks = verdicts.map { verdict in
      Legend.Item(text: verdict.rawValue) { x, y in Self.mark(verdict, x: x, y: y) }
    }
    let words = "within the threshold"
    let box = Legend.Item(text: words) { x, y in
      .bar(x: x - 5, y: y - 5, width: 10, height: 10, "plain", tip: words)
    }
    return marks + [box]
  }

  private func marks(of row: Row, _ scale: Scale, top: Double, width: Double) -> [Markup] {
    let y = top + 18
    let middle = y + Self.boxHeight / 2
    let room = width - TextWidth.of(row.figure, size: TextWidth.small) - 14
    let (from, to) = (scale.clamped(row.box.lowerBound), scale.clamped(row.box.upperBound))
    let whisker = row.ratio.interval.map { interval in
      Markup.whisker(from: scale.clamped(interval.lower), to: scale.clamped(interval.upper), y: middle)
    }
    let marker = Self.mark(
      row.verdict, x: scale.clamped(row.ratio.value), y: middle,
      tip: "\(row.name): \(row.figure), \(row.verdict.rawValue)")
    return [
      .label(TextWidth.fitted(row.name, to: room), x: 0, y: top + 13, class: "name"),
      .label(row.figure, x: width, y: top + 13, anchor: .end, class: "small"),
      .bar(
        x: from, y: y, width: to - from, height: Self.boxHeight, "plain",
        tip: "a change of less than \(NumberText.percent(row.threshold)) does not count"),
      .line((scale.clamped(1), y), (scale.clamped(1), y + Self.boxHeight), class: "roof"),
    ] + (whisker ?? []) + [marker]
  }

  /// Shapes say what colours say.
  private static func mark(_ verdict: Verdict, x: Double, y: Double, tip: String = "") -> Markup {
    let (shape, look): (SeriesStyle.Shape, String) =
      switch verdict {
      case .regressed: (.inverted, "mark worse")
      case .improved: (.triangle, "mark better")
      case .unchanged: (.circle, "mark same")
      case .failed, .inconclusive: (.circle, "open same")
      }
    return .mark(SeriesStyle.path(shape, x: x, y: y, radius: 4.5), class: look, tip: tip)
  }
}
