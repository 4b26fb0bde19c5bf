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

  /// The series' mark, about ten units wide.
  func marker(x: Double, y: Double, radius: Double = 4.5, tip: String = "") -> Markup {
    .element(
      "path", ["d": Self.path(shape, x: x, y: y, radius: radius), "class": "mark \(cssClass)"],
      tip.isEmpty ? [] : [.element("title", text: tip)])
  }

  private static func path(_ shape: Shape, x: Double, y: Double, radius r: Double) -> String {
    func polygon(_ points: [(Double, Double)]) -> String {
      "M"
        + points.map { "\(coordinate(x + $0.0 * r)) \(coordinate(y + $0.1 * r))" }.joined(separator: "L")
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
