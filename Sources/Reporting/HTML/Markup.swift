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

/// How the buttons over a table choose its rows without a script: a rule for each button.
enum Choice {
  /// Of a button and of the rows that it shows; without a choice of the button that shows all.
  static func className(column: Int, choice: Int?) -> String {
    "c\(column)" + (choice.map { "-\($0)" } ?? "")
  }

  /// For so many buttons over each of a table's columns.
  static func rules(_ counts: [Int]) -> CSS {
    CSS(
      source: counts.enumerated().flatMap { column, count in
        (0..<count).map { choice in
          let name = className(column: column, choice: choice)
          return ".choice:has(input.\(name):checked) tbody tr:not(.\(name)) { display: none; }"
        }
      }.joined(separator: "\n"))
  }
}

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
    case .choice(let table, let columns, let label): choice(table, by: columns, label: label)
    case .charts(let charts):
      element(
        "div", ["class": "charts \(ChartWidth.wide(count: charts.count))"],
        charts.map { figure($0, count: charts.count) })
    case .page(let blocks): self.blocks(blocks)
    case .details(let summary, let contents, let isOpen):
      details(summary, [self.blocks(contents)], isOpen: isOpen)
    }
  }

  static func prose(_ text: Prose) -> Markup {
    var parts: [Markup] = []
    for stretch in text.stretches {
      let runs = stretch.map { run in
        let text = run.isCode ? element("code", text: run.text) : .text(run.text)
        return run.target.map { element("a", ["href": $0], [text]) } ?? text
      }
      parts += stretch[0].isStrong ? [element("strong", [:], runs)] : runs
    }
    return joined(parts)
  }

  private static func figure(_ figured: Figured, count: Int) -> Markup {
    let note = figured.note.isEmpty ? nothing : element("small", text: figured.note)
    let table = figured.table.map {
      details("The figures as a table", [scrolling($0, label: figured.chart.title)])
    }
    return element(
      "figure", [:],
      [
        element("figcaption", [:], [prose(figured.caption), note]), figured.chart.svg(count: count),
        table ?? nothing,
      ])
  }

  /// A table in a box of its own that scrolls sideways, so that the page never does. A row may have a class of its own.
  private static func scrolling(
    _ table: Table, label: String, rowClass: ([Table.Entry]) -> String = { _ in "" }
  )
    -> Markup
  {
    let table = table.withoutEmptyColumns
    let classes = table.headings.map { $0.alignment == .right ? "r" : "l" }
    let head = zip(table.headings, classes).map { heading, alignment in
      element("th", ["scope": "col", "class": alignment], [prose(heading.text)])
    }
    let rows = table.rows.map { row in
      let style = rowClass(row)
      return element(
        "tr", style.isEmpty ? [:] : ["class": style],
        row.enumerated().map { column, entry in
          column == 0
            ? element("th", ["scope": "row", "class": classes[0]], [prose(entry.text)])
            : element("td", ["class": classes[column] + (entry.isBad ? " fail" : "")], [prose(entry.text)])
        })
    }
    let hasHeadings = table.headings.contains { !$0.text.isEmpty }
    let top = hasHeadings ? element("thead", [:], [element("tr", [:], head)]) : nothing
    return element(
      "div",
      [
        "class": table.isWiderThanAPhone ? "scroll wide-table" : "scroll", "tabindex": "0", "role": "region",
        "aria-label": label,
      ],
      [element("table", [:], [top, element("tbody", [:], rows)])])
  }

  /// A table after a row of buttons for each of the columns. The style sheet hides the rows that are not chosen; where a
  /// browser does not know how, it shows all of them.
  private static func choice(_ table: Table, by columns: [Int], label: String) -> Markup {
    let words = columns.map { column in table.rows.map { $0[column].text.plain }.uniqued() }
    let buttons = columns.indices.map { place -> Markup in
      let group = "\(Choice.className(column: place, choice: nil))"
      func button(_ name: String, _ style: String, isChecked: Bool) -> Markup {
        let type: KeyValuePairs<StaticString, String> =
          isChecked
          ? ["type": "radio", "name": group, "class": style, "checked": "checked"]
          : ["type": "radio", "name": group, "class": style]
        return element("label", [:], [void("input", type), text(name)])
      }
      return element(
        "fieldset", [:],
        [
          element("legend", [:], [prose(table.headings[columns[place]].text)]),
          button("all", group, isChecked: true),
        ]
          + words[place].enumerated().map { index, word in
            button(word, Choice.className(column: place, choice: index), isChecked: false)
          })
    }
    let places = words.map { Dictionary(uniqueKeysWithValues: $0.enumerated().map { ($1, $0) }) }
    let rows = scrolling(table, label: label) { row in
      columns.indices.map { place in
        Choice.className(column: place, choice: places[place][row[columns[place]].text.plain])
      }.joined(separator: " ")
    }
    return element("div", ["class": "choice"], buttons + [rows])
  }

  private static func details(_ summary: String, _ contents: [Markup], isOpen: Bool = false) -> Markup {
    element("details", isOpen ? ["open": "open"] : [:], [element("summary", text: summary)] + contents)
  }
}

extension Table {
  /// A phone's page in pixels, the size of a table's text, and what stands around each entry.
  private static let (page, size, padding) = (358.0, 14.4, 22.4)
  /// A last column of text wraps down to this width.
  private static let wrapped = 190.0
  /// A column with a heading is no narrower; see `thead th` in `PageStyle`.
  private static let narrowest = 4.5 * size
  /// Of letters of weight 600, as headings have, against those of weight 400.
  private static let bold = 1.1

  /// As far as can be told without setting its text.
  fileprivate var isWiderThanAPhone: Bool {
    let hasHeadings = headings.contains { !$0.text.isEmpty }
    let widths = headings.indices.map { column -> Double in
      let words = headings[column].text.plain.split(separator: " ")
      let heading = words.map { Self.bold * TextWidth.of(String($0), size: Self.size) }.max() ?? 0
      let most = rows.reduce(heading) { max($0, TextWidth.of($1[column].text.plain, size: Self.size)) }
      let wraps = column == headings.count - 1 && headings[column].alignment == .left
      return max(hasHeadings ? Self.narrowest : 0, Self.padding + (wraps ? min(most, Self.wrapped) : most))
    }
    return widths.reduce(0, +) > Self.page
  }
}

extension Section {
  var markup: Markup {
    .element(
      "section", ["id": id, "aria-labelledby": "\(id)-h"],
      [.element("h2", ["id": "\(id)-h"], text: title), .blocks(blocks)])
  }
}
