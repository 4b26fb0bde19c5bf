import Testing

@testable import Record
@testable import Reporting

/// Both formats refuse the same timelines, in the same words.
@Suite struct TimelineRulesTests {
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
    #expect(message { try ChromeTrace(timeline).text } == "timeline, track 0 'main', \(expected)")
    #expect(message { try FoldedStacks(timeline).text } == "timeline, track 0 'main', \(expected)")
  }

  @Test func aLabelThatThereIsNoneOfIsRefused() {
    var timeline = Timeline.small()
    timeline.tracks[1].spans[0].label = 5
    let expected = "timeline, track 1 'worker 1', span 0: found label 5, expected one of 5, counted from 0"
    #expect(message { try ChromeTrace(timeline).text } == expected)
    #expect(message { try FoldedStacks(timeline).text } == expected)
  }

  @Test func depthIsTheNumberOfSpansAround() throws {
    var depths: [Int] = []
    let timeline = Timeline.single([(0, 10), (0, 4), (1, 3), (4, 6), (5, 0), (5, 5), (10, 0), (10, 1)])
    try timeline.visitSpans(ofTrack: 0) { _, depth in depths.append(depth) }
    #expect(depths == [0, 1, 2, 1, 2, 2, 0, 0])
  }
}
