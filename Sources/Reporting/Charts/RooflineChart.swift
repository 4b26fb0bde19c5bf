/// Williams, Waterman and Patterson's roofline (2009, doi:10.1145/1498765.1498785): attained GFLOP/s over arithmetic
/// intensity, both logarithmic, under the ceilings of one number of threads.
struct RooflineChart: Drawing {
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
  /// GFLOP/s, of each kind of arithmetic.
  let peaks: [(name: String, gflops: Double)]
  /// GB/s, nearest memory first.
  let slopes: [(level: String, gbPerSecond: Double)]
  private static let plotHeight = 280.0

  func drawn(width: Double, id: String) -> (height: Double, marks: [Markup]) {
    let points = series.flatMap(\.points)
    let bottom = Axes.top + Self.plotHeight
    let right = width - Axes.right
    let ridges = peaks.flatMap { peak in slopes.map { peak.gflops / $0.gbPerSecond } }
    // Room at the left for the names of the slopes.
    let least = (points.map(\.intensity).min() ?? 1) / 4
    let x = Scale.logarithmic(
      points.map(\.intensity) + ridges + [least], room: 1.6, start: Axes.left, end: right)
    let y = Scale.logarithmic(
      points.map(\.gflops) + peaks.map(\.gflops), room: 1.9, start: bottom, end: Axes.top)
    let axes = Axes(
      x: x, y: y, xTitle: "arithmetic intensity, FLOP / byte", yTitle: "GFLOP/s", hasGrid: false)
    let legend = Legend(series.map { ($0.name, $0.style) }).marks(top: bottom + Axes.below, width: width)
    var labels = LabelPlaces(left: Axes.left + 4, right: right, top: Axes.top, bottom: bottom - 4)
    for point in points { labels.block(x: x.position(point.intensity), y: y.clamped(point.gflops)) }
    let roofs = ceilings(axes, &labels)
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
    return (bottom + Axes.below + legend.height, axes.marks + roofs + markers + names + legend.marks)
  }

  /// The flat roofs, and the slope of each level of memory up to the highest, with their figures.
  private func ceilings(_ axes: Axes, _ labels: inout LabelPlaces) -> [Markup] {
    let (x, y) = (axes.x, axes.y)
    let fastest = slopes.map(\.gbPerSecond).max()
    let flats = peaks.flatMap { name, gflops in
      let top = y.position(gflops)
      let first = fastest.map { max(gflops / $0, x.lower) } ?? x.lower
      let places = stride(from: x.end - 3, through: x.position(first) + 60, by: -60)
        .flatMap { [($0, top - 5), ($0, top + 13)] }
      let label = labels.place(
        "\(name) \(NumberText.significant(gflops, 3)) GFLOP/s", at: places, anchor: .end,
        class: "small backed")
      return [Markup.line((x.position(first), top), (x.end, top), class: "roof"), label ?? .nothing]
    }
    let highest = peaks.map(\.gflops).max() ?? y.lower
    let lines = slopes.map { slope in
      let ends = [max(x.lower, y.lower / slope.gbPerSecond), min(x.upper, highest / slope.gbPerSecond)]
      let places = ends.map { (x: x.position($0), y: y.position($0 * slope.gbPerSecond)) }
      return (from: places[0], to: places[1])
    }
    let groups = Self.groups(slopes)
    let names = groups.enumerated().compactMap { place, group -> Markup? in
      let line = lines[group.lowerBound]
      guard line.from.x < line.to.x else { return nil }
      let spots = stride(from: 0.1, through: 0.9, by: 0.1).map { share in
        (line.from.x + share * (line.to.x - line.from.x), line.from.y + share * (line.to.y - line.from.y))
      }
      // Below the lowest slope there is no other line, and above the highest none.
      return place == groups.count - 1
        ? labels.place(
          Self.name(slopes[group]), at: spots.map { ($0 + 8, $1 + 8) }, class: "muted small backed")
        : labels.place(
          Self.name(slopes[group]), at: spots.map { ($0 - 6, $1 - 2) }, anchor: .end,
          class: "muted small backed")
    }
    return flats
      + lines.filter { $0.from.x < $0.to.x }.map { .line($0, $1, class: "slope") }
      + names
  }

  /// Slopes that lie so near each other that one name is for all of them, and the others by themselves.
  private static func groups(_ slopes: [(level: String, gbPerSecond: Double)]) -> [Range<Int>] {
    slopes.indices.reduce(into: []) { groups, index in
      if let last = groups.last, slopes[last.lowerBound].gbPerSecond < 2 * slopes[index].gbPerSecond {
        groups[groups.count - 1] = last.lowerBound..<index + 1
      } else {
        groups.append(index..<index + 1)
      }
    }
  }

  /// `L2 231, L3 199 GB/s`
  static func name(_ slopes: some Sequence<(level: String, gbPerSecond: Double)>) -> String {
    slopes.map { "\($0.level) \(NumberText.significant($0.gbPerSecond, 3))" }.joined(separator: ", ")
      + " GB/s"
  }
}

/// Finds room for names beside points: a name that would cover a point or another name is left out.
struct LabelPlaces {
  private struct Box {
    let left, right, top, bottom: Double

    func overlaps(_ other: Box) -> Bool {
      left < other.right && other.left < right && top < other.bottom && other.top < bottom
    }

    func holds(_ other: Box) -> Bool {
      left <= other.left && other.right <= right && top <= other.top && other.bottom <= bottom
    }
  }

  private let frame: Box
  private var taken: [Box] = []

  init(left: Double, right: Double, top: Double, bottom: Double) {
    frame = Box(left: left, right: right, top: top, bottom: bottom)
  }

  mutating func block(x: Double, y: Double) {
    taken.append(Box(left: x - 4, right: x + 4, top: y - 4, bottom: y + 4))
  }

  /// Right of the point, left of it, above it or below it; nil where there is no room.
  mutating func place(_ text: String, besideX x: Double, y: Double) -> Markup? {
    let width = TextWidth.of(text, size: TextWidth.small)
    return place(
      text,
      at: [
        (x + 7, y + 4), (x - 7 - width, y + 4), (x - width / 2, y - 8), (x - width / 2, y + 16),
        (x + 5, y - 6), (x + 5, y + 14), (x - 5 - width, y - 6), (x - 5 - width, y + 14),
      ], class: "small backed")
  }

  /// At the first of these places, where the text starts or ends, at which it covers nothing; nil where there is none.
  mutating func place(
    _ text: String, at places: [(x: Double, base: Double)], anchor: Markup.Anchor = .start,
    class style: String
  ) -> Markup? {
    let width = TextWidth.of(text, size: TextWidth.small)
    for (x, base) in places {
      let start = anchor == .end ? x - width : x
      let box = Box(left: start, right: start + width, top: base - 10, bottom: base + 3)
      guard frame.holds(box), !taken.contains(where: box.overlaps) else { continue }
      taken.append(box)
      return .label(text, x: x, y: base, anchor: anchor, class: style)
    }
    return nil
  }
}
