/// Words as people write them on a line: blanks divide them, quotes hold them together, a backslash gives the character after it
/// another meaning.
public enum QuotedWords {
  public enum Style {
    /// Words in double quotes may hold blanks, or nothing; `\n`, `\r`, `\t`, `\"` and `\\` are the characters that they stand
    /// for, in quotes and without.
    case text
    /// As a POSIX shell divides a command line. Single quotes keep everything, double quotes all but `\"` and `\\`; a
    /// backslash elsewhere keeps the next character. Nothing is expanded: `$`, `~` and `*` are themselves.
    case shell
  }

  private static let escapes: [Unicode.Scalar: Unicode.Scalar] = [
    "n": "\n", "r": "\r", "t": "\t", "\"": "\"", "\\": "\\",
  ]

  /// - Throws: `InputError` for a quote that is not closed, or a backslash that means nothing.
  public static func split(_ text: String, _ style: Style, name: String) throws -> [String] {
    func wrong(_ expected: String) -> InputError { InputError(name, found: text, expected: expected) }
    var words: [String] = []
    var word: String?
    var quote: Unicode.Scalar?
    var rest = text.unicodeScalars[...]
    while let scalar = rest.popFirst() {
      switch scalar {
      case "\"" where quote == nil, "'" where quote == nil && style == .shell:
        quote = scalar
        word = word ?? ""
      case _ where scalar == quote: quote = nil
      case "\\" where quote != "'":
        var meaning = scalar
        switch style {
        case .text:
          guard let escape = rest.popFirst(), let escaped = escapes[escape] else {
            throw wrong("n, r, t, \" or \\ after each backslash")
          }
          meaning = escaped
        case .shell where quote == nil:
          guard let next = rest.popFirst() else { throw wrong("a character after the last backslash") }
          meaning = next
        case .shell:
          if let next = rest.first, next == "\"" || next == "\\" { meaning = rest.removeFirst() }
        }
        word = (word ?? "") + String(meaning)
      case _ where quote == nil && isBlank(scalar, style):
        if let word { words.append(word) }
        word = nil
      default: word = (word ?? "") + String(scalar)
      }
    }
    if let quote { throw wrong("a \(quote == "'" ? "single" : "double") quote that is closed") }
    return words + (word.map { [$0] } ?? [])
  }

  private static func isBlank(_ scalar: Unicode.Scalar, _ style: Style) -> Bool {
    switch style {
    case .text: scalar.properties.isWhitespace
    case .shell: scalar == " " || scalar == "\t" || scalar == "\n"
    }
  }

  /// The text as one word that `split` reads back.
  static func quoted(_ text: String) -> String { "\"" + escaped(text) { _ in true } + "\"" }

  /// - Parameter chosen: whether a character that has an escape is to be written as that.
  static func escaped(_ text: String, where chosen: (Unicode.Scalar) -> Bool) -> String {
    let names = Dictionary(uniqueKeysWithValues: escapes.map { ($1, $0) })
    return text.unicodeScalars.map { scalar in
      guard chosen(scalar), let name = names[scalar] else { return String(scalar) }
      return "\\\(name)"
    }.joined()
  }

  /// A text with `\n`, `\r`, `\t` and `\\` as the characters that they stand for.
  public static func unescaped(_ text: String, name: String) throws -> String {
    try unescaped(text) { escape in
      guard let escape, escape != "\"", let meaning = escapes[escape] else {
        let found = "\\" + (escape.map { String($0) } ?? "")
        throw InputError(name, found: found, expected: "\\n, \\r, \\t or \\\\ after a backslash")
      }
      return meaning
    }
  }

  /// - Parameter meaning: of what stands after a backslash; nil is the text's end.
  static func unescaped(_ text: String, _ meaning: (Unicode.Scalar?) throws -> Unicode.Scalar) rethrows
    -> String
  {
    var result = String.UnicodeScalarView()
    var rest = text.unicodeScalars[...]
    while let scalar = rest.popFirst() {
      result.append(scalar == "\\" ? try meaning(rest.popFirst()) : scalar)
    }
    return String(result)
  }
}
