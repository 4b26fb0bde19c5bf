import Foundation

@testable import Record
@testable import Reporting

/// A file of begin, end, counter and metadata events against the rules of the Trace Event Format, without the
/// writer's code.
struct TraceEventRules {
  /// A `B` event and its `E` event, in nanoseconds.
  struct Span: Equatable {
    let thread: Int
    let name: String
    let category: String
    let start: Int
    var end: Int
  }

  private(set) var title: String?
  private(set) var processName: String?
  private(set) var threadNames: [Int: String] = [:]
  private(set) var sortIndices: [Int: Int] = [:]
  private(set) var spans: [Span] = []
  private(set) var counters: [String: [(time: Int, value: Double)]] = [:]
  /// By thread: the spans that have begun, as indices, and the time of the latest event.
  private var threads: [Int: (open: [Int], latest: Int)] = [:]
  /// What breaks a rule, a line each.
  private(set) var faults: [String] = []

  init(_ text: String) throws {
    let document = try JSONDecoder().decode(JSONValue.self, from: Data(text.utf8))
    guard case .array(let events) = document["traceEvents"] else {
      faults.append("no object with an array traceEvents")
      return
    }
    if !["ms", "ns"].contains(document["displayTimeUnit"]?.text) { faults.append("displayTimeUnit") }
    title = document["otherData"]?["title"]?.text
    for (index, event) in events.enumerated() {
      if let fault = read(event) { faults.append("event \(index): \(fault)") }
    }
    checkThreads()
  }

  /// What is wrong with an event, nil where nothing is.
  private mutating func read(_ event: JSONValue) -> String? {
    guard let phase = event["ph"]?.text, let name = event["name"]?.text else { return "ph or name" }
    guard event["pid"]?.whole == 1, let thread = event["tid"]?.whole else { return "pid or tid" }
    guard let time = event["ts"]?.nanoseconds else { return "ts" }
    switch phase {
    case "B", "E":
      guard time >= threads[thread, default: ([], 0)].latest else { return "ts before the one before" }
      threads[thread, default: ([], 0)].latest = time
      if phase == "B" {
        guard let category = event["cat"]?.text else { return "cat" }
        threads[thread]?.open.append(spans.count)
        spans.append(Span(thread: thread, name: name, category: category, start: time, end: time))
      } else {
        guard let span = threads[thread]?.open.popLast(), spans[span].name == name else {
          return "no such begin"
        }
        spans[span].end = time
      }
    case "C":
      guard case .object(let series) = event["args"], let value = series.values.first?.figure,
        series.count == 1
      else { return "args" }
      counters[name, default: []].append((time, value))
    case "M":
      return readMetadata(name, event["args"], thread)
    default:
      return "phase \(phase)"
    }
    return nil
  }

  private mutating func readMetadata(_ kind: String, _ arguments: JSONValue?, _ thread: Int) -> String? {
    switch kind {
    case "process_name":
      guard processName == nil, let name = arguments?["name"]?.text else { return kind }
      processName = name
    case "thread_name":
      guard threadNames[thread] == nil, let name = arguments?["name"]?.text else { return kind }
      threadNames[thread] = name
    case "thread_sort_index":
      guard sortIndices[thread] == nil, let index = arguments?["sort_index"]?.whole else { return kind }
      sortIndices[thread] = index
    default:
      return "metadata \(kind)"
    }
    return nil
  }

  /// Threads with spans have a name, all spans end, and of a thread's any two nest or lie apart.
  private mutating func checkThreads() {
    for (thread, spans) in Dictionary(grouping: spans, by: \.thread) {
      if threadNames[thread] == nil { faults.append("thread \(thread): no name") }
      if threads[thread]?.open.isEmpty == false { faults.append("thread \(thread): spans without an end") }
      var ends: [Int] = []
      for span in spans.sorted(by: { ($0.start, -$0.end) < ($1.start, -$1.end) }) {
        while let end = ends.last, end <= span.start { ends.removeLast() }
        if let end = ends.last, span.end > end {
          faults.append("thread \(thread): overlap at \(span.start) ns")
        }
        ends.append(span.end)
      }
    }
  }
}

extension JSONValue {
  fileprivate subscript(key: String) -> JSONValue? {
    guard case .object(let members) = self else { return nil }
    return members[key]
  }

  fileprivate var text: String? {
    guard case .string(let text) = self else { return nil }
    return text
  }

  fileprivate var whole: Int? {
    guard case .integer(let value) = self else { return nil }
    return value
  }

  fileprivate var figure: Double? {
    switch self {
    case .integer(let value): Double(value)
    case .unsigned(let value): Double(value)
    case .number(let value): value
    default: nil
    }
  }

  /// Of a time in microseconds that is not negative.
  fileprivate var nanoseconds: Int? {
    guard let microseconds = figure, microseconds >= 0 else { return nil }
    return Int((microseconds * 1000).rounded())
  }
}
