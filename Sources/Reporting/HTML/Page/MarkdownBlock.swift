/// A block of the Markdown that this project's own reports are written in: headings, paragraphs, flat lists, tables,
/// quotes and fenced code. Both reports therefore say the same in the same words.
enum MarkdownBlock {
  case heading(level: Int, String)
  case paragraph(String)
  case list([String])
  case table(MarkdownTable)
  case quote([String])
  case code(String)

  static func blocks(of markdown: String) -> [MarkdownBlock] {
    var lines = markdown.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)[...]
    var blocks: [MarkdownBlock] = []
    while let line = lines.first {
      if line.isEmpty {
        lines.removeFirst()
      } else if line == "```" {
        lines.removeFirst()
        blocks.append(.code(take(&lines) { $0 != "```" }.joined(separator: "\n")))
        lines = lines.dropFirst()
      } else if line.hasPrefix("#") {
        let level = line.prefix { $0 == "#" }.count
        blocks.append(.heading(level: level, String(line.dropFirst(level + 1))))
        lines.removeFirst()
      } else if line.hasPrefix("- ") {
        blocks.append(.list(take(&lines) { $0.hasPrefix("- ") }.map { String($0.dropFirst(2)) }))
      } else if line.hasPrefix("| ") {
        blocks.append(.table(table(take(&lines) { $0.hasPrefix("| ") })))
      } else if line.hasPrefix(">") {
        let quoted = take(&lines) { $0.hasPrefix(">") }.map { String($0.dropFirst(2)) }
        blocks.append(.quote(quoted.filter { !$0.isEmpty }))
      } else {
        blocks.append(.paragraph(line))
        lines.removeFirst()
      }
    }
    return blocks
  }

  private static func take(_ lines: inout ArraySlice<String>, while matches: (String) -> Bool) -> [String] {
    let taken = lines.prefix(while: matches)
    lines = lines.dropFirst(taken.count)
    return Array(taken)
  }

  private static func table(_ lines: [String]) -> MarkdownTable {
    let cells = lines.map(split)
    let rule = cells.count > 1 ? cells[1] : []
    let headings = (cells.first ?? []).indices.map { column in
      (cells[0][column], column < rule.count && rule[column].hasSuffix(":") ? .right : .left)
        as (String, MarkdownTable.Alignment)
    }
    var table = MarkdownTable(headings)
    table.rows = Array(cells.dropFirst(2))
    return table
  }

  /// The cells between unescaped bars, without blanks at their ends.
  private static func split(_ line: String) -> [String] {
    var cells: [String] = []
    var cell = ""
    var isEscaped = false
    for character in line.dropFirst() {
      if isEscaped {
        cell += character == "|" ? "|" : "\\\(character)"
        isEscaped = false
      } else if character == "\\" {
        isEscaped = true
      } else if character == "|" {
        cells.append(cell)
        cell = ""
      } else {
        cell.append(character)
      }
    }
    return cells.map { $0.trimmingBlanks }
  }
}

extension String {
  fileprivate var trimmingBlanks: String {
    String(drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
  }
}
