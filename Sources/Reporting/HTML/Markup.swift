import Files

/// Well-formed XML, and HTML5 too. Text of a record gets in through `text` or an attribute only, and both escape it.
struct Markup: Sendable, Equatable {
  let source: String

  private init(source: String) { self.source = source }

  static let nothing = Markup(source: "")

  static func text(_ text: String) -> Markup { Markup(source: escaped(text)) }

  /// `<name key="value">children</name>`; an element without children keeps its end tag, which HTML wants.
  static func element(
    _ name: StaticString, _ attributes: KeyValuePairs<StaticString, String> = [:], _ children: [Markup] = []
  ) -> Markup { Markup(source: "<\(name)\(list(attributes))>\(joined(children).source)</\(name)>") }

  static func element(
    _ name: StaticString, _ attributes: KeyValuePairs<StaticString, String> = [:], text: String
  ) -> Markup { element(name, attributes, [.text(text)]) }

  /// `<name key="value"/>`, for elements that never have children: `meta`, `link`, and SVG's shapes.
  static func void(_ name: StaticString, _ attributes: KeyValuePairs<StaticString, String>) -> Markup {
    Markup(source: "<\(name)\(list(attributes))/>")
  }

  /// The contents of `<style>`, which HTML does not unescape.
  static func style(_ css: StaticString, _ generated: CSS...) -> Markup {
    Markup(source: "<style>\n\(generated.map(\.source).joined(separator: "\n"))\n\(css)\n</style>")
  }

  static func joined(_ parts: [Markup], separator: StaticString = "") -> Markup {
    Markup(source: parts.map(\.source).joined(separator: "\(separator)"))
  }

  static func document(_ html: Markup) -> String { "<!DOCTYPE html>\n\(html.source)\n" }

  var isEmpty: Bool { source.isEmpty }

  private static func list(_ attributes: KeyValuePairs<StaticString, String>) -> String {
    attributes.map { " \($0.key)=\"\(escaped($0.value))\"" }.joined()
  }

  /// For text and for attributes in double or single quotes. What XML 1.0 has no character for, and what would act on the
  /// text around it, becomes U+FFFD.
  private static func escaped(_ text: String) -> String {
    var result = ""
    result.reserveCapacity(text.utf8.count)
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      case "'": result += "&#39;"
      case "\t", "\n": result.unicodeScalars.append(scalar)
      case "\u{FFFE}", "\u{FFFF}": result += "\u{FFFD}"
      case _ where !scalar.isSafe: result += "\u{FFFD}"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }
}

struct CSS: Sendable { let source: String }

// A document's blocks as elements.
extension Markup {
  static func blocks(_ blocks: [Block]) -> Markup {
    joined(blocks.filter { !$0.isEmpty }.map(block), separator: "\n")
  }

  private static func block(_ block: Block) -> Markup {
    switch block {
    case .heading(let text): element("h3", [:], [prose(text)])
    case .paragraph(let text): element("p", [:], [prose(text)])
    case .note(let text): element("p", ["class": "note"], [prose(text)])
    case .verdict(let text, let isGood): element("p", ["class": isGood ? "good" : "fail"], [prose(text)])
    case .warnings(let lines):
      element("blockquote", [:], lines.map { element("p", [:], [prose("**Warning:** \($0)")]) })
    case .list(let items): element("ul", [:], items.map { element("li", [:], [prose($0)]) })
    case .table(let table, let label): scrolling(table, label: label)
    case .code(let text): element("pre", ["class": "code", "tabindex": "0"], [element("code", text: text)])
    case .samples(let text): element("pre", ["class": "samples", "tabindex": "0"], text: text)
    case .charts(let charts): element("div", ["class": "charts"], charts.map(figure))
    case .page(let blocks): self.blocks(blocks)
    case .details(let summary, let contents, let isOpen):
      details(summary, [self.blocks(contents)], isOpen: isOpen)
    }
  }

  static func prose(_ text: Prose) -> Markup {
    var parts: [Markup] = []
    for stretch in text.stretches {
      let runs = stretch.map { $0.isCode ? element("code", text: $0.text) : .text($0.text) }
      parts += stretch[0].isStrong ? [element("strong", [:], runs)] : runs
    }
    return joined(parts)
  }

  private static func figure(_ figured: Figured) -> Markup {
    let note = figured.note.isEmpty ? nothing : element("small", text: figured.note)
    let table = figured.table.map {
      details("The figures as a table", [scrolling($0, label: figured.chart.title)])
    }
    return element(
      "figure", [:],
      [element("figcaption", [:], [prose(figured.caption), note]), figured.chart.svg, table ?? nothing])
  }

  /// A table in a box of its own that scrolls sideways, so that the page never does.
  private static func scrolling(_ table: Table, label: String) -> Markup {
    let table = table.withoutEmptyColumns
    let classes = table.headings.map { $0.alignment == .right ? "r" : "l" }
    let head = zip(table.headings, classes).map { heading, alignment in
      element("th", ["scope": "col", "class": alignment], [prose(heading.text)])
    }
    let rows = table.rows.map { row in
      element(
        "tr", [:],
        row.enumerated().map { column, entry in
          column == 0
            ? element("th", ["scope": "row", "class": classes[0]], [prose(entry.text)])
            : element("td", ["class": classes[column] + (entry.isBad ? " fail" : "")], [prose(entry.text)])
        })
    }
    let hasHeadings = table.headings.contains { !$0.text.isEmpty }
    let top = hasHeadings ? element("thead", [:], [element("tr", [:], head)]) : nothing
    return element(
      "div", ["class": "scroll", "tabindex": "0", "role": "region", "aria-label": label],
      [element("table", [:], [top, element("tbody", [:], rows)])])
  }

  private static func details(_ summary: String, _ contents: [Markup], isOpen: Bool = false) -> Markup {
    element("details", isOpen ? ["open": "open"] : [:], [element("summary", text: summary)] + contents)
  }
}

extension Section {
  var markup: Markup {
    .element(
      "section", ["id": id, "aria-labelledby": "\(id)-h"],
      [.element("h2", ["id": "\(id)-h"], text: title), .blocks(blocks)])
  }
}
