/// A page for a browser, which needs no network, no script and no font. Its markup is well-formed XML as well as HTML.
struct HTMLPage {
  let title: String
  /// What stands before the contents: the answer, and what it rests on.
  let opening: Markup
  let sections: [Section]
  /// Who made the page of what.
  let footer: String
  /// Buttons over the columns of the table whose rows can be chosen, as `Choice.rules` has it.
  var choices: [Int] = []

  var text: String {
    let links: [Markup] = sections.map { .element("a", ["href": "#\($0.id)"], text: $0.title) }
    let contents = Markup.element("nav", ["aria-label": "contents"], links)
    let body: [Markup] = [
      opening, .element("main", [:], [contents] + sections.map(\.markup)), .element("footer", text: footer),
    ]
    return Markup.document(
      .element(
        "html", ["lang": "en", "xmlns": "http://www.w3.org/1999/xhtml"],
        [.element("head", [:], head), .element("body", [:], body)]))
  }

  /// The policy forbids whatever the page does not need: even markup that got in could fetch and run nothing.
  private var head: [Markup] {
    [
      .void("meta", ["charset": "utf-8"]),
      .void("meta", ["name": "viewport", "content": "width=device-width, initial-scale=1"]),
      .void("meta", ["name": "color-scheme", "content": "light dark"]),
      .void(
        "meta",
        [
          "http-equiv": "Content-Security-Policy",
          "content": "default-src 'none'; style-src 'unsafe-inline'; img-src data:",
        ]),
      .void("link", ["rel": "icon", "href": "data:,"]),
      .element("title", text: "gpt2-bench: \(title)"),
      .style(PageStyle.css, Theme.styleSheet, Choice.rules(choices)),
    ]
  }
}

/// A figure on a page's first screen, with what it is of.
struct Card: Sendable {
  let title: Prose
  let figure: String
  let unit: String

  var markup: Markup {
    .element(
      "article", ["class": "card"],
      [
        .element("h2", [:], [.prose(title)]),
        .element("p", ["class": "speed"], [.text(figure), .text(" "), .element("small", text: unit)]),
      ])
  }
}

extension HTMLPage {
  /// A document as a page of its own.
  ///
  /// - Parameters:
  ///   - answer: what the document comes to, in large letters.
  ///   - cards: the figures that stand below it, before what the document opens with.
  init(_ document: Document, answer: Prose, cards: [Card], footer: String) {
    let title = document.title.plain
    self.init(
      title: title,
      opening: .element(
        "header", [:],
        [
          .element("h1", text: title), .element("p", ["class": "answer"], [.prose(answer)]),
          .element("div", ["class": "cards"], cards.map(\.markup)), .blocks(document.opening),
        ]), sections: document.sections.compactMap { $0 }, footer: footer)
  }
}
