import Files
import Foundation

/// The worker's side: reads request lines, hands each to its operation's handler and writes one answer line, until
/// `quit` or the end of the input. Whatever goes wrong with a line is its answer, and the loop goes on.
public struct WorkerLoop {
  private typealias Handler = (Data, Int) -> Data
  private var handlers: [String: Handler] = [:]

  public init() {}

  /// Says what to do for an operation. An error that the handler throws becomes the answer's one line: its
  /// `description`. `quit` is answered by the loop, after `handler` where there is one for it.
  public mutating func on<Payload: Decodable, Result: Encodable>(
    _ operation: String, _ handler: @escaping (Payload) throws -> Result
  ) {
    handlers[operation] = { line, id in
      do {
        let payload = try JSONDecoder().decode(ReceivedPayload<Payload>.self, from: line).payload
        do {
          return try MessageCoding.line(Answer(id: id, ok: true, result: try handler(payload), error: nil))
        } catch let error as EncodingError {
          return Self.refusal(id, "the result cannot be written: \(MessageCoding.reason(error))")
        } catch {
          return Self.refusal(id, String(describing: error))
        }
      } catch {
        return Self.refusal(id, "request \(operation): \(MessageCoding.reason(error))")
      }
    }
  }

  /// Serves standard input until `quit` or its end. From here on whatever else the process prints goes to standard
  /// error. Where the parent goes away while a handler is at work, the process ends itself.
  public func serveStandardStreams() {
    let answers = dup(STDOUT_FILENO)
    guard answers >= 0 else { return }
    fflush(nil)
    dup2(STDERR_FILENO, STDOUT_FILENO)
    signal(SIGPIPE, SIG_IGN)
    ParentWatch.start(input: STDIN_FILENO, output: answers)
    serve(input: STDIN_FILENO, output: answers)
    close(answers)
  }

  /// Serves the two descriptors, which must block, until `quit`, the end of the input, or until nobody reads
  /// the answers. A last line without a newline is served too.
  public func serve(input: Int32, output: Int32) {
    var lines = LineBuffer()
    var piece = [UInt8](repeating: 0, count: 65536)
    while true {
      while let line = lines.nextLine() { guard serve(line, output) else { return } }
      let count = uninterrupted { read(input, &piece, piece.count) }
      guard count > 0 else {
        if count == 0, let line = lines.remainder() { _ = serve(line, output) }
        return
      }
      lines.append(piece[..<count])
    }
  }

  /// Answers one line; false when the loop is over.
  private func serve(_ line: Data, _ output: Int32) -> Bool {
    guard line.contains(where: { $0 != 0x20 && $0 != 0x0d && $0 != 0x09 }) else { return true }
    let header: RequestHeader
    do { header = try JSONDecoder().decode(RequestHeader.self, from: line) } catch {
      return Self.write(Self.refusal(nil, "malformed request: \(MessageCoding.reason(error))"), output)
    }
    if let handler = handlers[header.operation] {
      return Self.write(handler(line, header.id), output) && header.operation != "quit"
    }
    if header.operation == "quit" {
      let answer = try? MessageCoding.line(Answer(id: header.id, ok: true, result: Empty(), error: nil))
      if let answer { _ = Self.write(answer, output) }
      return false
    }
    let known = (Array(handlers.keys) + ["quit"]).sorted().joined(separator: ", ")
    return Self.write(
      Self.refusal(header.id, "unknown operation \(header.operation), expected one of: \(known)"), output)
  }

  private static func refusal(_ id: Int?, _ message: String) -> Data {
    let answer = Answer<Empty>(id: id, ok: false, result: nil, error: message.safeLine(limit: 1000))
    return (try? MessageCoding.line(answer)) ?? Data()
  }

  private static func write(_ data: Data, _ output: Int32) -> Bool { writeAll(output, data) == 0 }
}

/// Ends a worker whose parent is gone. The end of its input tells it so between requests; this does while a
/// handler computes, which may take minutes.
enum ParentWatch {
  /// Sleeps in `poll` until the input's other end is closed, so that nothing is disturbed while the parent lives. A
  /// parent that closed it on purpose and waits for the last answers is still there, and so is their reader: one that
  /// ended before this process asked for its number is known by that.
  static func start(input: Int32, output: Int32) {
    let parent = getppid()
    Thread.detachNewThread {
      var polled = pollfd(fd: input, events: 0, revents: 0)
      while poll(&polled, 1, -1) <= 0 {}
      var answers = pollfd(fd: output, events: 0, revents: 0)
      while getppid() == parent, poll(&answers, 1, 100) <= 0 {}
      _exit(1)
    }
  }
}
