import Files

/// Text of any kind as Markdown that shows it letter by letter (CommonMark 0.31, and GitHub's additions: `~`, `$`).
enum MarkdownText {
  /// In a line, where no mark of it can begin or end anything.
  static func inert(_ text: String) -> String {
    let scalars = Array(text.unicodeScalars)
    var escaped = ""
    func isWord(_ index: Int) -> Bool {
      guard scalars.indices.contains(index) else { return false }
      let properties = scalars[index].properties
      return properties.isAlphabetic || properties.numericType != nil
    }
    for (index, scalar) in scalars.enumerated() {
      switch scalar {
      // Within a word it is no mark: `snake_case`.
      case "_" where isWord(index - 1) && isWord(index + 1): escaped.unicodeScalars.append(scalar)
      case "\\", "`", "*", "_", "[", "]", "~", "$": escaped += "\\\(scalar)"
      // A comment of GitHub has folds, which a raw end of one would close.
      case "<"
      where isWord(index + 1) || scalars.dropFirst(index + 1).first.map("/!?".unicodeScalars.contains) == true:
        escaped += "&lt;"
      case "&" where isWord(index + 1) || scalars.dropFirst(index + 1).first == "#": escaped += "&amp;"
      default: escaped.unicodeScalars.append(scalar)
      }
    }
    return escaped
  }

  /// A code span: more backticks around it than there are within.
  static func code(_ text: String) -> String {
    let longest = longestRun(of: "`", in: text)
    guard longest > 0 else { return "`\(text)`" }
    let mark = String(repeating: "`", count: longest + 1)
    return "\(mark) \(text) \(mark)"
  }

  /// A block of lines to copy, likewise.
  static func codeBlock(_ text: String) -> String {
    let fence = String(repeating: "`", count: max(3, longestRun(of: "`", in: text) + 1))
    return "\(fence)\n\(text.safeLines)\n\(fence)"
  }

  /// A paragraph that begins with text from outside: it makes no heading, list, quote or rule of itself.
  static func paragraph(_ line: Prose) -> String {
    let text = line.markdown
    guard line.runs.first.map({ $0.isInert && !$0.isCode && !$0.isStrong }) == true else { return text }
    if let first = text.first, "#>+-=".contains(first) { return "\\" + text }
    let rest = text.drop { $0.isASCII && $0.isNumber }
    guard rest.count < text.count, let mark = rest.first, ".)".contains(mark),
      rest.dropFirst().first ?? " " == " "
    else { return text }
    return text.prefix(text.count - rest.count) + "\\" + rest
  }

  private static func longestRun(of mark: Character, in text: String) -> Int {
    text.split { $0 != mark }.map(\.count).max() ?? 0
  }
}
