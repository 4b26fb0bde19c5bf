import Foundation
import TestSupport
import Testing

@testable import Record
@testable import Reporting

struct ChromeTraceTests {
  @Test func aSmallTraceIsThisText() throws {
    try expectEqual(
      ChromeTrace(.small()).text,
      """
      {"displayTimeUnit":"ns","otherData":{"title":"packed, synthetic:tiny"},"traceEvents":[
      {"ph":"M","pid":1,"tid":1,"ts":0,"name":"process_name","args":{"name":"packed, synthetic:tiny"}},
      {"ph":"M","pid":1,"tid":1,"ts":0,"name":"thread_name","args":{"name":"main"}},
      {"ph":"M","pid":1,"tid":1,"ts":0,"name":"thread_sort_index","args":{"sort_index":0}},
      {"ph":"M","pid":1,"tid":2,"ts":0,"name":"thread_name","args":{"name":"worker 1"}},
      {"ph":"M","pid":1,"tid":2,"ts":0,"name":"thread_sort_index","args":{"sort_index":1}},
      {"ph":"B","pid":1,"tid":1,"cat":"stage","name":"decode step","ts":1.000},
      {"ph":"B","pid":1,"tid":1,"cat":"layer","name":"layer 0","ts":1.002},
      {"ph":"B","pid":1,"tid":1,"cat":"operation","name":"mlp-up","ts":1.002},
      {"ph":"E","pid":1,"tid":1,"name":"mlp-up","ts":3.001},
      {"ph":"B","pid":1,"tid":1,"cat":"operation","name":"mlp-down","ts":3.001},
      {"ph":"E","pid":1,"tid":1,"name":"mlp-down","ts":3.008},
      {"ph":"E","pid":1,"tid":1,"name":"layer 0","ts":4001.002},
      {"ph":"E","pid":1,"tid":1,"name":"decode step","ts":5001.001},
      {"ph":"B","pid":1,"tid":2,"cat":"part","name":"part","ts":1.100},
      {"ph":"E","pid":1,"tid":2,"name":"part","ts":2.099},
      {"ph":"C","pid":1,"tid":1,"name":"decode tok/s","ts":0.000,"args":{"value":20.5}},
      {"ph":"C","pid":1,"tid":1,"name":"decode tok/s","ts":5001.001,"args":{"value":1e-07}},
      {"ph":"C","pid":1,"tid":1,"name":"resident","ts":0.017,"args":{"value":3.0}}
      ]}

      """)
  }

  @Test(arguments: [1, 2, 3] as [UInt64])
  func whatIsReadBackIsTheTimeline(seed: UInt64) throws {
    let timeline = Timeline.random(spans: 3_000, seed: seed)
    let trace = try TraceEventRules(try ChromeTrace(timeline).text)
    #expect(trace.faults.isEmpty, "\(trace.faults.prefix(5))")
    expectEqual(trace.title, "random")
    expectEqual(trace.processName, "random")
    expectEqual(trace.threadNames, [1: "thread 0", 2: "thread 1", 3: "thread 2"])
    expectEqual(trace.sortIndices, [1: 0, 2: 1, 3: 2])
    expectEqual(trace.spans.count, 3_000)
    let expected = timeline.tracks.enumerated().flatMap { index, track in
      track.spans.map { span in
        TraceEventRules.Span(
          thread: index + 1, name: timeline.labels[Int(span.label)].name, category: "operation",
          start: Int(span.start), end: Int(span.start + span.duration))
      }
    }
    expectEqual(trace.spans, expected)
    let samples = try #require(trace.counters["decode tok/s"])
    expectEqual(samples.map(\.time), timeline.counters[0].samples.map { Int($0.time) })
    expectEqual(samples.map(\.value), timeline.counters[0].samples.map(\.value))
  }

  @Test func namesOfAnyKindComeBack() throws {
    let names = [
      "a \"quoted\" \\ name", "lines\n\r\tand\u{0}\u{1}\u{8}\u{c}\u{1f}\u{7f}", "漢字 é 🙂 👩‍👩‍👧 \u{2028}",
      "</script>/", "",
    ]
    var timeline = Timeline.small()
    for name in names {
      timeline.title = name
      timeline.labels[2] = Timeline.Label(name: name, category: name)
      timeline.tracks[0].name = name
      timeline.counters[1].name = name
      timeline.counters[1].unit = name
      let text = try ChromeTrace(timeline).text
      // Perfetto reads no file with a control character in a string, whether JSON permits it or not.
      #expect(!text.unicodeScalars.contains { $0.properties.generalCategory == .control && $0 != "\n" })
      let trace = try TraceEventRules(text)
      #expect(trace.faults.isEmpty)
      expectEqual(trace.title, name)
      expectEqual(trace.processName, name)
      expectEqual(trace.threadNames[1], name)
      expectEqual(trace.spans[2].name, name)
      expectEqual(trace.spans[2].category, name)
      expectEqual(trace.counters[name.isEmpty ? "" : "\(name) \(name)"]?.count, 1)
    }
  }

  @Test func nanosecondsAreExactUpToTheLast() throws {
    let last = Timeline.lastNanosecond
    let times: [UInt64] = [0, 1, 9, 10, 999, 1_000, 1_001, 999_999, 1_000_000, 123_456_789_012_345]
    let spans: [(start: UInt64, duration: UInt64)] =
      times.map { (start: $0, duration: 1) } + [(start: last - 1, duration: 1), (start: last, duration: 0)]
    let text = try ChromeTrace(.single(spans)).text
    for (start, end) in [
      ("0.000", "0.001"), ("0.001", "0.002"), ("0.009", "0.010"), ("0.010", "0.011"), ("0.999", "1.000"),
      ("1.000", "1.001"), ("1.001", "1.002"), ("999.999", "1000.000"), ("1000.000", "1000.001"),
      ("123456789012.345", "123456789012.346"), ("4398046511103.999", "4398046511104.000"),
      ("4398046511104.000", "4398046511104.000"),
    ] {
      let lines = text.split(separator: "\n")
      let place = try #require(lines.firstIndex { $0.contains("\"B\"") && $0.contains("\"ts\":\(start)}") })
      #expect(lines[place + 1].contains("\"E\"") && lines[place + 1].contains("\"ts\":\(end)}"), "\(start)")
    }
    try expectEqual(TraceEventRules(text).spans.map(\.start), spans.map { Int($0.start) })
  }

  @Test func withoutThreadsOrSpansItIsATraceStill() throws {
    let empty = try TraceEventRules(
      try ChromeTrace(Timeline(title: "", labels: [], tracks: [], counters: [])).text)
    #expect(empty.faults.isEmpty && empty.spans.isEmpty && empty.processName == "")
    let idle = try TraceEventRules(try ChromeTrace(.single([])).text)
    #expect(idle.faults.isEmpty && idle.spans.isEmpty && idle.threadNames == [1: "main"])
  }

  @Test func spansWithoutDurationStandWhereTheyWere() throws {
    let spans: [(start: UInt64, duration: UInt64)] = [
      (5, 0), (5, 10), (5, 0), (7, 0), (7, 0), (15, 0), (15, 3),
    ]
    let trace = try TraceEventRules(try ChromeTrace(.single(spans)).text)
    #expect(trace.faults.isEmpty)
    expectEqual(trace.spans.map(\.start), [5, 5, 5, 7, 7, 15, 15])
    expectEqual(trace.spans.map { $0.end - $0.start }, [0, 10, 0, 0, 0, 0, 3])
  }

  @Test(
    arguments: [
      ([.nan], [0], "sample 0: found nan, expected a finite number"),
      ([1, .infinity], [0, 1], "sample 1: found inf, expected a finite number"),
      ([1, 2], [5, 4], "sample 1: found 4 ns, expected 5 to 4398046511104000 ns"),
      ([1], [4_398_046_511_104_001], "found 4398046511104001 ns, expected 0 to 4398046511104000 ns"),
    ] as [([Double], [UInt64], String)])
  func countersThatCannotBeDrawnAreRefused(values: [Double], times: [UInt64], expected: String) throws {
    var timeline = Timeline.small()
    timeline.counters[0].samples = zip(times, values).map { (time: $0, value: $1) }
    let found = try #require(message { try ChromeTrace(timeline).text })
    #expect(found.hasPrefix("timeline, counter 0 'decode', sample ") && found.hasSuffix(expected), "\(found)")
  }

  @Test func twoCountersOfOneNameAreRefused() {
    var timeline = Timeline.small()
    timeline.counters.append(timeline.counters[0])
    expectEqual(
      message { try ChromeTrace(timeline).text },
      "timeline, counter 2 'decode': found the name and unit of counter 0, expected ones of its own")
    timeline.counters[2].unit = "MiB"
    expectNil(message { try ChromeTrace(timeline).text })
  }
}
