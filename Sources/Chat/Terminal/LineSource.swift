import CSystem
import Foundation

enum LineEvent: Equatable {
  case line(String)
  /// Control-C: the line that was begun is given up.
  case interrupted
  case end
}

final class EditedLines {
  private let terminal: Terminal
  private let prompt: String
  private let file: HistoryFile?
  private var editor: LineEditor
  private var drawing = LineDrawing()
  /// Keys that came with a line's last one.
  private var waiting: [Key] = []

  /// - Parameter file: where lines are kept for the next time; nil for nowhere.
  init(
    _ terminal: Terminal, prompt: String, file: HistoryFile?, complete: @escaping (String) -> TabCompletion
  ) {
    (self.terminal, self.prompt, self.file) = (terminal, prompt, file)
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
      finish((prompt, EditableText(text)))
      if editor.history.add(text) { file?.append(text) }
      return .line(text)
    case .interrupted:
      finish(before, ending: "^C")
      return .interrupted
    case .endOfInput:
      finish(before)
      return .end
    case .clearScreen:
      terminal.write(Terminal.cleared)
      drawing.forget()
    case .suspended:
      finish(before, ending: "^Z")
      terminal.suspend()
    case .candidates(let texts):
      finish(before)
      terminal.write(inColumns(texts))
    }
    return nil
  }

  /// Short texts side by side, as `ls` shows names.
  private func inColumns(_ texts: [String]) -> String {
    let cell = (texts.map(DisplayWidth.columns).max() ?? 0) + 2
    let columns = max((terminal.size.columns - 1) / cell, 1)
    return stride(from: 0, to: texts.count, by: columns).map { first in
      let row = texts[first..<min(first + columns, texts.count)]
      let padded = row.dropLast().map {
        $0 + String(repeating: " ", count: cell - DisplayWidth.columns(of: $0))
      }
      return padded.joined() + (row.last ?? "") + "\n"
    }.joined()
  }

  private typealias Shown = (prompt: String, line: EditableText)

  private var shown: Shown { (editor.search?.prompt ?? prompt, editor.line) }

  private func layout(_ shown: Shown) -> LineLayout {
    LineLayout(prompt: shown.prompt, text: shown.line, width: terminal.size.columns)
  }

  private func draw() { terminal.write(drawing.draw(layout(shown), height: terminal.size.rows)) }

  private func finish(_ shown: Shown, ending: String = "") {
    terminal.write(drawing.finish(layout(shown), ending: ending))
  }
}

/// Lines of standard input as they come, without editing: from a pipe, a file, or a terminal that can no more.
final class StreamLines {
  private let console: any ChatConsole
  /// Shown before each line where a person types them.
  private let prompt: String?
  private var bytes: [UInt8] = []
  /// Everything before it is known to hold no newline.
  private var searched = 0
  private var isAtEnd = false

  /// Control-C does not end the process where a person types.
  init(_ console: any ChatConsole) {
    self.console = console
    let isTyped = isatty(STDIN_FILENO) == 1
    prompt = isTyped && isatty(STDOUT_FILENO) == 1 ? "> " : nil
    if isTyped { csystem_interrupts_catch() }
  }

  /// What is not UTF-8 becomes U+FFFD; a carriage return before the newline belongs to the newline.
  func next() -> LineEvent {
    if let prompt { console.write(prompt) }
    while true {
      if let line = takeLine() { return .line(line) }
      if isAtEnd { return .end }
      switch InputPiece.read() {
      case .bytes(let piece): bytes += piece
      case .end: isAtEnd = true
      case .failed: return .end
      case .interrupted:
        console.write("\n")
        return .interrupted
      }
    }
  }

  private func takeLine() -> String? {
    guard let newline = bytes[searched...].firstIndex(of: UInt8(ascii: "\n")) else {
      searched = bytes.count
      guard isAtEnd, !bytes.isEmpty else { return nil }
      defer { (bytes, searched) = ([], 0) }
      return String(decoding: bytes, as: UTF8.self)
    }
    let hasReturn = newline > 0 && bytes[newline - 1] == UInt8(ascii: "\r")
    let line = String(decoding: bytes[..<(hasReturn ? newline - 1 : newline)], as: UTF8.self)
    bytes.removeSubrange(...newline)
    searched = 0
    return line
  }
}
