extension Markup {
  /// Blocks of Markdown as elements; a heading of level 3 becomes `h3`.
  static func markdown(_ blocks: [MarkdownBlock]) -> Markup {
    joined(blocks.map(markdown), separator: "\n")
  }

  private static func markdown(_ block: MarkdownBlock) -> Markup {
    switch block {
    case .heading(let level, let text):
      level < 3 ? element("h2", [:], [inline(text)]) : element("h3", [:], [inline(text)])
    case .paragraph(let text): element("p", [:], [inline(text)])
    case .list(let items): element("ul", [:], items.map { element("li", [:], [inline($0)]) })
    case .table(let table): scrolling(table)
    case .quote(let lines):
      element("blockquote", [:], lines.map { element("p", [:], [inline($0)]) })
    case .code(let text): code(text)
    }
  }

  /// Lines to copy, in a box that scrolls.
  static func code(_ text: String) -> Markup {
    element("pre", ["class": "code", "tabindex": "0"], [element("code", text: text)])
  }

  /// Code spans and bold text; a mark without its partner is itself.
  static func inline(_ text: String) -> Markup {
    var parts: [Markup] = []
    var strong: [Markup]?
    var rest = text[...]
    func add(_ part: Markup) {
      if strong == nil { parts.append(part) } else { strong?.append(part) }
    }
    while let mark = rest.firstIndex(where: { $0 == "`" || $0 == "*" }) {
      add(.text(String(rest[..<mark])))
      rest = rest[mark...]
      if rest.hasPrefix("`"), let end = rest.dropFirst().firstIndex(of: "`") {
        add(element("code", text: String(rest[rest.index(after: mark)..<end])))
        rest = rest[rest.index(after: end)...]
      } else if rest.hasPrefix("**"), let inner = strong {
        strong = nil
        add(element("strong", [:], inner))
        rest = rest.dropFirst(2)
      } else if rest.hasPrefix("**"), rest.dropFirst(2).contains("**") {
        strong = []
        rest = rest.dropFirst(2)
      } else {
        add(.text(String(rest.prefix(1))))
        rest = rest.dropFirst()
      }
    }
    add(.text(String(rest)))
    guard let open = strong else { return joined(parts) }
    return joined(parts + [.text("**")] + open)
  }

  /// A table in a box of its own that scrolls sideways, so that the page never does. Cells are inline Markdown.
  static func scrolling(_ table: MarkdownTable, label: String = "table") -> Markup {
    let alignments = table.headings.map(\.alignment)
    let head = table.headings.map { heading in
      element("th", ["scope": "col", "class": heading.alignment.cssClass], [inline(heading.text)])
    }
    let rows = table.rows.map { row in
      element(
        "tr", [:],
        row.enumerated().map { column, text in
          let alignment = column < alignments.count ? alignments[column] : .left
          let verdict = text.hasPrefix("FAIL") ? " fail" : ""
          return column == 0
            ? element("th", ["scope": "row", "class": alignment.cssClass], [inline(text)])
            : element("td", ["class": alignment.cssClass + verdict], [inline(text)])
        })
    }
    let hasHeadings = table.headings.contains { !$0.text.isEmpty }
    return element(
      "div", ["class": "scroll", "tabindex": "0", "role": "region", "aria-label": label],
      [
        element(
          "table", [:],
          (hasHeadings ? [element("thead", [:], [element("tr", [:], head)])] : [])
            + [element("tbody", [:], rows)])
      ])
  }

  /// Something to open on demand.
  static func details(_ summary: String, _ contents: [Markup], isOpen: Bool = false) -> Markup {
    let parts = [element("summary", text: summary)] + contents
    return isOpen ? element("details", ["open": "open"], parts) : element("details", [:], parts)
  }
}

extension MarkdownTable.Alignment {
  fileprivate var cssClass: String { self == .right ? "r" : "l" }
}
