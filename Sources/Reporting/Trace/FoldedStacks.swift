import Files
import Record

/// A timeline as folded stacks, the format of Brendan Gregg's flamegraph.pl, which speedscope opens too.
///
/// Source: https://github.com/brendangregg/FlameGraph, "2. Fold stacks": one stack a line, from the thread
/// over the outer spans to the inner one, `;` between frames, then a blank and a count. The count is the time
/// spent in that stack itself and in none further in, in nanoseconds, summed over all spans with that stack:
/// the format takes integers, and microseconds would lose the shortest operations and the sum. A stack
/// without time of its own has no line. Lines are in the order of their frames.
///
/// In names, `;`, white space and control characters become `_`, and a name without characters is `_`: a line's end or
/// a `;` would cut a frame, and flamegraph.pl takes `layer 3` at a stack's end for a second count.
public struct FoldedStacks: Sendable {
  private let timeline: Timeline

  public init(_ timeline: Timeline) { self.timeline = timeline }

  /// Writes the file whole, or leaves what had its name as it was. Memory grows with the number of different stacks.
  /// - Throws: `FileError`; a `TimelineError` for spans that are out of order or do not nest.
  public func write(to path: String) throws {
    let tree = try StackTree(timeline)
    try WholeFile.write(to: path, writing: tree.put)
  }

  public var text: String { get throws { try ByteWriter.text(of: try StackTree(timeline).put) } }
}

/// Every stack of a timeline once, as a path from the root, with the time spent in it itself.
private struct StackTree {
  private struct Node {
    var selfNanoseconds: UInt64 = 0
    /// By frame.
    var children: [Int: Int] = [:]
  }

  /// In the order of their bytes.
  private let frames: [[UInt8]]
  /// The root first, which stands for no frame.
  private var nodes = [Node()]

  init(_ timeline: Timeline) throws {
    let names = timeline.labels.map(\.name) + timeline.tracks.map(\.name)
    let texts = names.map(Self.harmless)
    frames = Set(texts).sorted { $0.lexicographicallyPrecedes($1) }
    let places = Dictionary(uniqueKeysWithValues: zip(frames, frames.indices))
    let numbers = texts.compactMap { places[$0] }
    for track in timeline.tracks.indices {
      var path = [child(of: 0, numbers[timeline.labels.count + track])]
      try timeline.visitSpans(ofTrack: track) { span, depth in
        path.removeSubrange((depth + 1)...)
        // What the outer span lasts was added when it came, and holds all that lies in it.
        if depth > 0 { nodes[path[depth]].selfNanoseconds -= span.duration }
        path.append(child(of: path[depth], numbers[Int(span.label)]))
        nodes[path[depth + 1]].selfNanoseconds += span.duration
      }
    }
  }

  private mutating func child(of node: Int, _ frame: Int) -> Int {
    if let known = nodes[node].children[frame] { return known }
    nodes.append(Node())
    nodes[node].children[frame] = nodes.count - 1
    return nodes.count - 1
  }

  /// A line for each stack with time of its own, in the order of the frames' bytes.
  func put(to writer: inout ByteWriter) throws { try putStacks(under: 0, [], to: &writer) }

  private func putStacks(under node: Int, _ path: [UInt8], to writer: inout ByteWriter) throws {
    for (frame, child) in nodes[node].children.sorted(by: { $0.key < $1.key }) {
      let path = (path.isEmpty ? [] : path + [UInt8(ascii: ";")]) + frames[frame]
      if nodes[child].selfNanoseconds > 0 {
        writer.put(path)
        writer.put(" ")
        writer.put(nodes[child].selfNanoseconds)
        try writer.endLine()
      }
      try putStacks(under: child, path, to: &writer)
    }
  }

  private static func harmless(_ name: String) -> [UInt8] {
    var text = String.UnicodeScalarView()
    for scalar in name.unicodeScalars {
      let isHarmful =
        scalar == ";" || scalar.properties.isWhitespace || scalar.properties.generalCategory == .control
      text.append(isHarmful ? "_" : scalar)
    }
    return text.isEmpty ? [UInt8(ascii: "_")] : Array(String(text).utf8)
  }
}
