import Record

extension Timeline {
  /// The last nanosecond that a trace can hold, 50 days in: readers keep microseconds in a double and multiply
  /// by 1000, which below 2⁴² gives back each nanosecond.
  static let lastNanosecond: UInt64 = (1 << 42) * 1000

  /// Hands the spans of one track to `body` in their order, each with the number of spans it lies in.
  ///
  /// A span that begins where another ends lies behind it, so that one without duration at an outer span's
  /// end is outside.
  ///
  /// - Throws: a `TimelineError` at the first span that is out of order, overlaps another one without lying
  ///   in it, has a label that there is none of, or ends behind `lastNanosecond`; and what `body` throws.
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

  /// - Throws: a `TimelineError` for a counter that goes back in time, has a value that is not finite, or
  ///   shares name and unit with another.
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
