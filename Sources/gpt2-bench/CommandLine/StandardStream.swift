import CSystem
import Foundation
import Synchronization

/// The process's output streams, unbuffered: a token is seen when it is written.
enum StandardStream {
  case output, error

  private var descriptor: Int32 {
    switch self {
    case .output: STDOUT_FILENO
    case .error: STDERR_FILENO
    }
  }

  /// What the system said when output could not be written; nil where all was.
  static var failure: String? {
    let code = failedCode.load(ordering: .relaxed)
    return code == 0 ? nil : String(cString: strerror(code)).lowercased()
  }

  /// Whether the reader of a pipe has gone, as `head` does when it has enough.
  static var isClosed: Bool { failedCode.load(ordering: .relaxed) == EPIPE }

  private static let failedCode = Atomic<Int32>(0)

  /// Lets the process see that a pipe has no reader any more, which would end it otherwise.
  static func surviveClosedPipes() { signal(SIGPIPE, SIG_IGN) }

  /// Writes all of a text, or gives up; what became of output is in `failure`.
  func write(_ text: String) {
    let bytes = Array(text.utf8)
    let code = csystem_write_all(descriptor, bytes, bytes.count)
    if code != 0, self == .output { Self.failedCode.store(code, ordering: .relaxed) }
  }
}
