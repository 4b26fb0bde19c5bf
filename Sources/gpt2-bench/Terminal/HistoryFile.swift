import Foundation

/// Keeps what was typed for the next time, a line an entry. Where that cannot be, nothing is kept, and nothing fails.
struct HistoryFile {
  let path: String

  /// `gpt2-bench/history` in `$XDG_STATE_HOME`, which is `~/.local/state` where it is not set (XDG Base Directory
  /// Specification 0.8); nil where there is no home either.
  init?(environment: [String: String]) {
    if let state = environment["XDG_STATE_HOME"], state.hasPrefix("/") {
      path = state + "/gpt2-bench/history"
    } else if let home = environment["HOME"], home.hasPrefix("/") {
      path = home + "/.local/state/gpt2-bench/history"
    } else {
      return nil
    }
  }

  /// The newest entries, oldest first. A file that has grown to twice what is used is cut to that.
  func load() -> [String] {
    guard let data = FileManager.default.contents(atPath: path) else { return [] }
    let lines = String(decoding: data, as: UTF8.self).split(separator: "\n").map(String.init)
    let used = lines.suffix(InputHistory.capacity)
    if lines.count > 2 * InputHistory.capacity {
      write(used.map { $0 + "\n" }.joined(), flags: O_TRUNC)
    }
    return used.map(Self.decoded)
  }

  /// Behind what is there, in one piece: several chats may write.
  func append(_ entry: String) { write(Self.encoded(entry) + "\n", flags: O_APPEND) }

  /// Readable by its owner alone: people type all sorts of things.
  private func write(_ text: String, flags: Int32) {
    let folder = URL(fileURLWithPath: path).deletingLastPathComponent()
    try? FileManager.default.createDirectory(
      at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    let descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0o600)
    guard descriptor >= 0 else { return }
    var bytes = Array(text.utf8)
    _ = Foundation.write(descriptor, &bytes, bytes.count)
    close(descriptor)
  }

  /// An entry in one line: a newline as `\n`, a backslash as two.
  static func encoded(_ entry: String) -> String {
    entry.replacing("\\", with: "\\\\").replacing("\n", with: "\\n")
  }

  static func decoded(_ line: String) -> String {
    var entry = ""
    var rest = line[...]
    while let character = rest.popFirst() {
      guard character == "\\", let next = rest.popFirst() else {
        entry.append(character)
        continue
      }
      entry.append(next == "n" ? "\n" : next)
    }
    return entry
  }
}
