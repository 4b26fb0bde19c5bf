import TestSupport
import Testing

@testable import Record
@testable import Reporting

struct FoldedStacksTests {
  private struct Line: Equatable {
    let frames: [String]
    let count: UInt64
  }

  /// A line by the format's grammar: after the last blank an integer above zero, before it frames between
  /// `;`.
  private func lines(_ text: String) throws -> [Line] {
    #expect(text.isEmpty || text.hasSuffix("\n"))
    return try text.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map { line in
      let blank = try #require(line.lastIndex(of: " "))
      let count = try #require(UInt64(line[line.index(after: blank)...]))
      #expect(count > 0)
      let frames = line[..<blank].split(separator: ";", omittingEmptySubsequences: false).map(String.init)
      #expect(frames.count >= 2 && !frames.contains(""))
      return Line(frames: frames, count: count)
    }
  }

  @Test func aSmallTimelineIsThisText() throws {
    try expectEqual(
      FoldedStacks(.small()).text,
      """
      main;decode_step 1000001
      main;decode_step;layer_0 3997994
      main;decode_step;layer_0;mlp-down 7
      main;decode_step;layer_0;mlp-up 1999
      worker_1;part 999

      """)
  }

  @Test func equalStacksAreOneLine() throws {
    var timeline = Timeline.single([(0, 10), (1, 2), (4, 3), (20, 5), (21, 5 - 1)])
    try expectEqual(FoldedStacks(timeline).text, "main;mlp-up 6\nmain;mlp-up;mlp-up 9\n")
    // Another label with the same name, and another thread with the same name.
    timeline.labels.append(Timeline.Label(name: "mlp-up", category: "part"))
    timeline.tracks[0].spans[3].label = 1
    timeline.tracks.append(timeline.tracks[0])
    try expectEqual(FoldedStacks(timeline).text, "main;mlp-up 12\nmain;mlp-up;mlp-up 18\n")
  }

  @Test func whatTakesNoTimeHasNoLine() throws {
    #expect(try FoldedStacks(Timeline(title: "", labels: [], tracks: [], counters: [])).text.isEmpty)
    #expect(try FoldedStacks(.single([])).text.isEmpty)
    #expect(try FoldedStacks(.single([(0, 0), (3, 0)])).text.isEmpty)
    // Filled by what lies in it.
    try expectEqual(FoldedStacks(.single([(0, 4), (0, 2), (2, 2)])).text, "main;mlp-up;mlp-up 4\n")
  }

  @Test(arguments: [
    ("a;b", "a_b"), ("a\nb\r\nc", "a_b__c"), ("tab\there", "tab_here"), ("layer 3", "layer_3"), (" ", "_"),
    ("", "_"), ("\u{0}\u{7f}\u{85}\u{2028}\u{a0}", "_____"), ("漢 🙂", "漢_🙂"), ("1.5", "1.5"),
  ])
  func namesAreHarmless(name: String, expected: String) throws {
    var timeline = Timeline.single([(0, 7)])
    timeline.labels[0].name = name
    timeline.tracks[0].name = name
    try expectEqual(FoldedStacks(timeline).text, "\(expected);\(expected) 7\n")
  }

  @Test(arguments: [4, 5, 6] as [UInt64])
  func selfTimesAddUpToTheOutermostSpans(seed: UInt64) throws {
    let timeline = Timeline.random(spans: 3_000, seed: seed)
    let lines = try lines(try FoldedStacks(timeline).text)
    for track in timeline.tracks {
      // The union of all spans: none lies partly outside of another.
      var covered: UInt64 = 0
      var end: UInt64 = 0
      for span in track.spans where span.start + span.duration > end {
        covered += span.start + span.duration - max(span.start, end)
        end = span.start + span.duration
      }
      let name = track.name.replacing(" ", with: "_")
      expectEqual(lines.filter { $0.frames[0] == name }.map(\.count).reduce(0, +), covered)
    }
    expectEqual(Set(lines.map(\.frames)).count, lines.count)
    let inOrder = lines.map { $0.frames.map { Array($0.utf8) } }.sorted { left, right in
      left.lexicographicallyPrecedes(right) { $0.lexicographicallyPrecedes($1) }
    }
    expectEqual(lines.map { $0.frames.map { Array($0.utf8) } }, inOrder)
  }

  @Test func eachStackHasTheTimeInWhichNothingFurtherInRuns() throws {
    let timeline = Timeline.random(spans: 300, seed: 7)
    // Nanosecond by nanosecond, the spans that run: the slow way, with none of the writer's steps.
    var expected: [[String]: UInt64] = [:]
    for track in timeline.tracks {
      let moments = Set(track.spans.flatMap { [$0.start, $0.start + $0.duration] }).sorted()
      for (from, to) in zip(moments, moments.dropFirst()) {
        let running = track.spans.filter {
          $0.start <= from && $0.start + $0.duration >= to && $0.duration > 0
        }
        guard !running.isEmpty else { continue }
        let names = running.map { timeline.labels[Int($0.label)].name }
        expected[([track.name] + names).map { $0.replacing(" ", with: "_") }, default: 0] += to - from
      }
    }
    let found = try lines(try FoldedStacks(timeline).text)
    expectEqual(Dictionary(uniqueKeysWithValues: found.map { ($0.frames, $0.count) }), expected)
  }
}

/// Both formats refuse the same timelines, in the same words.
struct TimelineRulesTests {
  @Test(
    arguments: [
      (
        [(start: 10, duration: 5), (start: 9, duration: 1)],
        "span 1 'mlp-up': found a start at 9 ns, expected at least 10 ns, where the one before it starts"
      ),
      (
        [(start: 0, duration: 10), (start: 2, duration: 3), (start: 4, duration: 2)],
        "span 2 'mlp-up': found an end at 6 ns, expected at most 5 ns, the end of span 1 that it starts in"
      ),
      (
        [(start: 0, duration: 10), (start: 9, duration: 2)],
        "span 1 'mlp-up': found an end at 11 ns, expected at most 10 ns, the end of span 0 that it starts in"
      ),
      (
        [(start: 3, duration: 4), (start: 3, duration: 5)],
        "span 1 'mlp-up': found an end at 8 ns, expected at most 7 ns, the end of span 0 that it starts in"
      ),
      (
        [(start: 1, duration: .max)],
        "span 0 'mlp-up': found 18446744073709551615 ns from 1 ns, expected an end by 4398046511104000 ns"
      ),
      (
        [(start: 4_398_046_511_104_000, duration: 1)],
        "span 0 'mlp-up': found 1 ns from 4398046511104000 ns, expected an end by 4398046511104000 ns"
      ),
    ] as [([(start: UInt64, duration: UInt64)], String)])
  func spansThatDoNotNestAreRefused(spans: [(start: UInt64, duration: UInt64)], expected: String) {
    let timeline = Timeline.single(spans)
    expectEqual(message { try ChromeTrace(timeline).text }, "timeline, track 0 'main', \(expected)")
    expectEqual(message { try FoldedStacks(timeline).text }, "timeline, track 0 'main', \(expected)")
  }

  @Test func aLabelThatThereIsNoneOfIsRefused() {
    var timeline = Timeline.small()
    timeline.tracks[1].spans[0].label = 5
    let expected = "timeline, track 1 'worker 1', span 0: found label 5, expected one of 5, counted from 0"
    expectEqual(message { try ChromeTrace(timeline).text }, expected)
    expectEqual(message { try FoldedStacks(timeline).text }, expected)
  }

  @Test func depthIsTheNumberOfSpansAround() throws {
    var depths: [Int] = []
    let timeline = Timeline.single([(0, 10), (0, 4), (1, 3), (4, 6), (5, 0), (5, 5), (10, 0), (10, 1)])
    try timeline.visitSpans(ofTrack: 0) { _, depth in depths.append(depth) }
    expectEqual(depths, [0, 1, 2, 1, 2, 2, 0, 0])
  }
}
