/// Draws a text that grows, and a status line under it: gives what to write to a terminal, whose cursor stays behind the
/// text.
///
/// The way back from the status line is by column, so the text's columns are counted. Where that is not certain, because
/// terminals differ in what is drawn, the row gets no status.
struct AnswerDrawing {
  private static let tabWidth = 8

  /// Columns of the text's last row.
  private var column = 0
  private var isCertain = true
  private var hasStatus = false

  /// - Parameter width: columns of the terminal.
  mutating func write(_ piece: String, width: Int) -> String {
    guard !piece.isEmpty else { return "" }
    defer { hasStatus = false }
    let text = SafeText.visible(piece)
    for character in text { advance(over: character, width: width) }
    return (hasStatus ? "\u{1B}[J" : "") + text
  }

  /// - Parameter dim: marks the line as of lesser interest.
  mutating func status(_ line: String, width: Int, dim: (String) -> String) -> String {
    // Behind a full row terminals differ in where the cursor is.
    guard isCertain, column < width else { return "" }
    hasStatus = true
    let back = "\u{1B}[A\r" + (column > 0 ? "\u{1B}[\(column)C" : "")
    return "\n\r" + dim(String(line.prefix(width - 1))) + "\u{1B}[K" + back
  }

  /// Without the status; the cursor stands at the beginning of the line below the text.
  mutating func finish() -> String {
    defer { self = AnswerDrawing() }
    return (hasStatus ? "\u{1B}[J" : "") + (column > 0 ? "\n" : "")
  }

  private mutating func advance(over character: Character, width: Int) {
    switch character {
    case "\n": (column, isCertain) = (0, true)
    case "\t": column = min((column / Self.tabWidth + 1) * Self.tabWidth, width - 1)
    default:
      let columns = DisplayWidth.columns(of: character)
      if column + columns > width { column = 0 }
      column += columns
      isCertain = isCertain && DisplayWidth.isCertain(character)
    }
  }
}
