// Text from outside, such as a file's strings, an argument or another program's answer, may act on what shows it: move a
// terminal's cursor, turn a line around, begin a second line. What leaves the program for people is made safe here.

extension Unicode.Scalar {
  /// Whether it only stands in its line: it is no control character (C0, DEL, C1), no line or paragraph separator, and no
  /// mark that changes the direction of what follows.
  public var isSafe: Bool {
    switch value {
    case 0..<0x20, 0x7F..<0xA0, 0x61C, 0x200E, 0x200F, 0x2028...0x202E, 0x2066...0x2069: false
    default: true
    }
  }

  /// Itself where it is safe; else its number, as in a literal of Swift: `\u{1B}`.
  fileprivate var shown: String {
    isSafe ? String(Character(self)) : "\\u{\(String(value, radix: 16, uppercase: true))}"
  }
}

extension String {
  /// One line that is safe to show: blanks for line ends and tabs, and numbers for what else would act, `\u{1B}`.
  public var safeLine: String {
    if isSafe { return self }
    let line = split(whereSeparator: \.isNewline).joined(separator: " ")
    return line.unicodeScalars.map { $0 == "\t" ? " " : $0.shown }.joined()
  }

  /// The same, cut to `limit` scalars and `…`.
  public func safeLine(limit: Int) -> String {
    let line = safeLine.unicodeScalars
    return line.count <= limit ? String(line) : String(line.prefix(limit)) + "…"
  }

  /// Lines that are safe to show: line ends and tabs stay.
  public var safeLines: String {
    if isSafe { return self }
    return map { character in
      ["\n", "\r\n", "\t"].contains(character)
        ? String(character) : character.unicodeScalars.map(\.shown).joined()
    }.joined()
  }

  private var isSafe: Bool {
    utf8.allSatisfy { (0x20..<0x7F).contains($0) } || unicodeScalars.allSatisfy(\.isSafe)
  }
}
