import CSystem
import Files
import Foundation

/// The terminal on standard input and output, as a source of keys. It is as it was found when the process ends, however
/// that ends.
final class Terminal {
  enum Event: Equatable {
    case keys([Key])
    /// Another size, or back from a stop: what is on the screen is to be drawn anew.
    case redraw
    case interrupted
    case end
  }

  /// How long an escape character waits for the rest of a key: longer than any terminal takes, also through a network.
  private static let escapeMilliseconds: Int32 = 50

  static let cleared = "\u{1B}[H\u{1B}[2J"

  private let console: any ChatConsole
  private var parser = KeyParser()

  /// nil where keys cannot be read one by one: a stream is no terminal, or it is a dumb one.
  init?(environment: [String: String], _ console: any ChatConsole) {
    self.console = console
    guard isatty(STDIN_FILENO) == 1, isatty(STDOUT_FILENO) == 1, let name = environment["TERM"],
      !name.isEmpty, name != "dumb", csystem_terminal_open(STDIN_FILENO, STDOUT_FILENO) == 0
    else { return nil }
  }

  /// Rows and columns; 24 of 80 where the terminal does not say.
  var size: (rows: Int, columns: Int) {
    terminalSize(STDOUT_FILENO).flatMap { $0.rows > 0 ? $0 : nil } ?? (24, 80)
  }

  /// While a line is edited; control-C is a key.
  func readKeys() { _ = csystem_terminal_set(CSYSTEM_TERMINAL_KEYS) }

  /// While there is nothing to edit: keys wait unseen, and control-C is a signal.
  func awaitSignals() { _ = csystem_terminal_set(CSYSTEM_TERMINAL_SIGNALS) }

  func restore() { _ = csystem_terminal_set(CSYSTEM_TERMINAL_FOUND) }

  /// Stops the process, as control-Z does; returns when it is continued.
  func suspend() { raise(SIGTSTP) }

  func write(_ text: String) { console.write(text) }

  func next() -> Event {
    while true {
      var descriptors = [
        pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0),
        pollfd(fd: csystem_terminal_events(), events: Int16(POLLIN), revents: 0),
      ]
      let ready = uninterrupted(until: isInterrupted) {
        poll(&descriptors, 2, parser.isWaiting ? Self.escapeMilliseconds : -1)
      }
      if ready < 0 { return errno == EINTR ? .interrupted : .end }
      if ready == 0 {
        if let key = parser.flush() { return .keys([key]) }
        continue
      }
      if descriptors[1].revents != 0 {
        var notices = [UInt8](repeating: 0, count: 64)
        while read(csystem_terminal_events(), &notices, notices.count) == notices.count {}
        return .redraw
      }
      switch InputPiece.read() {
      case .bytes(let bytes):
        let keys = parser.keys(from: bytes)
        if !keys.isEmpty { return .keys(keys) }
      case .interrupted: return .interrupted
      case .end, .failed: return .end
      }
    }
  }
}

enum InputPiece {
  case bytes(ArraySlice<UInt8>)
  case interrupted
  case end
  case failed

  static func read() -> InputPiece {
    var buffer = [UInt8](repeating: 0, count: 4096)
    let count = uninterrupted(until: isInterrupted) { Foundation.read(STDIN_FILENO, &buffer, buffer.count) }
    if count > 0 { return .bytes(buffer[..<count]) }
    if count == 0 { return .end }
    return errno == EINTR ? .interrupted : .failed
  }
}

/// Whether control-C came since the last call.
private func isInterrupted() -> Bool { csystem_interrupts_take() != 0 }
