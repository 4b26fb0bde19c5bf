import Record

/// A timeline as folded stacks, the format of Brendan Gregg's flamegraph.pl, which speedscope opens too.
///
/// Source: https://github.com/brendangregg/FlameGraph, "2. Fold stacks": one stack a line, from the thread
/// over the outer spans to the inner one, `;` between frames, then a blank and a count. The count is the time
/// spent in that stack itself and in none further in, in nanoseconds, summed over all spans with that stack:
/// the format takes integers, and microseconds would lose the shortest operations and the sum. A stack
/// without time of its own has no line. Lines are in the order of their frames.
///
/// In names, `;`, white space and control characters become `_`, and a name without characters is `_`: a
/// line's end or a `;` would cut a frame, and flamegraph.pl takes `layer 3` at a stack's end for a second
/// count.
public struct FoldedStacks: Sendable {
  private let timeline: Timeline

  public init(_ timeline: Timeline) {
    self.timeline = timeline
  }

  /// Writes the file whole, or leaves what had its name as it was. Memory grows with the number of different
  /// stacks, not of spans.
  ///
  /// - Throws: `RecordError.unwritable`; a `TimelineError` for spans that are out of order or do not nest.
  public func write(to path: String) throws {
    let tree = try StackTree(timeline)
    try WholeFile.write(to: path, writing: tree.put)
  }

  /// The file's contents.
  ///
  /// - Throws: a `TimelineError`, as `write(to:)` does.
  public var text: String {
    get throws { try ByteWriter.text(of: try StackTree(timeline).put) }
  }
}
