import Record

/// A table in Markdown whose source is aligned too, so that it reads well in a terminal.
struct MarkdownTable {
  enum Alignment { case left, right }

  var headings: [(text: String, alignment: Alignment)]
  /// Each as long as `headings`.
  var rows: [[String]] = []

  init(_ headings: [(String, Alignment)]) {
    self.headings = headings.map { (text: $0.0, alignment: $0.1) }
  }

  var text: String {
    let cells = rows.map { $0.map(Self.escaped) }
    let widths = headings.indices.map { column in
      max(3, headings[column].text.count, cells.map { $0[column].count }.max() ?? 0)
    }
    let rule = headings.indices.map { column in
      let dashes = String(repeating: "-", count: widths[column] - 1)
      return headings[column].alignment == .left ? "-" + dashes : dashes + ":"
    }
    let lines = [headings.map(\.text)] + [rule] + cells
    return lines.map { line in
      let padded = line.indices.map {
        headings[$0].alignment == .left
          ? line[$0].padded(to: widths[$0]) : line[$0].leftPadded(to: widths[$0])
      }
      return "| " + padded.joined(separator: " | ") + " |"
    }.joined(separator: "\n")
  }

  /// Text that cannot end its cell or its line.
  static func escaped(_ text: String) -> String {
    text.singleLine.replacing("|", with: "\\|")
  }
}

extension MarkdownReport {
  static func list(_ items: [String]) -> String { items.map { "- \($0)" }.joined(separator: "\n") }
}

extension CSVReport {
  static func table(_ names: [String], _ rows: [[String]]) -> String { CSV.text(names, rows) }
}

extension Contestant {
  var markdown: String { prose.markdown }
}
