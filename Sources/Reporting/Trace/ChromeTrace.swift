import Files
import Record

/// A timeline in Chrome's Trace Event Format, its JSON object form, which Perfetto's UI, chrome://tracing and
/// speedscope open.
///
/// Source: "Trace Event Format", https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU. One
/// process, number 1, named as the timeline's title. A track is a thread, numbered from 1 in the tracks' order: the
/// first has the process's number and so is its main one. A span is a begin event (`B`) with its label's name and
/// category and an end event (`E`), a thread's in the order in which they happened; a counter's sample is a counter
/// event (`C`), the unit after the counter's name. Times are microseconds with three decimals, which are nanoseconds
/// exactly. One event a line.
///
/// Three things are for speedscope: names (`M`) have a `ts`, as it takes no file without it; spans have no `args`,
/// which it would make part of their names; and they are no complete events (`X`), whose ends it sums up in floating
/// point: one span's would lie after the next one's start by a rounding, and it would draw that one inside it.
public struct ChromeTrace: Sendable {
  private let timeline: Timeline

  public init(_ timeline: Timeline) { self.timeline = timeline }

  /// Writes the file whole, or leaves what had its name as it was. Memory does not grow with the number of spans.
  /// - Throws: `FileError`; a `TimelineError` for spans that are out of order or do not nest, and for counters that go
  ///   back in time or are not finite.
  public func write(to path: String) throws { try WholeFile.write(to: path, writing: put) }

  public var text: String { get throws { try ByteWriter.text(of: put) } }

  private func put(to writer: inout ByteWriter) throws {
    try timeline.checkCounters()
    writer.put("{\"displayTimeUnit\":\"ns\",\"otherData\":{\"title\":")
    writer.put(timeline.title.jsonLiteral)
    writer.put("},\"traceEvents\":[\n")
    putMetadata("process_name", thread: 1, "name", timeline.title.jsonLiteral, to: &writer)
    for (index, track) in timeline.tracks.enumerated() {
      try endEvent(&writer)
      putMetadata("thread_name", thread: index + 1, "name", track.name.jsonLiteral, to: &writer)
      try endEvent(&writer)
      putMetadata("thread_sort_index", thread: index + 1, "sort_index", Array("\(index)".utf8), to: &writer)
    }
    try putSpans(to: &writer)
    try putCounters(to: &writer)
    writer.put("\n]}\n")
  }

  private func putMetadata(
    _ name: StaticString, thread: Int, _ member: StaticString, _ value: [UInt8], to writer: inout ByteWriter
  ) {
    writer.put(Array("{\"ph\":\"M\",\"pid\":1,\"tid\":\(thread),\"ts\":0,\"name\":\"\(name)\",".utf8))
    writer.put(Array("\"args\":{\"\(member)\":".utf8) + value)
    writer.put("}}")
  }

  private func putSpans(to writer: inout ByteWriter) throws {
    let names = timeline.labels.map { label in
      Array(",\"name\":".utf8) + label.name.jsonLiteral + Array(",\"ts\":".utf8)
    }
    let labels = zip(timeline.labels, names).map { label, name in
      Array(",\"cat\":".utf8) + label.category.jsonLiteral + name
    }
    for track in timeline.tracks.indices {
      let begin = Array("{\"ph\":\"B\",\"pid\":1,\"tid\":\(track + 1)".utf8)
      let end = Array("{\"ph\":\"E\",\"pid\":1,\"tid\":\(track + 1)".utf8)
      func put(_ head: [UInt8], _ rest: [UInt8], at time: UInt64) throws {
        try endEvent(&writer)
        writer.put(head)
        writer.put(rest)
        writer.put(microsecondsOf: time)
        writer.put("}")
      }
      var open: [(end: UInt64, label: Int)] = []
      func close(downTo depth: Int) throws {
        while open.count > depth {
          let span = open.removeLast()
          try put(end, names[span.label], at: span.end)
        }
      }
      try timeline.visitSpans(ofTrack: track) { span, depth in
        try close(downTo: depth)
        try put(begin, labels[Int(span.label)], at: span.start)
        open.append((span.start + span.duration, Int(span.label)))
      }
      try close(downTo: 0)
    }
  }

  private func putCounters(to writer: inout ByteWriter) throws {
    for counter in timeline.counters {
      let name = counter.unit.isEmpty ? counter.name : "\(counter.name) \(counter.unit)"
      // The format counts by process; a thread's number is a member of every event all the same.
      let head =
        Array("{\"ph\":\"C\",\"pid\":1,\"tid\":1,\"name\":".utf8) + name.jsonLiteral + Array(",\"ts\":".utf8)
      for sample in counter.samples {
        try endEvent(&writer)
        writer.put(head)
        writer.put(microsecondsOf: sample.time)
        writer.put(",\"args\":{\"value\":")
        // The shortest digits that are the same number, a form that JSON has too.
        writer.put(Array(sample.value.description.utf8))
        writer.put("}}")
      }
    }
  }

  private func endEvent(_ writer: inout ByteWriter) throws {
    writer.put(",")
    try writer.endLine()
  }
}
