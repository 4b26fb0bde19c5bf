/// All on one terminal: an answer as it comes, under it a line with its speed so far, which stays when the answer is done.
final class TerminalDisplay: ChatDisplay {
  private let terminal: Terminal
  private let console: Console
  private var answer = AnswerDrawing()

  init(_ terminal: Terminal, _ console: Console) {
    self.terminal = terminal
    self.console = console
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
