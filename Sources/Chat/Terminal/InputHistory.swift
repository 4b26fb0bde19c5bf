import Files
import Foundation

/// What was typed before, oldest first, and a place in it: after the last entry is the draft, the line that is being
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

  mutating func newer() -> String? {
    guard position < entries.count else { return nil }
    position += 1
    return position == entries.count ? draft : entries[position]
  }

  /// Goes back to the draft, and takes in a line that was sent; not an empty one, nor the last one again.
  /// - Returns: whether it is a new entry.
  mutating func add(_ line: String) -> Bool {
    defer { leave() }
    guard line.contains(where: { !$0.isWhitespace }), line != entries.last else { return false }
    entries.append(line)
    if entries.count > Self.capacity { entries.removeFirst() }
    return true
  }

  mutating func leave() {
    position = entries.count
    draft = ""
  }
}

/// Keeps what was typed for the next time, a line an entry. Where that cannot be, nothing is kept, and nothing fails.
struct HistoryFile {
  let path: String

  /// `gpt2-bench/history` in `$XDG_STATE_HOME`, which is `~/.local/state` where it is not set (XDG Base Directory
  /// Specification 0.8); nil where there is no home either.
  init?(environment: [String: String]) {
    func folder(_ name: String) -> String? { environment[name].flatMap { $0.hasPrefix("/") ? $0 : nil } }
    guard let state = folder("XDG_STATE_HOME") ?? folder("HOME").map({ $0 + "/.local/state" }) else {
      return nil
    }
    path = state + "/gpt2-bench/history"
  }

  /// The newest entries, oldest first. A file that has grown to twice what is used is cut to that.
  func load() -> [String] {
    guard let data = FileManager.default.contents(atPath: path) else { return [] }
    let lines = String(decoding: data, as: UTF8.self).split(separator: "\n").map(String.init)
    let used = lines.suffix(InputHistory.capacity)
    if lines.count > 2 * InputHistory.capacity { write(used.map { $0 + "\n" }.joined(), flags: O_TRUNC) }
    return used.map(Self.decoded)
  }

  /// After what is there, in one piece: several chats may write.
  func append(_ entry: String) { write(Self.encoded(entry) + "\n", flags: O_APPEND) }

  /// Readable by its owner alone: people type all sorts of things.
  private func write(_ text: String, flags: Int32) {
    let folder = URL(fileURLWithPath: path).deletingLastPathComponent()
    try? FileManager.default.createDirectory(
      at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    let descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0o600)
    guard descriptor >= 0 else { return }
    _ = writeAll(descriptor, text.utf8)
    close(descriptor)
  }

  /// An entry in one line: a newline as `\n`, a backslash as two.
  static func encoded(_ entry: String) -> String { QuotedWords.escaped(entry) { $0 == "\n" || $0 == "\\" } }

  static func decoded(_ line: String) -> String {
    QuotedWords.unescaped(line) { $0 == "n" ? "\n" : $0 ?? "\\" }
  }
}
