/// Finds room for names beside points: a name that would cover a point or another name is left out.
struct LabelPlaces {
  private struct Box {
    let left, right, top, bottom: Double

    func overlaps(_ other: Box) -> Bool {
      left < other.right && other.left < right && top < other.bottom && other.top < bottom
    }
  }

  private let left: Double
  private let right: Double
  private var taken: [Box] = []

  init(within: (left: Double, right: Double)) { (left, right) = within }

  /// Keeps names off a marker.
  mutating func block(x: Double, y: Double) {
    taken.append(Box(left: x - 4, right: x + 4, top: y - 4, bottom: y + 4))
  }

  mutating func block(left: Double, right: Double, top: Double, bottom: Double) {
    taken.append(Box(left: left, right: right, top: top, bottom: bottom))
  }

  /// Keeps names off text along a line that rises by `rise` a unit, `offset` below it.
  mutating func block(text: String, from start: (x: Double, y: Double), rise: Double, offset: Double) {
    let length = TextWidth.of(text, size: TextWidth.small) / (1 + rise * rise).squareRoot()
    for part in stride(from: 0, to: length, by: 6) {
      let (x, y) = (start.x + part, start.y - part * rise + offset)
      taken.append(Box(left: x, right: x + 8, top: y - 9, bottom: y + 3))
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
