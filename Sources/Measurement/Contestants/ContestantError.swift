/// What went wrong with a contestant, in one line that names it.
public struct ContestantError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The contestant's name.
  public let contestant: String
  /// The operation that was asked for; nil where it could not even start.
  public let operation: String?
  public let kind: Kind

  public enum Kind: Sendable, Equatable {
    /// No process came to be.
    case couldNotStart(reason: String)
    /// The process ended before it answered. `standardError` is the end of what it wrote there.
    case died(Ending, standardError: String)
    /// No answer within the time; the process was killed.
    case hung(after: Duration, standardError: String)
    /// What it wrote is no answer to the request; the process was killed.
    case malformedAnswer(line: String, reason: String)
    /// A well-formed refusal. The contestant lives on and can be asked again.
    case refused(message: String)
    /// The request itself cannot be written as JSON. The contestant was not asked and lives on.
    case unwritableRequest(reason: String)
    /// The caller no longer wanted the answer; the process was killed.
    case cancelled
    /// It had been stopped before it was asked.
    case stopped
  }

  /// How a process ended.
  public enum Ending: Sendable, Equatable, CustomStringConvertible {
    case exited(code: Int32)
    /// The signal's name, for example `SIGSEGV`.
    case signalled(name: String)

    public var description: String {
      switch self {
      case .exited(let code): "exited with code \(code)"
      case .signalled(let name): "was ended by \(name)"
      }
    }
  }

  /// Whether the process is gone, so that every later request gives this same error.
  public var isFinal: Bool {
    switch kind {
    case .refused, .unwritableRequest: false
    default: true
    }
  }

  public var description: String {
    let place = operation.map { "\(contestant): \($0): " } ?? "\(contestant): "
    switch kind {
    case .couldNotStart(let reason): return place + "could not start: \(reason)"
    case .died(let ending, let text): return place + "\(ending) before it answered" + Self.quote(text)
    case .hung(let time, let text): return place + "no answer within \(time)" + Self.quote(text)
    case .malformedAnswer(let line, let reason):
      return place + "malformed answer (\(reason)): \(line.isEmpty ? "nothing" : line)"
    case .refused(let message): return place + message
    case .unwritableRequest(let reason): return place + "the request cannot be written: \(reason)"
    case .cancelled: return place + "cancelled"
    case .stopped: return place + "it has been stopped"
    }
  }

  /// The line that tells most: a Swift runtime error, which a long backtrace may follow, else the last line.
  private static func quote(_ text: String) -> String {
    let lines = text.split(whereSeparator: \.isNewline).filter { !$0.allSatisfy(\.isWhitespace) }
    guard let line = lines.last(where: { $0.contains("Fatal error:") }) ?? lines.last else { return "" }
    return ": " + oneLine(String(line), limit: 300)
  }
}
