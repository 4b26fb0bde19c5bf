/// Where a chat's texts go.
protocol ChatDisplay: AnyObject {
  /// An answer begins; figures are of what is known of the turn yet.
  func begin(_ figures: String)
  /// A piece of the answer, and the figures up to it.
  func write(_ piece: String, _ figures: @autoclosure () -> String)
  func end(_ figures: String)
  /// What somebody asked to see.
  func show(_ text: String)
  /// What somebody may like to know.
  func remark(_ text: String)
  func complain(_ text: String)
  func clear()
}

/// Answers, and what was asked for, on standard output; all else on standard error.
final class PipeDisplay: ChatDisplay {
  private let console: any ChatConsole
  private var endsLine = false

  init(_ console: any ChatConsole) { self.console = console }

  func begin(_ figures: String) { endsLine = false }

  func write(_ piece: String, _ figures: @autoclosure () -> String) {
    guard !piece.isEmpty else { return }
    console.write(piece)
    endsLine = piece.hasSuffix("\n")
  }

  /// An answer ends its line.
  func end(_ figures: String) {
    if !endsLine { console.write("\n") }
    console.note(figures)
  }

  func show(_ text: String) { console.write(text + "\n") }
  func remark(_ text: String) { console.note(text) }
  func complain(_ text: String) { console.warn("gpt2-bench: chat: \(text)") }
  func clear() {}
}

/// All on one terminal: an answer as it comes, under it a line with its speed so far, which stays when the answer is done.
final class TerminalDisplay: ChatDisplay {
  private let terminal: Terminal
  private let console: any ChatConsole
  private var answer = AnswerDrawing()

  init(_ terminal: Terminal, _ console: any ChatConsole) {
    (self.terminal, self.console) = (terminal, console)
  }

  func begin(_ figures: String) {
    answer = AnswerDrawing()
    write("", figures)
  }

  func write(_ piece: String, _ figures: @autoclosure () -> String) {
    let width = terminal.size.columns
    var text = answer.write(piece, width: width)
    if console.showsProgress { text += answer.status(figures(), width: width, dim: dim) }
    if !text.isEmpty { terminal.write(text) }
  }

  func end(_ figures: String) {
    terminal.write(answer.finish())
    if !console.isQuiet { terminal.write(dim(figures) + "\n") }
  }

  func show(_ text: String) { terminal.write(SafeText.visible(text) + "\n") }

  func remark(_ text: String) {
    if !console.isQuiet { terminal.write(dim(SafeText.visible(text)) + "\n") }
  }

  func complain(_ text: String) { terminal.write(SafeText.visible(text) + "\n") }

  func clear() { terminal.write("\u{1B}[H\u{1B}[2J") }

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
