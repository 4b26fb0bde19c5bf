import Files
import Record

/// Markdown for a comment on GitHub: a headline, what must be seen, and the rest folded. It ends within GitHub's
/// limit; where something had to go, its last line says what.
struct GitHubComment: Sendable {
  /// GitHub refuses a comment of more characters. Bytes are counted, which are never fewer.
  static let limit = 65_536
  /// For a line that a workflow puts before or after the comment.
  private static let allowance = 1024
  /// For the line that says what was left out.
  private static let noticeBytes = 1024
  /// Identifies the comment among others, so that the next run replaces it; GitHub does not show it.
  let marker: String
  let heading: Prose
  let shown: [Block]
  let folded: [Section?]

  var text: String {
    let parts =
      ["<!-- \(marker) -->", "### \(Self.defused(heading.markdown))"]
      + shown.map { Self.defused([$0].unfolded.markdown) }.filter { !$0.isEmpty }
    var room = Self.limit - Self.allowance - Self.noticeBytes
    var kept: [String] = []
    var leftOut: [String] = []
    for part in parts {
      let lines = LineBudget(part, bytes: room)
      kept.append(lines.kept)
      room -= lines.kept.utf8.count + 2
      if lines.leftOut > 0 { leftOut.append("\(counted(lines.leftOut, "line")) above") }
    }
    for section in folded.compactMap({ $0 }) {
      let opening = "<details><summary>\(section.title)</summary>\n\n"
      let closing = "\n\n</details>"
      let lines = LineBudget(
        Self.defused(section.blocks.unfolded.markdown), bytes: room - opening.utf8.count - closing.utf8.count)
      if lines.leftOut > 0 { leftOut.append("\(counted(lines.leftOut, "line")) of “\(section.title)”") }
      guard !lines.kept.isEmpty else { continue }
      let fold = opening + lines.kept + closing
      kept.append(fold)
      room -= fold.utf8.count + 2
    }
    if !leftOut.isEmpty {
      let places = leftOut.joined(separator: ", ")
      let said = places.utf8.count < Self.noticeBytes - 200 ? places : "\(leftOut.count) parts"
      kept.append(
        "*Left out, since a comment has at most \(Self.limit) characters: \(said). The record holds all of it.*"
      )
    }
    return kept.filter { !$0.isEmpty }.joined(separator: "\n\n") + "\n"
  }

  /// Text that cannot end its fold, nor hide what follows it.
  private static func defused(_ text: String) -> String {
    text.replacing("</details", with: "&lt;/details").replacing("<details", with: "&lt;details")
      .replacing("<!--", with: "&lt;!--")
  }
}

/// The lines of a text that fit, from the first on.
private struct LineBudget {
  let kept: String
  let leftOut: Int

  init(_ text: String, bytes: Int) {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    var room = bytes + 1
    var count = 0
    for line in lines {
      room -= line.utf8.count + 1
      if room < 0 { break }
      count += 1
    }
    // A code block that is cut would swallow what follows.
    let fences = lines[..<count].indices.filter { lines[$0].hasPrefix("```") }
    if count < lines.count, fences.count % 2 == 1, let last = fences.last { count = last }
    kept = lines[..<count].joined(separator: "\n")
    leftOut = lines[count...].count { !$0.isEmpty }
  }
}
