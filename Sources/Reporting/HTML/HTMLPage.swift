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
