/// A prompt and a text in the rows of a terminal, and where the cursor stands in them.
///
/// Rows are broken here, whatever the terminal does at its right edge, so that they can be drawn over.
struct LineLayout: Equatable, Sendable {
  struct Row: Equatable, Sendable {
    var text = ""
    var columns = 0
  }

  private(set) var rows = [Row()]
  private(set) var cursorRow = 0
  private(set) var cursorColumn = 0

  init(prompt: String, text: EditableText, width: Int) {
    let width = max(width, 2)
    for character in prompt { place(character, width) }
    for (index, character) in text.characters.enumerated() {
      if index == text.cursor { markCursor(before: character, width) }
      if character == "\n" { rows.append(Row()) } else { place(character, width) }
    }
    if text.cursor == text.characters.count { markCursor(before: nil, width) }
  }

  /// The rows to show where there are more than the terminal has: with the cursor's about in the middle.
  func window(height: Int) -> Range<Int> {
    let count = min(max(height, 1), rows.count)
    let first = min(max(cursorRow - count / 2, 0), rows.count - count)
    return first..<first + count
  }

  private mutating func markCursor(before character: Character?, _ width: Int) {
    // What does not fit after the row's last column is drawn in the next row, and the cursor with it.
    if let character, character != "\n", current.columns + Self.shown(character).columns > width {
      rows.append(Row())
    }
    cursorRow = rows.count - 1
    cursorColumn = current.columns
  }

  /// A row that is full is followed by another at once, where the cursor can stand.
  private mutating func place(_ character: Character, _ width: Int) {
    let (text, columns) = Self.shown(character)
    if current.columns + columns > width { rows.append(Row()) }
    rows[rows.count - 1].text += text
    rows[rows.count - 1].columns += columns
    if current.columns >= width { rows.append(Row()) }
  }

  private var current: Row { rows[rows.count - 1] }

  private static func shown(_ character: Character) -> (text: String, columns: Int) {
    let text = SafeText.visible(character)
    return (text, DisplayWidth.columns(of: text))
  }
}

/// Draws a line over the one before, in escape sequences (ECMA-48), and remembers where the cursor will stand.
struct LineDrawing {
  private var drawn: [Int] = []
  private var cursorRow = 0
  private var cursorColumn = 0

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

  /// What was drawn is gone or abandoned: the next drawing begins where the cursor stands.
  mutating func forget() { self = LineDrawing() }

  private var toStart: String { Self.up(cursorRow) + "\r" }

  private static func up(_ rows: Int) -> String { rows > 0 ? "\u{1B}[\(rows)A" : "" }
}
