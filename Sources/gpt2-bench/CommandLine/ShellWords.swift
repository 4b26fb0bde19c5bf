/// A command line as its words, divided as a POSIX shell divides them, without a shell: blanks separate; single
/// quotes keep everything, double quotes all but `\"` and `\\`; a backslash elsewhere keeps the next character.
/// Nothing is expanded: `$`, `~` and `*` are themselves.
enum ShellWords {
  /// - Throws: `UsageError` for a quote that is not closed, or a backslash at the end.
  static func split(_ text: String, option: String) throws -> [String] {
    var words: [String] = []
    var word: String?
    var rest = text[...]
    while let character = rest.popFirst() {
      switch character {
      case " ", "\t", "\n":
        if let word { words.append(word) }
        word = nil
      case "'":
        guard let end = rest.firstIndex(of: "'") else { throw unclosed(text, option, "a single quote") }
        word = (word ?? "") + rest[..<end]
        rest = rest[rest.index(after: end)...]
      case "\"":
        word = (word ?? "") + (try doubleQuoted(&rest, text, option))
      case "\\":
        guard let next = rest.popFirst() else {
          throw UsageError(option, found: text, expected: "a character behind the last backslash")
        }
        word = (word ?? "") + String(next)
      default:
        word = (word ?? "") + String(character)
      }
    }
    return words + (word.map { [$0] } ?? [])
  }

  /// Takes all up to the closing quote.
  private static func doubleQuoted(_ rest: inout Substring, _ text: String, _ option: String) throws -> String
  {
    var quoted = ""
    while let character = rest.popFirst() {
      if character == "\"" { return quoted }
      if character == "\\", let next = rest.first, next == "\"" || next == "\\" {
        quoted.append(next)
        rest.removeFirst()
      } else {
        quoted.append(character)
      }
    }
    throw unclosed(text, option, "a double quote")
  }

  private static func unclosed(_ text: String, _ option: String, _ quote: String) -> UsageError {
    UsageError(option, found: text, expected: "\(quote) that is closed")
  }
}
