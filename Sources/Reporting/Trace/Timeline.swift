/// What every thread of a run did and when, for tools that draw it. Times are in nanoseconds from the run's start.
public struct Timeline: Sendable {
  public struct Label: Sendable, Hashable {
    /// `mlp-up`, `layer 3`, `decode`
    public var name: String
    /// `pass`, `layer`, `operation` or `part`.
    public var category: String

    public init(name: String, category: String) { (self.name, self.category) = (name, category) }
  }

  /// Something that took time. Sixteen bytes and a little: there may be millions.
  public struct Span: Sendable, Equatable {
    public var start: UInt64
    public var duration: UInt64
    /// An index into `labels`.
    public var label: UInt32

    public init(start: UInt64, duration: UInt64, label: UInt32) {
      (self.start, self.duration, self.label) = (start, duration, label)
    }
  }

  /// One thread. Its spans nest or lie apart, in the order of their starts, an outer one before its inner ones.
  public typealias Track = (name: String, spans: [Span])
  /// A figure over time: a value holds until the next.
  public typealias Counter = (name: String, unit: String, samples: [(time: UInt64, value: Double)])
  /// What ran, for the head of the trace: `packed, 2 threads, synthetic:gpt2`.
  public var title: String
  public var labels: [Label]
  public var tracks: [Track]
  public var counters: [Counter]

  public init(title: String, labels: [Label], tracks: [Track], counters: [Counter]) {
    (self.title, self.labels, self.tracks, self.counters) = (title, labels, tracks, counters)
  }

  public var spanCount: Int { tracks.reduce(0) { $0 + $1.spans.count } }
}

// The rules that both formats hold a timeline to.
extension Timeline {
  /// 50 days: readers keep microseconds in a double; times 1000, below 2⁴² they give back each nanosecond.
  static let lastNanosecond: UInt64 = (1 << 42) * 1000

  /// Hands the spans of one track to `body` in their order, each with the number of spans it lies in; one that begins
  /// where another ends lies after it.
  ///
  /// - Throws: a `TimelineError` at the first span that is out of order, overlaps another one without lying
  ///   in it, has a label that there is none of, or ends after `lastNanosecond`; and what `body` throws.
  func visitSpans(ofTrack track: Int, _ body: (Span, _ depth: Int) throws -> Void) throws {
    let spans = tracks[track].spans
    var enclosing: [(end: UInt64, index: Int)] = []
    var previous: UInt64 = 0
    for (index, span) in spans.enumerated() {
      guard span.label < labels.count else {
        throw fault(
          track, index, found: "label \(span.label)", expected: "one of \(labels.count), counted from 0")
      }
      guard span.start >= previous else {
        throw fault(
          track, index, found: "a start at \(span.start) ns",
          expected: "at least \(previous) ns, where the one before it starts")
      }
      let (end, overflows) = span.start.addingReportingOverflow(span.duration)
      guard !overflows, end <= Self.lastNanosecond else {
        throw fault(
          track, index, found: "\(span.duration) ns from \(span.start) ns",
          expected: "an end by \(Self.lastNanosecond) ns")
      }
      while let outer = enclosing.last, outer.end <= span.start { enclosing.removeLast() }
      if let outer = enclosing.last, end > outer.end {
        throw fault(
          track, index, found: "an end at \(end) ns",
          expected: "at most \(outer.end) ns, the end of span \(outer.index) that it starts in")
      }
      try body(span, enclosing.count)
      enclosing.append((end, index))
      previous = span.start
    }
  }

  /// - Throws: a `TimelineError` for a counter that goes back in time, is not finite, or is named like another.
  func checkCounters() throws {
    for (index, counter) in counters.enumerated() {
      let place = "counter \(index) '\(counter.name)'"
      if let first = counters[..<index].firstIndex(where: {
        $0.name == counter.name && $0.unit == counter.unit
      }) {
        throw TimelineError(
          place: place, found: "the name and unit of counter \(first)", expected: "ones of its own")
      }
      var previous: UInt64 = 0
      for (number, sample) in counter.samples.enumerated() {
        let place = "\(place), sample \(number)"
        guard (previous...Self.lastNanosecond).contains(sample.time) else {
          throw TimelineError(
            place: place, found: "\(sample.time) ns", expected: "\(previous) to \(Self.lastNanosecond) ns")
        }
        guard sample.value.isFinite else {
          throw TimelineError(place: place, found: "\(sample.value)", expected: "a finite number")
        }
        previous = sample.time
      }
    }
  }

  private func fault(_ track: Int, _ index: Int, found: String, expected: String) -> TimelineError {
    let label = Int(tracks[track].spans[index].label)
    let name = labels.indices.contains(label) ? " '\(labels[label].name)'" : ""
    return TimelineError(
      place: "track \(track) '\(tracks[track].name)', span \(index)\(name)", found: found, expected: expected)
  }
}

/// Why a timeline cannot be drawn, in one line: where, what was found there and what was expected.
public struct TimelineError: Error, Equatable, CustomStringConvertible {
  public let place: String
  public let found: String
  public let expected: String

  public var description: String { "timeline, \(place): found \(found), expected \(expected)" }
}
