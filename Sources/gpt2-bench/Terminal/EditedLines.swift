/// Lines that a person edits on a terminal.
final class EditedLines: LineSource {
  private let terminal: Terminal
  private let prompt: String
  private let file: HistoryFile?
  private var editor: LineEditor
  private var drawing = LineDrawing()
  /// Keys that came with a line's last one.
  private var waiting: [Key] = []

  /// - Parameters:
  ///   - file: where lines are kept for the next time; nil for nowhere.
  ///   - complete: completes the text before the cursor.
  init(
    _ terminal: Terminal, prompt: String, file: HistoryFile?,
    complete: @escaping (String) -> Completion
  ) {
    self.terminal = terminal
    self.prompt = prompt
    self.file = file
    editor = LineEditor(history: InputHistory(file?.load() ?? []), complete: complete)
  }

  func next() -> LineEvent {
    terminal.readKeys()
    defer { terminal.awaitSignals() }
    while true {
      while !waiting.isEmpty {
        let before = shown
        if let event = act(on: editor.handle(waiting.removeFirst()), before: before) { return event }
      }
      draw()
      switch terminal.next() {
      case .keys(let keys): waiting = keys
      case .redraw: drawing.resize(width: terminal.size.columns)
      case .interrupted: waiting = [.control("c")]
      case .end: return .end
      }
    }
  }

  /// - Parameter before: the line as it was before the key.
  private func act(on outcome: LineEditor.Outcome, before: Shown) -> LineEvent? {
    switch outcome {
    case .edited: break
    case .refused: terminal.write("\u{07}")
    case .submitted(let text):
      finish(Shown(prompt: prompt, line: EditableText(text)))
      if editor.history.add(text) { file?.append(text) }
      return .line(text)
    case .interrupted:
      finish(before, ending: "^C")
      return .interrupted
    case .endOfInput:
      finish(before)
      return .end
    case .clearScreen:
      terminal.write("\u{1B}[H\u{1B}[2J")
      drawing.forget()
    case .suspended:
      finish(before, ending: "^Z")
      terminal.suspend()
    case .candidates(let texts):
      finish(before)
      terminal.write(ColumnList.text(texts, width: terminal.size.columns))
    }
    return nil
  }

  private struct Shown {
    let prompt: String
    let line: EditableText
  }

  private var shown: Shown { Shown(prompt: editor.search?.prompt ?? prompt, line: editor.line) }

  private func layout(_ shown: Shown) -> LineLayout {
    LineLayout(prompt: shown.prompt, text: shown.line, width: terminal.size.columns)
  }

  private func draw() { terminal.write(drawing.draw(layout(shown), height: terminal.size.rows)) }

  private func finish(_ shown: Shown, ending: String = "") {
    terminal.write(drawing.finish(layout(shown), ending: ending))
  }
}
