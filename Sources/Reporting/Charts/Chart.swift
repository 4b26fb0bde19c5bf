/// Marks that a chart is made of, for any width.
protocol Drawing: Sendable {
  /// - Parameters:
  ///   - width: in the chart's own units, of which each comes to about a pixel.
  ///   - id: the chart's, for what its marks refer to.
  func drawn(width: Double, id: String) -> (height: Double, marks: [Markup])
}

extension Drawing {
  func chart(id: String, title: String, description: String) -> Chart {
    Chart(id: id, title: title, description: description, drawing: self)
  }
}

/// How wide a chart is: on a phone, and on a desktop's page with two in a row, or alone in it.
enum ChartWidth: Double, Sendable {
  case narrow = 360
  case half = 560
  case whole = 1160

  /// On a desktop with so many side by side; of three or more in a row each is as narrow as on a phone.
  static func wide(count: Int) -> ChartWidth {
    count == 1 ? .whole : count % 2 == 0 && count % 3 != 0 ? .half : .narrow
  }
}

/// One drawing: what it shows in a line, the same in words for who cannot see it, and its marks.
struct Chart: Sendable {
  /// Unique on the page; letters, digits and `-`.
  let id: String
  /// What it shows, with the unit: `decode tok/s by variant, tg8 @ d16`.
  let title: String
  /// What there is to see, in sentences.
  let description: String
  let drawing: any Drawing

  /// Both for a phone and for a desktop with `count` charts in a row: the page shows the one that fits.
  func svg(count: Int) -> Markup {
    let wide = ChartWidth.wide(count: count)
    guard wide != .narrow else { return svg(.narrow, id: id, class: "any") }
    return .joined([svg(.narrow, id: id, class: "narrow"), svg(wide, id: "\(id)-w", class: "wide")])
  }

  private func svg(_ width: ChartWidth, id: String, class style: String) -> Markup {
    let (height, marks) = drawing.drawn(width: width.rawValue, id: id)
    return .element(
      "svg",
      [
        "viewBox": "0 0 \(coordinate(width.rawValue)) \(coordinate(height))", "role": "img", "class": style,
        "aria-labelledby": "\(id)-t \(id)-d", "xmlns": "http://www.w3.org/2000/svg",
      ],
      [
        .element("title", ["id": "\(id)-t"], text: title),
        .element("desc", ["id": "\(id)-d"], text: description),
      ] + marks)
  }
}

/// A coordinate with at most one decimal: a tenth of a unit is less than a pixel.
func coordinate(_ value: Double) -> String {
  guard value.isFinite else { return "0" }
  let tenths = Int((min(max(value, -1e6), 1e6) * 10).rounded())
  guard tenths % 10 != 0 else { return "\(tenths / 10)" }
  return "\(tenths < 0 ? "-" : "")\(abs(tenths) / 10).\(abs(tenths) % 10)"
}

extension Markup {
  enum Anchor: String { case start, middle, end }

  static func label(_ text: String, x: Double, y: Double, anchor: Anchor = .start, class style: String)
    -> Markup
  {
    .element(
      "text",
      ["x": coordinate(x), "y": coordinate(y), "text-anchor": anchor.rawValue, "class": style], text: text)
  }

  static func path(_ course: String, class style: String) -> Markup {
    .void("path", ["d": course, "class": style])
  }

  static func line(_ from: (x: Double, y: Double), _ to: (x: Double, y: Double), class style: String)
    -> Markup
  {
    path("M\(coordinate(from.x)) \(coordinate(from.y))L\(coordinate(to.x)) \(coordinate(to.y))", class: style)
  }

  static func polyline(_ points: [(x: Double, y: Double)], class style: String) -> Markup {
    let places = points.map { "\(coordinate($0.x)),\(coordinate($0.y))" }.joined(separator: " ")
    return .void("polyline", ["points": places, "class": style])
  }

  /// An interval along a row: a line with a stroke at each end, apart from what lies under it.
  static func whisker(from: Double, to: Double, y: Double) -> [Markup] {
    let path =
      "M\(coordinate(from)) \(coordinate(y))H\(coordinate(to))"
      + "M\(coordinate(from)) \(coordinate(y - 4))v8M\(coordinate(to)) \(coordinate(y - 4))v8"
    return [.path(path, class: "halo"), .path(path, class: "whisker")]
  }

  /// A filled outline; `tip` appears under the pointer.
  static func mark(_ outline: String, class style: String, tip: String) -> Markup {
    .element("path", ["d": outline, "class": style], tip.isEmpty ? [] : [.element("title", text: tip)])
  }

  /// A rectangle that a class or another attribute fills; `tip` appears under the pointer.
  static func bar(
    x: Double, y: Double, width: Double, height: Double, _ look: String, as attribute: StaticString = "class",
    tip: String
  ) -> Markup {
    .element(
      "rect",
      [
        "x": coordinate(x), "y": coordinate(y), "width": coordinate(max(width, 0)),
        "height": coordinate(height), attribute: look,
      ], [.element("title", text: tip)])
  }

  static func group(class style: String, _ marks: [Markup]) -> Markup {
    .element("g", ["class": style], marks)
  }
}

/// The frame of a chart with two axes: grid, ticks, and a title with its unit on each.
struct Axes {
  let x: Scale
  let y: Scale
  let xTitle: String
  let yTitle: String
  /// Whether the ticks' lines go through the plot; where names stand in it they would go through these.
  var hasGrid = true
  /// Room between the vertical axis and the horizontal scale, for what has no place on that.
  var besides = 0.0
  /// Room for tick labels and titles around the plot.
  static let left = 46.0
  static let top = 26.0
  static let right = 10.0
  /// How far below the plot the labels of its horizontal axis reach.
  static let below = 38.0

  var marks: [Markup] {
    let left = x.start - besides
    let horizontal = y.ticks.flatMap { tick -> [Markup] in
      let at = y.position(tick)
      return [
        .line((left, at), (hasGrid ? x.end : left + 4, at), class: "grid"),
        .label(NumberText.plain(tick), x: left - 5, y: at + 4, anchor: .end, class: "muted small"),
      ]
    }
    let vertical = x.ticks.flatMap { tick -> [Markup] in
      let (at, text) = (x.position(tick), NumberText.plain(tick))
      // The last one must not reach out of the chart.
      let middle = min(at, x.end + Self.right - TextWidth.of(text, size: TextWidth.small) / 2)
      return [
        .line((at, y.start), (at, hasGrid ? y.end : y.start - 4), class: "grid"),
        // Clear of the vertical axis's lowest label, which ends beside the plot's corner.
        .label(text, x: middle, y: y.start + 18, anchor: .middle, class: "muted small"),
      ]
    }
    return horizontal + vertical + [
      .line((left, y.start), (x.end, y.start), class: "axis"),
      .label(yTitle, x: 0, y: y.end - 14, class: "muted small"),
      .label(xTitle, x: x.end, y: y.start + 32, anchor: .end, class: "muted small"),
    ]
  }
}

/// One horizontal axis under rows of bars, with its grid beside the bars and not in the text between them.
struct RowAxis {
  let scale: Scale
  let title: String
  let width: Double
  /// From top to bottom; the last one ends at the axis.
  let bars: [ClosedRange<Double>]
  static let height = 34.0

  private var bottom: Double { bars.last?.upperBound ?? 0 }

  var marks: [Markup] {
    scale.ticks.flatMap { tick -> [Markup] in
      let at = scale.position(tick)
      let anchor: Markup.Anchor = at < 12 ? .start : at > width - 12 ? .end : .middle
      return bars.map { .line((at, $0.lowerBound), (at, $0.upperBound), class: "grid") } + [
        .label(NumberText.plain(tick), x: at, y: bottom + 13, anchor: anchor, class: "muted small")
      ]
    } + [.label(title, x: width, y: bottom + 28, anchor: .end, class: "muted small")]
  }
}
