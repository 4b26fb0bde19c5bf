extension String {
  /// In lines of at most `width` characters, broken between words; a word that is longer is broken itself. Lines behind
  /// the first begin with `indent` blanks.
  func wrapped(to width: Int, indent: Int = 2) -> String {
    let width = max(width, indent + 1)
    var lines: [String] = []
    var line = ""
    for word in split(separator: " ") {
      let joined = line.isEmpty ? String(word) : "\(line) \(word)"
      if joined.count <= width {
        line = joined
        continue
      }
      if !line.allSatisfy({ $0 == " " }) { lines.append(line) }
      line = (lines.isEmpty ? "" : String(repeating: " ", count: indent)) + word
      while line.count > width {
        lines.append(String(line.prefix(width)))
        line = String(repeating: " ", count: indent) + line.dropFirst(width)
      }
    }
    return (lines + [line]).joined(separator: "\n")
  }

  /// With `…` in place of its middle where it is longer than `width`: names often differ at either end.
  func shortened(to width: Int) -> String {
    guard count > width, width > 0 else { return self }
    let kept = width - 1
    return prefix(kept - kept / 2) + "…" + suffix(kept / 2)
  }

  var trimmedEnd: String {
    String(self[..<(lastIndex { $0 != " " }.map { index(after: $0) } ?? startIndex)])
  }
}
