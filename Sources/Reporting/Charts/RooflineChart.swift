import Foundation

/// Williams, Waterman and Patterson's roofline (2009, doi:10.1145/1498765.1498785): attained GFLOP/s over arithmetic
/// intensity, both logarithmic, under the ceilings of one number of threads.
struct RooflineChart {
  struct Point {
    let name: String
    /// FLOP per byte.
    let intensity: Double
    let gflops: Double
    let isLabelled: Bool
  }

  struct Series {
    let name: String
    let points: [Point]
    let style: SeriesStyle
  }

  let series: [Series]
  /// GFLOP/s.
  let peak: Double
  /// GB/s, nearest memory first.
  let slopes: [(level: String, gbPerSecond: Double)]
  private static let plotHeight = 250.0

  func chart(id: String, title: String, description: String) -> Chart {
    let points = series.flatMap(\.points)
    let bottom = Axes.top + Self.plotHeight
    let ridges = slopes.map { peak / $0.gbPerSecond }
    // Room at the left for the names of the slopes.
    let least = (points.map(\.intensity).min() ?? 1) / 4
    let x = Scale.logarithmic(
      points.map(\.intensity) + ridges + [least], room: 1.6, start: Axes.left, end: Axes.right)
    let y = Scale.logarithmic(points.map(\.gflops) + [peak], room: 1.7, start: bottom, end: Axes.top)
    let axes = Axes(x: x, y: y, xTitle: "arithmetic intensity, FLOP / byte", yTitle: "GFLOP/s")
    let legend = Legend(series.map { ($0.name, $0.style) }).marks(top: bottom + Axes.below)
    var labels = LabelPlaces(within: (Axes.left, Axes.right))
    let roofs = ceilings(axes, &labels)
    for point in points { labels.block(x: x.position(point.intensity), y: y.clamped(point.gflops)) }
    let names = series.flatMap { one in
      one.points.filter(\.isLabelled).compactMap { point in
        labels.place(point.name, besideX: x.position(point.intensity), y: y.clamped(point.gflops))
      }
    }
    // The first series is drawn last, above the others.
    let markers = series.reversed().flatMap { one in
      one.points.map { point in
        one.style.marker(
          x: x.position(point.intensity), y: y.clamped(point.gflops),
          tip: "\(one.name), \(point.name): \(NumberText.significant(point.intensity, 3)) FLOP/B, "
            + "\(NumberText.significant(point.gflops)) GFLOP/s")
      }
    }
    return Chart(
      id: id, title: title, description: description, height: bottom + Axes.below + legend.height,
      marks: axes.marks + roofs + markers + names + legend.marks)
  }

  /// The flat roof, and the slope of each level of memory up to it, each with its figure.
  private func ceilings(_ axes: Axes, _ labels: inout LabelPlaces) -> [Markup] {
    let (x, y) = (axes.x, axes.y)
    let top = y.position(peak)
    let first = slopes.map { peak / $0.gbPerSecond }.min().map { max($0, x.lower) } ?? x.lower
    let roofName = "FMA peak \(NumberText.significant(peak, 3)) GFLOP/s"
    labels.block(left: x.position(first), right: x.end, top: top - 16, bottom: top + 3)
    let roof: [Markup] = [
      .line((x.position(first), top), (x.end, top), class: "roof"),
      .label(roofName, x: x.end - 3, y: top - 5, anchor: .end, class: "small backed"),
    ]
    // Both scales are logarithmic, so all slopes are parallel: one decade to the right is one decade up.
    let rise = (y.start - y.end) / log10(y.upper / y.lower) / ((x.end - x.start) / log10(x.upper / x.lower))
    let angle = -atan(rise) * 180 / .pi
    return roof
      + slopes.enumerated().flatMap { place, slope -> [Markup] in
        let (level, rate) = slope
        let from = max(x.lower, y.lower / rate)
        let to = min(x.upper, peak / rate)
        guard from < to else { return [] }
        let start = (x: x.position(from), y: y.position(from * rate))
        let end = (x: x.position(to), y: y.position(to * rate))
        let name = "\(level) \(NumberText.significant(rate, 3)) GB/s"
        // The lowest slope has its name below, where no other line is.
        let offset = place == slopes.count - 1 ? 12.0 : -4.0
        let turned =
          "translate(\(coordinate(start.x + 4)) \(coordinate(start.y - 4 * rise))) rotate(\(coordinate(angle)))"
        labels.block(text: name, from: start, rise: rise, offset: offset)
        return [
          .line(start, end, class: "slope"),
          .element(
            "text",
            ["transform": turned, "y": coordinate(offset), "class": "muted small backed"], text: name),
        ]
      }
  }
}

/// Finds room for names beside points: a name that would cover a point or another name is left out.
struct LabelPlaces {
  private struct Box {
    let left, right, top, bottom: Double

    func overlaps(_ other: Box) -> Bool {
      left < other.right && other.left < right && top < other.bottom && other.top < bottom
    }
  }

  private let left, right: Double
  private var taken: [Box] = []

  init(within: (left: Double, right: Double)) { (left, right) = within }
  mutating func block(x: Double, y: Double) { block(left: x - 4, right: x + 4, top: y - 4, bottom: y + 4) }

  mutating func block(left: Double, right: Double, top: Double, bottom: Double) {
    taken.append(Box(left: left, right: right, top: top, bottom: bottom))
  }

  /// Keeps names off text along a line that rises by `rise` a unit, `offset` below it.
  mutating func block(text: String, from start: (x: Double, y: Double), rise: Double, offset: Double) {
    let length = TextWidth.of(text, size: TextWidth.small) / (1 + rise * rise).squareRoot()
    for part in stride(from: 0, to: length, by: 6) {
      let (x, y) = (start.x + part, start.y - part * rise + offset)
      block(left: x, right: x + 8, top: y - 9, bottom: y + 3)
    }
  }

  /// Right of the point, left of it, above it or below it; nil where there is no room.
  mutating func place(_ text: String, besideX x: Double, y: Double) -> Markup? {
    let width = TextWidth.of(text, size: TextWidth.small)
    let places: [(start: Double, base: Double)] = [
      (x + 7, y + 4), (x - 7 - width, y + 4), (x - width / 2, y - 8), (x - width / 2, y + 16),
      (x + 5, y - 6), (x + 5, y + 14), (x - 5 - width, y - 6), (x - 5 - width, y + 14),
    ]
    for (start, base) in places {
      let box = Box(left: start, right: start + width, top: base - 9, bottom: base + 2)
      guard box.left >= left, box.right <= right, !taken.contains(where: box.overlaps) else { continue }
      taken.append(box)
      return .label(text, x: start, y: base, class: "small backed")
    }
    return nil
  }
}
