import Files
import Foundation
import Reporting
import Synchronization

/// What the command writes as it goes: results on standard output, everything else on standard error.
final class Console: @unchecked Sendable {
  let isQuiet: Bool
  let showsProgress: Bool
  let usesColor: Bool
  /// Standard error is a terminal, so a line there may be drawn over.
  let drawsOver: Bool
  /// Standard output is a terminal: its lines are no wider than that, and the method is left to `--verbose`.
  let isTerminal: Bool
  /// Whether results on a terminal are shown with how they came about.
  let isVerbose: Bool
  /// Columns of standard output's terminal; 100 where it is none.
  let width: Int

  private var hasProgressLine = false

  init(quiet: Bool, progress: Bool, color: Bool, verbose: Bool) {
    (isQuiet, isVerbose) = (quiet, verbose)
    showsProgress = progress && !quiet
    let environment = ProcessInfo.processInfo.environment
    let noColor = environment["NO_COLOR"].map { !$0.isEmpty } ?? false
    let isDumb = environment["TERM"] == "dumb"
    isTerminal = isatty(STDOUT_FILENO) == 1
    usesColor = color && !noColor && !isDumb && isTerminal
    drawsOver = isatty(STDERR_FILENO) == 1 && !isDumb
    width = terminalSize(STDOUT_FILENO)?.columns ?? 100
  }

  func print(_ text: String) { write(text + "\n") }

  /// A line for each row, with the last text broken between words where a terminal has no room for it.
  func print(_ rows: [[String]], widths: [Int] = []) {
    alignedColumns(rows, widths: widths, within: isTerminal ? width : nil).forEach(print)
  }

  /// A piece of the result, out at once.
  func write(_ text: String) {
    endProgressLine()
    StandardStream.output.write(text)
  }

  func note(_ text: String) {
    guard !isQuiet else { return }
    warn(text)
  }

  /// A remark that matters even where nobody wants to be bothered.
  func warn(_ text: String) {
    endProgressLine()
    StandardStream.error.line(text)
  }

  /// Draws the line of progress over the one before, cut to the terminal's width: what wraps cannot be drawn over.
  func drawProgress(_ text: String) {
    guard showsProgress, drawsOver else { return }
    StandardStream.error.write("\r\u{1B}[K" + text.safeLine.prefix(progressWidth))
    hasProgressLine = true
  }

  /// Columns of the line of progress. The last one stays free: some terminals wrap there.
  var progressWidth: Int { (terminalSize(STDERR_FILENO)?.columns ?? 100) - 1 }

  func endProgressLine() {
    guard hasProgressLine else { return }
    StandardStream.error.write("\r\u{1B}[K")
    hasProgressLine = false
  }
}

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
    return code == 0 ? nil : systemReason(code).lowercased()
  }

  /// Whether the reader of a pipe has gone, as `head` does when it has enough.
  static var isClosed: Bool { failedCode.load(ordering: .relaxed) == EPIPE }

  private static let failedCode = Atomic<Int32>(0)

  static func readInput() -> [UInt8] { [UInt8](FileHandle.standardInput.readDataToEndOfFile()) }

  /// Lets the process see that a pipe has no reader any more, which would end it otherwise.
  static func surviveClosedPipes() { signal(SIGPIPE, SIG_IGN) }

  /// One line, whatever the text holds; on a terminal broken between words.
  func line(_ text: String) {
    let line = text.safeLine
    write((terminalSize(descriptor).map { line.wrapped(to: $0.columns) } ?? line) + "\n")
  }

  /// Writes all of a text, or gives up; what became of output is in `failure`.
  func write(_ text: String) {
    let code = writeAll(descriptor, text.utf8)
    if code != 0, self == .output { Self.failedCode.store(code, ordering: .relaxed) }
  }
}
