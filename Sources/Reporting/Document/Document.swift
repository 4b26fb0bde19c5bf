/// A report as a value: a title, what must be known first, and sections of blocks; nil for a section without any. One
/// writer makes Markdown of it, another a page.
struct Document: Sendable {
  var title: Prose
  /// Stand before the first section, without a heading.
  var opening: [Block] = []
  var sections: [Section?] = []
}

struct Section: Sendable {
  /// Letters and `-`: what a link on the page names.
  let id: String
  let title: String
  let blocks: [Block]

  /// Nil where there is nothing to show.
  init?(id: String, title: String, _ blocks: [Block]) {
    let filled = blocks.filter { !$0.isEmpty }
    guard !filled.isEmpty else { return nil }
    (self.id, self.title, self.blocks) = (id, title, filled)
  }
}

indirect enum Block: Sendable {
  case heading(Prose)
  case paragraph(Prose)
  /// A sentence that a page sets back: how to read what follows.
  case note(Prose)
  /// What a reader must know before the figures, each after the word "Warning".
  case warnings([Prose])
  case list([Prose])
  /// `label` names it for those who hear the page.
  case table(Table, label: String = "table")
  /// Lines to copy.
  case code(String)
  /// On a page only: Markdown holds the same figures in tables.
  case charts([Figured])
  /// Folded until it is asked for.
  case details(String, [Block], isOpen: Bool = false)
  /// Blocks for a page alone, where Markdown says the same elsewhere.
  case page([Block])
  case verdict(Prose, isGood: Bool)
  /// On a page only: a table whose rows can be chosen by what stands in each of these columns.
  case choice(Table, by: [Int], label: String)

  var isEmpty: Bool {
    switch self {
    case .heading(let text), .paragraph(let text), .note(let text), .verdict(let text, _): text.isEmpty
    case .warnings(let lines), .list(let lines): lines.isEmpty
    case .table(let table, _), .choice(let table, _, _): table.rows.isEmpty
    case .code(let text): text.isEmpty
    case .charts(let charts): charts.isEmpty
    case .details(_, let blocks, _), .page(let blocks): blocks.allSatisfy(\.isEmpty)
    }
  }
}

/// A chart with its caption, and where wanted the same figures as a table to open.
struct Figured: Sendable {
  let chart: Chart
  let caption: Prose
  var note = ""
  var table: Table?
}

extension Document {
  var markdown: String {
    let parts =
      ["# " + title.markdown, opening.markdown]
      + sections.compactMap { $0 }.map { "## \($0.title)\n\n" + $0.blocks.markdown }
    return parts.filter { !$0.isEmpty }.joined(separator: "\n\n") + "\n"
  }
}

extension [Block] {
  /// The blocks with an empty line between them; what is for a page alone is left out.
  var markdown: String {
    filter { !$0.isEmpty }.map(\.markdown).filter { !$0.isEmpty }.joined(separator: "\n\n")
  }

  /// What is folded as if it were not, for what is itself in a fold.
  var unfolded: [Block] {
    flatMap { block in
      if case .details(_, let blocks, _) = block { blocks.unfolded } else { [block] }
    }
  }
}

extension Block {
  fileprivate var markdown: String {
    switch self {
    case .heading(let text): "### " + text.markdown
    case .paragraph(let text), .note(let text), .verdict(let text, _): MarkdownText.paragraph(text)
    case .warnings(let lines): lines.map { "> **Warning:** \($0.markdown)" }.joined(separator: "\n>\n")
    case .list(let items): items.map { "- " + MarkdownText.paragraph($0) }.joined(separator: "\n")
    case .table(let table, _): table.markdown
    case .code(let text): MarkdownText.codeBlock(text)
    case .details(let summary, let blocks, let isOpen):
      "<details\(isOpen ? " open" : "")><summary>\(summary)</summary>\n\n\(blocks.markdown)\n\n</details>"
    case .charts, .page, .choice: ""
    }
  }
}
