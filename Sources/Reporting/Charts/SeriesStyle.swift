/// How a series looks in every chart of a page: a colour and a shape, so that no one needs the colour.
struct SeriesStyle: Sendable, Hashable {
  enum Shape: CaseIterable, Sendable {
    case circle, square, triangle, diamond, cross, inverted, plus, hexagon
  }

  /// From 0, in the page's order of contestants.
  let index: Int

  var cssClass: String { "s\(index % Theme.light.series.count)" }

  /// Moves on by one where the colours begin anew, so that no two of 64 series look the same.
  var shape: Shape {
    let count = Theme.light.series.count
    return Shape.allCases[(index + index / count) % Shape.allCases.count]
  }

  func marker(x: Double, y: Double, radius: Double = 4.5, tip: String = "") -> Markup {
    .mark(Self.path(shape, x: x, y: y, radius: radius), class: "mark \(cssClass)", tip: tip)
  }

  static func path(_ shape: Shape, x: Double, y: Double, radius r: Double) -> String {
    func polygon(_ points: [(Double, Double)]) -> String {
      "M" + points.map { "\(coordinate(x + $0.0 * r)) \(coordinate(y + $0.1 * r))" }.joined(separator: "L")
        + "Z"
    }
    switch shape {
    case .circle:
      return "M\(coordinate(x - r)) \(coordinate(y))a\(coordinate(r)) \(coordinate(r)) 0 1 0 "
        + "\(coordinate(2 * r)) 0a\(coordinate(r)) \(coordinate(r)) 0 1 0 \(coordinate(-2 * r)) 0Z"
    case .square: return polygon([(-0.88, -0.88), (0.88, -0.88), (0.88, 0.88), (-0.88, 0.88)])
    case .triangle: return polygon([(0, -1.15), (1.1, 0.8), (-1.1, 0.8)])
    case .inverted: return polygon([(0, 1.15), (1.1, -0.8), (-1.1, -0.8)])
    case .diamond: return polygon([(0, -1.25), (1.25, 0), (0, 1.25), (-1.25, 0)])
    case .hexagon: return polygon([(-0.55, -1), (0.55, -1), (1.1, 0), (0.55, 1), (-0.55, 1), (-1.1, 0)])
    case .cross: return polygon(Self.plus.map { (0.75 * ($0.0 + $0.1), 0.75 * ($0.1 - $0.0)) })
    case .plus: return polygon(Self.plus)
    }
  }

  private static let plus: [(Double, Double)] = [
    (-0.4, -1.2), (0.4, -1.2), (0.4, -0.4), (1.2, -0.4), (1.2, 0.4), (0.4, 0.4), (0.4, 1.2), (-0.4, 1.2),
    (-0.4, 0.4), (-1.2, 0.4), (-1.2, -0.4), (-0.4, -0.4),
  ]
}

/// Marks and what they mean, in rows that fit the chart's width.
struct Legend {
  struct Item {
    let text: String
    let mark: (_ x: Double, _ y: Double) -> Markup
  }

  let items: [Item]

  init(items: [Item]) { self.items = items }

  init(_ series: [(name: String, style: SeriesStyle)]) {
    items = series.map { one in Item(text: one.name) { x, y in one.style.marker(x: x, y: y) } }
  }

  private static let rowHeight = 17.0
  private static let markWidth = 16.0
  private static let gap = 14.0

  /// - Returns: the marks, and how far down from `top` they reach.
  func marks(top: Double, width chartWidth: Double) -> (marks: [Markup], height: Double) {
    var marks: [Markup] = []
    var x = 0.0
    var y = top + Self.rowHeight / 2
    for item in items {
      let text = TextWidth.fitted(item.text, to: chartWidth - Self.markWidth, size: TextWidth.small)
      let width = Self.markWidth + TextWidth.of(text, size: TextWidth.small)
      if x > 0, x + width > chartWidth {
        x = 0
        y += Self.rowHeight
      }
      marks.append(item.mark(x + 6, y))
      marks.append(.label(text, x: x + Self.markWidth, y: y + 4, class: "small"))
      x += width + Self.gap
    }
    return (marks, items.isEmpty ? 0 : y + Self.rowHeight / 2 - top)
  }
}

/// How wide text comes out in a chart, before any browser has set it: a little too wide rather than too narrow.
enum TextWidth {
  static let size = 12.0
  static let small = 11.0

  /// In the chart's units, for a font of `size`.
  static func of(_ text: String, size: Double = size) -> Double {
    text.unicodeScalars.reduce(0) { width, scalar in
      switch scalar {
      case "i", "l", "j", "t", "f", "I", ".", ",", ":", ";", "'", "|", " ", "(", ")", "-": width + 0.36 * size
      case "m", "w", "M", "W", "%", "@": width + 0.9 * size
      case "\u{0}"..<"\u{2E80}": width + 0.6 * size
      default: width + size
      }
    }
  }

  /// The text, or as much of it as fits with `…` after it.
  static func fitted(_ text: String, to width: Double, size: Double = size) -> String {
    guard of(text, size: size) > width else { return text }
    var left = width - of("…", size: size)
    let kept = text.prefix { character in
      left -= of(String(character), size: size)
      return left >= 0
    }
    return kept + "…"
  }
}
