// The loss as a drawing of characters, for a terminal.
extension TrainingHistory {
  /// The loss of all steps so far in a line of at most `width` characters: `█▆▄▃▂▂▁`. Each is the mean of as many steps;
  /// the lowest is the lowest so far. Empty for fewer than two steps.
  public func sparkline(width: Int) -> String {
    guard rows.count > 1, width > 1 else { return "" }
    let losses = curve(\.loss, over: { Double($0.step) }, points: width).map(\.y)
    guard let least = losses.min(), let most = losses.max() else { return "" }
    let blocks = Array("▁▂▃▄▅▆▇█")
    return String(
      losses.map { loss in
        let share = most > least ? (loss - least) / (most - least) : 0
        return blocks[Int((share * Double(blocks.count - 1)).rounded())]
      })
  }

  /// The loss over the steps, a line of dots, and each evaluation, a circle; with both scales. Empty for fewer than two
  /// steps, or where there is no room.
  public func plot(width: Int, height: Int = 10) -> String {
    let labelWidth = 7
    let columns = min(width, 100) - labelWidth
    guard let first = rows.first, let last = rows.last, last.step > first.step, columns >= 20 else {
      return ""
    }
    let training = curve(\.loss, over: { Double($0.step) }, points: 2 * columns)
    let validation = rows.compactMap { row in row.validation.map { (x: Double(row.step), y: $0) } }
    let losses = (training + validation).map(\.y)
    guard let least = losses.min(), let most = losses.max(), most > least else { return "" }
    var canvas = BrailleCanvas(columns: columns, rows: height)
    func place(_ point: (x: Double, y: Double)) -> (x: Double, y: Double) {
      (
        (point.x - Double(first.step)) / Double(last.step - first.step),
        (most - point.y) / (most - least)
      )
    }
    canvas.draw(training.map(place))
    for point in validation { canvas.mark("○", at: place(point)) }
    let labels = [0: most, height / 2: (most + least) / 2, height - 1: least]
    let lines = canvas.lines.enumerated().map { index, line in
      let label = labels[index].map { NumberText.fixed($0, 2) } ?? ""
      return (label.leftPadded(to: labelWidth - 2) + (label.isEmpty ? " │" : " ┤") + line).trimmedEnd
    }
    let end = "\(last.step)"
    let scale = "\(first.step)".padded(to: columns - end.count) + end
    let blank = String(repeating: " ", count: labelWidth)
    let words = "loss: ⠒ training" + (validation.isEmpty ? "" : ", ○ validation")
    return ([words] + lines + [blank + scale]).joined(separator: "\n")
  }
}

/// A grid of characters, each of two by four dots (Unicode's Braille patterns).
private struct BrailleCanvas {
  private let columns: Int
  private let rows: Int
  private var dots: [UInt8]
  private var marks: [Int: Character] = [:]

  init(columns: Int, rows: Int) {
    (self.columns, self.rows) = (columns, rows)
    dots = Array(repeating: 0, count: columns * rows)
  }

  /// A line through points; both coordinates are shares of the width and of the height from the top.
  mutating func draw(_ points: [(x: Double, y: Double)]) {
    let places = points.map { place($0, width: 2 * columns, height: 4 * rows) }
    for (from, to) in zip(places, places.dropFirst()) {
      let count = max(abs(to.x - from.x), abs(to.y - from.y), 1)
      for step in 0...count {
        set(from.x + (to.x - from.x) * step / count, from.y + (to.y - from.y) * step / count)
      }
    }
  }

  /// A character in place of the dots there.
  mutating func mark(_ character: Character, at point: (x: Double, y: Double)) {
    let place = place(point, width: columns, height: rows)
    marks[place.y * columns + place.x] = character
  }

  var lines: [String] {
    (0..<rows).map { row in
      String(
        (row * columns..<(row + 1) * columns).map { cell in
          marks[cell]
            ?? (dots[cell] == 0 ? " " : Character(Unicode.Scalar(UInt32(0x2800) + UInt32(dots[cell])) ?? " "))
        })
    }
  }

  private func place(_ point: (x: Double, y: Double), width: Int, height: Int) -> (x: Int, y: Int) {
    func index(_ share: Double, _ count: Int) -> Int {
      Int((min(max(share, 0), 1) * Double(count - 1)).rounded())
    }
    return (index(point.x, width), index(point.y, height))
  }

  private mutating func set(_ x: Int, _ y: Int) {
    // Dots 1 to 3 and 7 are the left column from the top, 4 to 6 and 8 the right one.
    let bits: [[UInt8]] = [[0x01, 0x02, 0x04, 0x40], [0x08, 0x10, 0x20, 0x80]]
    dots[y / 4 * columns + x / 2] |= bits[x % 2][y % 4]
  }
}
