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
