/// Words divided by blanks. One in double quotes may hold blanks, or nothing; `\n`, `\r`, `\t`, `\"` and `\\` are the
/// characters that they stand for, in quotes and without.
enum QuotedWords {
  private static let escapes: [Character: Character] = [
    "n": "\n", "r": "\r", "t": "\t", "\"": "\"", "\\": "\\",
  ]

  /// - Throws: `UsageError` for a quote that is not closed or an escape that there is not.
  static func split(_ text: String, name: String) throws -> [String] {
    var words: [String] = []
    var word: String?
    var isQuoted = false
    var rest = text[...]
    while let character = rest.popFirst() {
      switch character {
      case "\"":
        isQuoted.toggle()
        word = word ?? ""
      case "\\":
        guard let escape = rest.popFirst(), let meaning = escapes[escape] else {
          throw UsageError(name, found: text, expected: "n, r, t, \" or \\ behind each backslash")
        }
        word = (word ?? "") + String(meaning)
      case _ where character.isWhitespace && !isQuoted:
        if let word { words.append(word) }
        word = nil
      default: word = (word ?? "") + String(character)
      }
    }
    guard !isQuoted else { throw UsageError(name, found: text, expected: "a double quote that is closed") }
    return words + (word.map { [$0] } ?? [])
  }

  /// The text as `split` reads it back.
  static func quoted(_ text: String) -> String {
    let names = Dictionary(uniqueKeysWithValues: escapes.map { ($1, $0) })
    return "\"" + text.map { character in names[character].map { "\\\($0)" } ?? String(character) }.joined()
      + "\""
  }
}
