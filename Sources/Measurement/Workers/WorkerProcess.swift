import Files
import Foundation

/// A process that answers requests: one line of JSON on its standard output for each line on its standard input.
/// Benchmarks/peers/README.md describes the lines. One request at a time, from one thread. Once it has died, hung,
/// answered nonsense or been cancelled it stays failed: its process is killed and collected at once, and every later
/// request gives the same error. Its standard error is always read, so that it never blocks on it, and the end of it
/// is kept. It goes when this object goes, and by the end of its input when this process goes.
public final class WorkerProcess {
  /// Longest answer that is read, in bytes.
  public static let maximumAnswer = 64 << 20

  public let name: String
  public private(set) var failure: WorkerError?

  /// Longest sleep in `poll`: how soon a cancellation, or a death that leaves the pipes open, is seen.
  private static let pollInterval: UInt64 = 100_000_000

  private let child: ChildProcess
  private let clock = SystemClock()
  private var nextID = 1
  private var lines = LineBuffer()
  private var errorTail = TextTail(capacity: 8192)

  /// - Parameters:
  ///   - name: what errors call it.
  ///   - executable: a path, or a name that is looked up in `PATH`.
  ///   - arguments: without the program's name.
  ///   - environment: all of its variables; nil for those of this process.
  public init(
    name: String, executable: String, arguments: [String] = [], environment: [String: String]? = nil
  ) throws(WorkerError) {
    self.name = name
    do {
      child = try ChildProcess(
        executable: executable, arguments: arguments,
        environment: environment ?? ProcessInfo.processInfo.environment)
    } catch { throw WorkerError(worker: name, operation: nil, kind: error) }
  }

  public var processIdentifier: Int32 { child.pid }

  /// The last 8 KiB of its standard error, as far as it has been read.
  public var standardErrorTail: String { errorTail.text }

  /// Asks, and waits for the answer.
  /// - Parameters:
  ///   - timeout: from now to the whole answer.
  ///   - isLast: whether its input ends with this request.
  ///   - isCancelled: asked about ten times a second; true ends the process and the wait.
  public func request<Payload: Encodable, Result: Decodable>(
    _ operation: String, _ payload: Payload = Empty(), as type: Result.Type = Result.self,
    timeout: Duration, isLast: Bool = false, isCancelled: () -> Bool = { false }
  ) throws(WorkerError) -> Result {
    if let failure { throw failure }
    let id = nextID
    nextID += 1
    do {
      let line = try written(Request(id: id, operation: operation, payload: payload))
      let answer = try exchange(line, timeout: timeout, isLast: isLast, isCancelled: isCancelled)
      return try interpret(answer, id: id)
    } catch {
      let failed = WorkerError(worker: name, operation: operation, kind: error)
      if failed.isFinal { end(failed) }
      throw failed
    }
  }

  /// Asks it to quit, waits for it to end, and kills it where it does not within `grace`. Later requests give
  /// `.stopped`, or the failure that was there before.
  public func stop(grace: Duration = .seconds(2)) {
    guard failure == nil else { return }
    let quit = try? MessageCoding.line(Request(id: nextID, operation: "quit", payload: Empty()))
    var pending = quit ?? Data()
    let deadline = clock.now() + min(grace.nanoseconds, UInt64.max / 4)
    while !child.hasExited, clock.now() < deadline {
      // Nobody waits for what it still says; a full pipe must not keep it from ending.
      _ = transfer(&pending, milliseconds: 10)
      if pending.isEmpty { child.closeInput() }
    }
    end(WorkerError(worker: name, operation: nil, kind: .stopped))
  }

  private func end(_ reason: WorkerError) {
    _ = child.kill()
    child.closeAll()
    failure = reason
  }

  private func written(_ request: Request<some Encodable>) throws(WorkerError.Kind) -> Data {
    do { return try MessageCoding.line(request) } catch {
      throw .unwritableRequest(reason: MessageCoding.reason(error))
    }
  }

  /// Sends the line and reads until an answer is whole.
  private func exchange(
    _ line: Data, timeout: Duration, isLast: Bool, isCancelled: () -> Bool
  ) throws(WorkerError.Kind) -> Data {
    var pending = line
    let (sum, overflow) = clock.now().addingReportingOverflow(timeout.nanoseconds)
    let deadline = overflow ? UInt64.max : sum
    while true {
      if let answer = lines.nextLine() { return answer }
      if lines.count > Self.maximumAnswer {
        throw malformed(lines.remainder() ?? Data(), "no line within \(Self.maximumAnswer) bytes")
      }
      if isCancelled() { throw .cancelled }
      if isLast, pending.isEmpty { child.closeInput() }
      let now = clock.now()
      guard now < deadline else {
        drainStandardError()
        throw .hung(after: timeout, standardError: errorTail.text)
      }
      let sleep = min(deadline - now, Self.pollInterval)
      // Asked before the read: what it wrote before it ended is then read below.
      let ended = child.hasExited
      let open = transfer(&pending, milliseconds: ended ? 0 : Int32(sleep / 1_000_000) + 1)
      if ended || !open {
        if let answer = lines.nextLine() { return answer }
        throw lost()
      }
    }
  }

  /// Its output has ended, or it has.
  private func lost() -> WorkerError.Kind {
    let deadline = clock.now() + 1_000_000_000
    while !child.hasExited, clock.now() < deadline { drainStandardError(milliseconds: 10) }
    drainStandardError()
    guard child.hasExited else {
      return malformed(lines.remainder() ?? Data(), "its standard output ended, but its process did not")
    }
    return .died(child.kill(), standardError: errorTail.text)
  }

  private func interpret<Result: Decodable>(_ line: Data, id: Int) throws(WorkerError.Kind) -> Result {
    let answer: Answer<Result>
    do { answer = try JSONDecoder().decode(Answer<Result>.self, from: line) } catch {
      throw malformed(line, MessageCoding.reason(error))
    }
    if !answer.ok, answer.id == nil || answer.id == id {
      guard let message = answer.error else { throw malformed(line, "ok is false, and there is no error") }
      throw .refused(message: message.safeLine(limit: 1000))
    }
    guard answer.id == id else {
      throw malformed(line, "id \(answer.id.map(String.init) ?? "null"), expected \(id)")
    }
    if let result = answer.result ?? (Empty() as? Result) { return result }
    throw malformed(line, "ok is true, and there is no result")
  }

  private func malformed(_ line: Data, _ reason: String) -> WorkerError.Kind {
    let text = String(decoding: line.prefix(1000), as: UTF8.self)
    return .malformedAnswer(line: text.safeLine(limit: 200), reason: reason)
  }

  /// Waits until a pipe is ready, then writes and reads what goes without waiting. False once its output ended.
  private func transfer(_ pending: inout Data, milliseconds: Int32) -> Bool {
    // A negative descriptor is passed over by `poll`.
    var polled = [
      pollfd(fd: pending.isEmpty ? -1 : child.input, events: Int16(POLLOUT), revents: 0),
      pollfd(fd: child.output, events: Int16(POLLIN), revents: 0),
      pollfd(fd: child.standardError, events: Int16(POLLIN), revents: 0),
    ]
    guard poll(&polled, nfds_t(polled.count), milliseconds) > 0 else { return true }
    if polled[0].revents != 0 { write(&pending) }
    if polled[2].revents != 0 { drainStandardError() }
    guard polled[1].revents != 0 else { return true }
    return read(child.output) { lines.append($0) }
  }

  private func write(_ pending: inout Data) {
    let written = pending.withUnsafeBytes { bytes in
      uninterrupted { Foundation.write(child.input, bytes.baseAddress, bytes.count) }
    }
    if written > 0 {
      pending = Data(pending.dropFirst(written))
    } else if written < 0, errno != EAGAIN {
      // It no longer reads. Whether it is dead, its output tells.
      pending = Data()
    }
  }

  private func drainStandardError(milliseconds: Int32 = 0) {
    guard child.standardError >= 0 else { return }
    if milliseconds > 0 {
      var polled = pollfd(fd: child.standardError, events: Int16(POLLIN), revents: 0)
      _ = poll(&polled, 1, milliseconds)
    }
    if !read(child.standardError, { errorTail.append($0) }) { child.closeStandardError() }
  }

  /// Reads what is there. False at the end of the stream.
  private func read(_ descriptor: Int32, _ take: (Data) -> Void) -> Bool {
    var piece = [UInt8](repeating: 0, count: 65536)
    while true {
      let count = uninterrupted { Foundation.read(descriptor, &piece, piece.count) }
      guard count > 0 else { return count < 0 && errno == EAGAIN }
      take(Data(piece[..<count]))
    }
  }
}

/// What went wrong with a worker, in one line that names it.
public struct WorkerError: Error, Sendable, Equatable, CustomStringConvertible {
  public let worker: String
  /// The operation that was asked for; nil where it could not even start.
  public let operation: String?
  public let kind: Kind

  public enum Kind: Error, Equatable {
    /// No process came to be.
    case couldNotStart(reason: String)
    /// The process ended before it answered. `standardError` is the end of what it wrote there.
    case died(Ending, standardError: String)
    /// No answer within the time; the process was killed.
    case hung(after: Duration, standardError: String)
    /// What it wrote is no answer to the request; the process was killed.
    case malformedAnswer(line: String, reason: String)
    /// A well-formed refusal. The worker lives on and can be asked again.
    case refused(message: String)
    /// The request itself cannot be written as JSON. The worker was not asked and lives on.
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
    let place = operation.map { "\(worker): \($0): " } ?? "\(worker): "
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
    return ": " + String(line).safeLine(limit: 300)
  }
}
