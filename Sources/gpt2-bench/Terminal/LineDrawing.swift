/// Draws a line over the one it drew before, in a terminal's escape sequences (ECMA-48): gives what to write, and
/// remembers where the cursor will stand.
struct LineDrawing {
  /// Columns of each row that is drawn.
  private var drawn: [Int] = []
  /// Of the rows that are drawn.
  private var cursorRow = 0
  private var cursorColumn = 0

  /// - Parameter height: rows of the terminal.
  mutating func draw(_ layout: LineLayout, height: Int) -> String {
    let window = layout.window(height: height)
    let rows = layout.rows[window]
    var text = toStart + "\u{1B}[J" + rows.map(\.text).joined(separator: "\r\n")
    cursorRow = layout.cursorRow - window.lowerBound
    cursorColumn = layout.cursorColumn
    drawn = rows.map(\.columns)
    text += Self.up(rows.count - 1 - cursorRow) + "\r"
    if cursorColumn > 0 { text += "\u{1B}[\(cursorColumn)C" }
    return text
  }

  /// Draws all of it, taller than the terminal or not, and goes to the line below.
  mutating func finish(_ layout: LineLayout, ending: String = "") -> String {
    defer { forget() }
    // A row that is there for the cursor alone is not wanted any more.
    let rows = layout.rows.last?.columns == 0 && ending.isEmpty ? layout.rows.dropLast() : layout.rows[...]
    return toStart + "\u{1B}[J" + rows.map(\.text).joined(separator: "\r\n") + ending + "\r\n"
  }

  /// The terminal has another width. Most terminals break rows that have become too long for it, and leave the others.
  mutating func resize(width: Int) {
    let width = max(width, 1)
    let above = drawn.prefix(cursorRow).reduce(0) { $0 + max(($1 + width - 1) / width, 1) }
    cursorRow = above + cursorColumn / width
  }

  /// What was drawn is gone or left behind: the next drawing begins where the cursor stands.
  mutating func forget() { self = LineDrawing() }

  private var toStart: String { Self.up(cursorRow) + "\r" }

  private static func up(_ rows: Int) -> String { rows > 0 ? "\u{1B}[\(rows)A" : "" }
}
