import Record

extension Document {
  /// For a terminal of `width` columns: no line is wider, and lines break between words.
  func terminal(colour: Bool, width: Int) -> String {
    let parts =
      [title.plain.wrapped(to: width), opening.terminal(colour: colour, width: width)]
      + sections.compactMap { $0 }.map {
        $0.title.wrapped(to: width) + ":\n\n" + $0.blocks.terminal(colour: colour, width: width)
      }
    return parts.filter { !$0.isEmpty }.joined(separator: "\n\n") + "\n"
  }
}

extension [Block] {
  /// The blocks with an empty line between them; what is for a page alone is left out.
  func terminal(colour: Bool, width: Int) -> String {
    map { $0.terminal(colour: colour, width: width) }.filter { !$0.isEmpty }.joined(separator: "\n\n")
  }
}

extension Block {
  fileprivate func terminal(colour: Bool, width: Int) -> String {
    func lines(_ lines: [Prose], after mark: String) -> String {
      lines.map { (mark + $0.plain).wrapped(to: width) }.joined(separator: "\n")
    }
    return switch self {
    case .heading(let text): text.isEmpty ? "" : text.plain.wrapped(to: width) + ":"
    case .paragraph(let text), .note(let text), .verdict(let text, _):
      text.plain.wrapped(to: width, indent: 0)
    case .warnings(let warnings): lines(warnings, after: "Warning: ")
    case .list(let items): lines(items, after: "- ")
    case .table(let table, _): table.terminal(colour: colour, width: width)
    case .code(let text):
      text.split(separator: "\n").map { String($0).wrapped(to: width) }.joined(separator: "\n")
    case .details(_, let blocks, _): blocks.terminal(colour: colour, width: width)
    case .charts, .page, .choice: ""
    }
  }
}

extension RunReport {
  /// For a terminal of `width` columns: no line is wider.
  ///
  /// - Parameter isVerbose: all of the report, with how it was measured; else ladders, cells and what to know of them.
  public func terminal(colour: Bool, width: Int, isVerbose: Bool) -> String {
    if isVerbose { return TerminalTable(record, colour: colour, width: width, isVerbose: true).text }
    let text =
      record.cells.isEmpty
      ? ProfileText(record, colour: colour, width: width, isVerbose: false).text
      : TerminalTable(record, colour: colour, width: width).text
    return title.plain.wrapped(to: width) + "\n\n" + text
  }
}

extension Record {
  /// Contestants with figures on the test that a report opens with, the fastest first; each once.
  public var ranking: [String] {
    Ladder.all(RunFigures(self)).first?.rungs.map(\.row.cell.variant).uniqued() ?? []
  }
}
