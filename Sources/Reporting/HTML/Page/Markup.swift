/// Text that is markup already: well-formed XML, and HTML5 too. Text of a record gets in through `text` or an attribute
/// only, and both escape it.
struct Markup: Sendable, Equatable {
  let source: String

  private init(source: String) { self.source = source }

  static let nothing = Markup(source: "")

  static func text(_ text: String) -> Markup { Markup(source: escaped(text)) }

  /// `<name key="value">children</name>`; an element without children keeps its end tag, which HTML wants.
  static func element(
    _ name: StaticString, _ attributes: KeyValuePairs<StaticString, String> = [:], _ children: [Markup] = []
  ) -> Markup {
    Markup(source: "<\(name)\(list(attributes))>\(joined(children).source)</\(name)>")
  }

  static func element(
    _ name: StaticString, _ attributes: KeyValuePairs<StaticString, String> = [:], text: String
  ) -> Markup {
    element(name, attributes, [.text(text)])
  }

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

  /// The whole file around its `html` element.
  static func document(_ html: Markup) -> String { "<!DOCTYPE html>\n\(html.source)\n" }

  var isEmpty: Bool { source.isEmpty }

  private static func list(_ attributes: KeyValuePairs<StaticString, String>) -> String {
    attributes.map { " \($0.key)=\"\(escaped($0.value))\"" }.joined()
  }

  /// For text and for attributes in double or single quotes. What XML 1.0 has no character for becomes U+FFFD.
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
      case "\u{0}"..<"\u{20}", "\u{7F}"..<"\u{A0}", "\u{FFFE}", "\u{FFFF}": result += "\u{FFFD}"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }
}

/// Rules of a style sheet that were made from the project's own constants.
struct CSS: Sendable {
  let source: String

  /// `--name: value;` for each.
  static func variables(_ pairs: [(name: String, color: Color)]) -> String {
    pairs.map { "--\($0.name): \($0.color.hex);" }.joined(separator: " ")
  }
}
