/// Speed over what it costs in quality, a point a rung: to the right is farther from float32, upwards is faster. What loses
/// nothing has no place on a logarithmic axis and stands left of it.
struct QualityChart: Drawing {
  struct Point {
    let name: String
    /// Mean KL divergence in nats; nil or 0 for what loses nothing.
    let kl: Double?
    let speed: Double
    let style: SeriesStyle
  }

  let points: [Point]
  /// With its unit.
  let speedTitle: String
  private static let plotHeight = 190.0
  private static let exactRoom = 70.0
  /// Over so large a factor powers of ten alone are marked, which a phone has room for.
  private static let leastFactor = 2_000.0

  func drawn(width: Double, id: String) -> (height: Double, marks: [Markup]) {
    let bottom = Axes.top + Self.plotHeight
    let right = width - Axes.right
    let losses = points.compactMap { point in point.kl.flatMap { $0 > 0 ? $0 : nil } }
    let x = Self.scale(losses, start: Axes.left + Self.exactRoom, end: right)
    let y = Scale.logarithmic(points.map(\.speed), room: 1.5, start: bottom, end: Axes.top)
    let axes = Axes(
      x: x, y: y, xTitle: "KL divergence from float32, nats, logarithmic",
      yTitle: "\(speedTitle), logarithmic", hasGrid: false, besides: Self.exactRoom)
    let exact = Axes.left + Self.exactRoom / 2
    let places = points.map { point in
      (x: point.kl.flatMap { $0 > 0 ? x.clamped($0) : nil } ?? exact, y: y.clamped(point.speed))
    }
    var labels = LabelPlaces(left: Axes.left + 4, right: right, top: Axes.top, bottom: bottom - 4)
    for place in places { labels.block(x: place.x, y: place.y) }
    let names = zip(points, places).compactMap { point, place in
      labels.place(point.name, besideX: place.x, y: place.y)
    }
    let markers = zip(points, places).map { point, place in
      point.style.marker(x: place.x, y: place.y, tip: Self.words(point, speedTitle))
    }
    let legend = Legend(points.map { ($0.name, $0.style) }).marks(top: bottom + Axes.below, width: width)
    let name = Markup.label("exact", x: exact, y: bottom + 15, anchor: .middle, class: "muted small")
    return (
      bottom + Axes.below + legend.height, axes.marks + [name] + markers + names + legend.marks
    )
  }

  /// Around the values, over so many powers of ten that these alone are marked.
  private static func scale(_ losses: [Double], start: Double, end: Double) -> Scale {
    let (least, most) = (losses.min() ?? 1, losses.max() ?? 1)
    let room = max(1.6, (leastFactor / (most / least)).squareRoot())
    return .logarithmic(losses, room: room, start: start, end: end)
  }

  /// `int8, 2 threads: 212 tok/s, KL 3.0e-04 nats`
  static func words(_ point: Point, _ speedTitle: String) -> String {
    let loss = point.kl.map { "KL \(NumberText.scientific($0)) nats" } ?? "exact"
    return "\(point.name): \(NumberText.significant(point.speed)) \(speedTitle), \(loss)"
  }
}
