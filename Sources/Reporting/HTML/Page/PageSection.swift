/// A part of the page with a heading that others can link to.
struct PageSection {
  /// Letters and `-`.
  let id: String
  let title: String
  let body: [Markup]

  /// Nil where there is nothing to show.
  init?(id: String, title: String, _ body: [Markup]) {
    let filled = body.filter { !$0.isEmpty }
    guard !filled.isEmpty else { return nil }
    self.id = id
    self.title = title
    self.body = filled
  }

  /// A section of the Markdown report under its own heading, if it is not empty.
  init?(id: String, markdown: String) {
    let blocks = MarkdownBlock.blocks(of: markdown)
    guard case .heading(_, let title)? = blocks.first else { return nil }
    self.init(id: id, title: title, [.markdown(Array(blocks.dropFirst()))])
  }

  var markup: Markup {
    .element(
      "section", ["id": id, "aria-labelledby": "\(id)-h"],
      [.element("h2", ["id": "\(id)-h"], text: title)] + body)
  }
}

extension Markup {
  /// A chart with its caption, and the same figures as a table to open.
  static func figure(_ chart: Chart, caption: String, note: String = "", table: MarkdownTable? = nil)
    -> Markup
  {
    let notes = note.isEmpty ? [] : [element("small", text: note)]
    return element(
      "figure", [:],
      [element("figcaption", [:], [inline(caption)] + notes), chart.svg]
        + (table.map { [details("The figures as a table", [scrolling($0, label: chart.title)])] } ?? []))
  }

  static func charts(_ figures: [Markup]) -> Markup {
    figures.isEmpty ? .nothing : element("div", ["class": "charts"], figures)
  }

  static func note(_ text: String) -> Markup { element("p", ["class": "note"], [inline(text)]) }
}
