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
  /// What went wrong.
  func complain(_ text: String)
  /// Forgets what was shown before.
  func clear()
}

/// Answers, and what was asked for, on standard output; all else on standard error.
final class PipeDisplay: ChatDisplay {
  private let console: Console
  private var endsLine = false

  init(_ console: Console) { self.console = console }

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

  func show(_ text: String) { console.print(text) }
  func remark(_ text: String) { console.note(text) }
  func complain(_ text: String) { console.warn("gpt2-bench: chat: \(text)") }
  func clear() {}
}
