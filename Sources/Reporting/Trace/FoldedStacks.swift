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
    let frame: UInt32
    var selfNanoseconds: UInt64 = 0
    var children: [UInt32] = []
  }

  private struct Step: Hashable {
    let node: UInt32
    let frame: UInt32
  }

  /// The root first, which stands for no frame.
  private var nodes = [Node(frame: .max)]
  private var found: [Step: UInt32] = [:]
  private var frames = FrameNames()

  init(_ timeline: Timeline) throws {
    let labelFrames = timeline.labels.map { frames.number(of: $0.name) }
    for (index, track) in timeline.tracks.enumerated() {
      let thread = child(of: 0, frames.number(of: track.name))
      var path = [thread]
      try timeline.visitSpans(ofTrack: index) { span, depth in
        path.removeSubrange((depth + 1)...)
        let outer = Int(path[depth])
        let inner = child(of: path[depth], labelFrames[Int(span.label)])
        path.append(inner)
        nodes[Int(inner)].selfNanoseconds += span.duration
        // What the outer span lasts was added when it came, and holds all that lies in it.
        if depth > 0 { nodes[outer].selfNanoseconds -= span.duration }
      }
    }
  }

  private mutating func child(of node: UInt32, _ frame: UInt32) -> UInt32 {
    let step = Step(node: node, frame: frame)
    if let known = found[step] { return known }
    let new = UInt32(nodes.count)
    nodes.append(Node(frame: frame))
    nodes[Int(node)].children.append(new)
    found[step] = new
    return new
  }

  /// A line for each stack with time of its own, in the order of the frames' bytes.
  func put(to writer: inout ByteWriter) throws {
    let ranks = frames.ranks
    func ordered(_ children: [UInt32]) -> [UInt32] {
      children.sorted { ranks[Int(nodes[Int($0)].frame)] > ranks[Int(nodes[Int($1)].frame)] }
    }
    var path: [UInt8] = []
    var pending = ordered(nodes[0].children).map { (node: $0, length: 0) }
    while let (index, length) = pending.popLast() {
      let node = nodes[Int(index)]
      path.removeSubrange(length...)
      if length > 0 { path.append(UInt8(ascii: ";")) }
      path += frames[node.frame]
      if node.selfNanoseconds > 0 {
        writer.put(path)
        writer.put(" ")
        writer.put(node.selfNanoseconds)
        try writer.endLine()
      }
      pending += ordered(node.children).map { ($0, path.count) }
    }
  }
}

/// The frames of folded stacks: one number for all names that are the same once they are harmless.
private struct FrameNames {
  private var texts: [[UInt8]] = []
  private var numbers: [[UInt8]: UInt32] = [:]

  mutating func number(of name: String) -> UInt32 {
    let text = Self.harmless(name)
    if let known = numbers[text] { return known }
    numbers[text] = UInt32(texts.count)
    texts.append(text)
    return UInt32(texts.count - 1)
  }

  subscript(_ number: UInt32) -> [UInt8] { texts[Int(number)] }

  /// The place of each frame in the order of their bytes.
  var ranks: [Int] {
    var ranks = [Int](repeating: 0, count: texts.count)
    let order = texts.indices.sorted { texts[$0].lexicographicallyPrecedes(texts[$1]) }
    for (rank, frame) in order.enumerated() { ranks[frame] = rank }
    return ranks
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
