import Record

/// The record as one page for a browser: the answer first, charts, every figure, every raw sample on demand. It needs
/// nothing but itself: no network, no script, no font. Its markup is well-formed XML as well as HTML.
public struct HTMLReport: Sendable {
  public let text: String

  public init(_ record: Record) {
    self.init(RunFigures(record))
  }

  init(_ run: RunFigures) {
    let context = PageContext(run)
    let opening = Opening(context)
    let sections = [
      PageSection.ladders(context, opening.headlines), .phases(context), .rooflines(context),
      .positions(context), .latencies(context), .memory(context),
      PageSection(id: "cells", markdown: MarkdownReport.allFigures(run)),
      PageSection(id: "counters", markdown: MarkdownReport.counters(run)),
      .correctness(context),
      PageSection(id: "validity", markdown: MarkdownReport.validity(context.validity, run.record)),
      .samples(context),
      PageSection(id: "machine", markdown: MarkdownReport.machine(run.record)),
      PageSection(id: "method", markdown: MarkdownReport.method(run)),
    ].compactMap { $0 }
    let body: [Markup] = [
      opening.markup, .element("main", [:], [Self.contents(sections)] + sections.map(\.markup)),
      Self.footer(run.record),
    ]
    text = Markup.document(
      .element(
        "html", ["lang": "en", "xmlns": "http://www.w3.org/1999/xhtml"],
        [.element("head", [:], Self.head(run.record)), .element("body", [:], body)]))
  }

  /// The policy forbids whatever the page does not need: even markup that got in could fetch and run nothing.
  private static func head(_ record: Record) -> [Markup] {
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
      .element("title", text: "gpt2-bench: \(MarkdownReport.title(record))"),
      .style(PageStyle.css, Theme.styleSheet),
    ]
  }

  private static func contents(_ sections: [PageSection]) -> Markup {
    .element(
      "nav", ["aria-label": "contents"],
      sections.map { .element("a", ["href": "#\($0.id)"], text: $0.title) })
  }

  private static func footer(_ record: Record) -> Markup {
    .element(
      "footer", [:],
      [
        .text(
          "Made by gpt2-bench \(record.build.version) from the run's record; report RECORD --format html makes it again."
        )
      ])
  }
}
