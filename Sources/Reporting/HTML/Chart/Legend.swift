/// Marks and what they mean, in rows that fit the chart's width.
struct Legend {
  struct Item {
    let text: String
    /// Draws the mark with its middle at a point.
    let mark: (_ x: Double, _ y: Double) -> Markup
  }

  let items: [Item]

  private static let rowHeight = 17.0
  private static let markWidth = 16.0
  private static let gap = 14.0

  /// - Returns: the marks, and how far down from `top` they reach.
  func marks(top: Double) -> (marks: [Markup], height: Double) {
    var marks: [Markup] = []
    var x = 0.0
    var y = top + Self.rowHeight / 2
    for item in items {
      let text = TextWidth.fitted(item.text, to: Chart.width - Self.markWidth, size: TextWidth.small)
      let width = Self.markWidth + TextWidth.of(text, size: TextWidth.small)
      if x > 0, x + width > Chart.width {
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
