/// What was typed before, oldest first, and a place in it: behind the last entry is the draft, the line that is being
/// typed, which is kept while one looks at the others.
struct InputHistory: Equatable, Sendable {
  static let capacity = 1000

  private(set) var entries: [String]
  private var position: Int
  private var draft = ""

  init(_ entries: [String] = []) {
    self.entries = Array(entries.suffix(Self.capacity))
    position = self.entries.count
  }

  /// - Parameter shown: what stands on the line now.
  /// - Returns: nil where there is nothing older.
  mutating func older(than shown: String) -> String? {
    guard position > 0 else { return nil }
    if position == entries.count { draft = shown }
    position -= 1
    return entries[position]
  }

  /// The next newer entry, or the draft.
  mutating func newer() -> String? {
    guard position < entries.count else { return nil }
    position += 1
    return position == entries.count ? draft : entries[position]
  }

  /// Goes back to the draft, and takes in a line that was sent; not an empty one, nor the last one again.
  ///
  /// - Returns: whether it is a new entry.
  mutating func add(_ line: String) -> Bool {
    defer { leave() }
    guard line.contains(where: { !$0.isWhitespace }), line != entries.last else { return false }
    entries.append(line)
    if entries.count > Self.capacity { entries.removeFirst() }
    return true
  }

  /// Back to an empty draft.
  mutating func leave() {
    position = entries.count
    draft = ""
  }

  /// The newest entry before `end` that holds a text.
  func lastIndex(containing query: String, before end: Int) -> Int? {
    entries[..<min(max(end, 0), entries.count)].lastIndex { $0.contains(query) }
  }
}
