/// Where a chat's texts go. On a terminal all of them go there, an answer as it comes, and under it a line with its
/// speed so far, which stays when the answer is done. Elsewhere answers and what was asked for go to standard output, all
/// else to standard error.
final class ChatDisplay {
  private let terminal: Terminal?
  private let console: any ChatConsole
  private var drawing = AnswerDrawing()
  /// Whether the answer so far ends with a line's end.
  private var endsLine = false

  init(_ terminal: Terminal?, _ console: any ChatConsole) {
    (self.terminal, self.console) = (terminal, console)
  }

  func begin(_ figures: String) {
    (drawing, endsLine) = (AnswerDrawing(), false)
    if terminal != nil { write("", figures) }
  }

  /// A piece of the answer, and the figures up to it.
  func write(_ piece: String, _ figures: @autoclosure () -> String) {
    var text = piece
    if let width = terminal?.size.columns {
      text = drawing.write(piece, width: width)
      if console.showsProgress { text += drawing.status(figures(), width: width, dim: dim) }
    } else if !piece.isEmpty {
      endsLine = piece.hasSuffix("\n")
    }
    if !text.isEmpty { console.write(text) }
  }

  func end(_ figures: String) {
    console.write(terminal != nil ? drawing.finish() : endsLine ? "" : "\n")
    remark(figures)
  }

  func show(_ text: String) { console.write((terminal == nil ? text : SafeText.visible(text)) + "\n") }

  func remark(_ text: String) {
    if terminal == nil { return console.note(text) }
    if !console.isQuiet { console.write(dim(SafeText.visible(text)) + "\n") }
  }

  func complain(_ text: String) {
    if terminal == nil { console.warn("gpt2-bench: chat: \(text)") } else { show(text) }
  }

  func clear() { if terminal != nil { console.write(Terminal.cleared) } }

  private func dim(_ text: String) -> String { console.usesColor ? "\u{1B}[2m\(text)\u{1B}[22m" : text }
}

/// Draws a text that grows, with a status line under it: gives what to write; the cursor stays after the text.
///
/// The way back from the status line is by column, so the text's columns are counted. Where that is not certain, because
/// terminals differ in what is drawn, the row gets no status.
struct AnswerDrawing {
  private static let tabWidth = 8

  /// Columns of the text's last row.
  private var column = 0
  private var isCertain = true
  private var hasStatus = false

  mutating func write(_ piece: String, width: Int) -> String {
    guard !piece.isEmpty else { return "" }
    defer { hasStatus = false }
    let text = SafeText.visible(piece)
    for character in text { advance(over: character, width: width) }
    return (hasStatus ? "\u{1B}[J" : "") + text
  }

  /// - Parameter dim: marks the line as of lesser interest.
  mutating func status(_ line: String, width: Int, dim: (String) -> String) -> String {
    // After a full row terminals differ in where the cursor is.
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
