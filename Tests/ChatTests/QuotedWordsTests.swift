import TestSupport
import Testing

@testable import Chat

struct QuotedWordsTests {
  @Test(
    arguments: [
      ("a b", ["a", "b"]), ("  a\t b\n", ["a", "b"]), ("", []), ("   ", []), ("'a b' c", ["a b", "c"]),
      ("''", [""]), ("a'b'\"c\"d", ["abcd"]), (#"'a\'"#, [#"a\"#]),
      (#""a \"b\" \\ \n $x""#, [#"a "b" \ \n $x"#]),
      (#"a\ b \'"#, ["a b", "'"]), ("~/x *.py $HOME", ["~/x", "*.py", "$HOME"]), (#""it's""#, ["it's"]),
    ])
  func wordsAreDividedAsAShellDividesThem(_ text: String, _ words: [String]) throws {
    try expectEqual(QuotedWords.split(text, .shell, name: "-x"), words)
  }

  @Test(
    arguments: [
      ("a 'b", "a single quote that is closed"), (#"a "b\""#, "a double quote that is closed"),
      (#"a \"#, "a character after the last backslash"),
    ])
  func whatIsNotClosedIsNamed(_ text: String, _ expected: String) throws {
    let error = try #require(throws: InputError.self) { try QuotedWords.split(text, .shell, name: "-x") }
    expectEqual(error.description, "-x: found '\(text)', expected \(expected)")
  }

  @Test(arguments: [
    ("", ""), ("END", "END"), (#"\n\nUser:"#, "\n\nUser:"), (#"a\tb\r\n"#, "a\tb\r\n"), (#"\\n"#, #"\n"#),
    ("é\n", "é\n"),
  ])
  func aStopMayHoldEscapes(_ written: String, _ meant: String) throws {
    try expectEqual(QuotedWords.unescaped(written, name: "--stop"), meant)
  }

  @Test(arguments: [(#"a\q"#, #"\q"#), (#"a\"#, #"\"#)])
  func anUnknownEscapeIsRefused(_ text: String, _ found: String) {
    let expected = InputError(
      "--stop", found: found, expected: #"\n, \r, \t or \\ after a backslash"#)
    #expect(throws: expected) { try QuotedWords.unescaped(text, name: "--stop") }
  }
}
