import CSystem
import Foundation

/// Lines of standard input as they come, without editing: from a pipe, a file, or a terminal that can no more.
final class StreamLines: LineSource {
  /// Shown before each line where a person types them.
  private let prompt: String?
  private var bytes: [UInt8] = []
  /// Everything before it is known to hold no newline.
  private var searched = 0
  private var isAtEnd = false

  /// - Parameter prompt: nil where nobody types.
  init(prompt: String?) { self.prompt = prompt }

  /// What is not UTF-8 becomes U+FFFD; a carriage return before the newline belongs to the newline.
  func next() -> LineEvent {
    if let prompt { StandardStream.output.write(prompt) }
    while true {
      if let line = takeLine() { return .line(line) }
      if isAtEnd { return .end }
      var buffer = [UInt8](repeating: 0, count: 4096)
      let count = read(STDIN_FILENO, &buffer, buffer.count)
      if count > 0 {
        bytes += buffer[..<count]
      } else if count == 0 {
        isAtEnd = true
      } else if errno != EINTR {
        return .end
      } else if csystem_interrupts_take() != 0 {
        StandardStream.output.write("\n")
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

extension StreamLines {
  /// With a prompt, and without an end by control-C, where a person types.
  static func standardInput() -> StreamLines {
    guard isatty(STDIN_FILENO) == 1 else { return StreamLines(prompt: nil) }
    csystem_interrupts_catch()
    return StreamLines(prompt: isatty(STDOUT_FILENO) == 1 ? "> " : nil)
  }
}
