import TestSupport
import Testing

@testable import Chat

struct LineEditorTests {
  private func editor(
    _ entries: [String] = [], complete: @escaping (String) -> TabCompletion = { _ in (0, []) }
  )
    -> LineEditor
  {
    LineEditor(history: InputHistory(entries), complete: complete)
  }

  /// The line with a bar where the cursor stands, after what a terminal sends.
  private func line(_ editor: inout LineEditor, _ bytes: String) -> String {
    var parser = KeyParser()
    for key in parser.keys(from: bytes.utf8) + [parser.flush()].compactMap({ $0 }) { _ = editor.handle(key) }
    let line = editor.line
    return line.beforeCursor + "|" + String(line.characters[line.cursor...])
  }

  private func line(_ bytes: String) -> String {
    var editor = editor()
    return line(&editor, bytes)
  }

  private static let (left, right, up, down) = ("\u{1B}[D", "\u{1B}[C", "\u{1B}[A", "\u{1B}[B")

  @Test(arguments: [
    ("abc\u{1B}[D\u{1B}[Dx", "ax|bc"), ("abc\u{01}x", "x|abc"), ("abc\u{01}\u{05}x", "abcx|"),
    ("abc\u{02}\u{02}\u{06}x", "abx|c"), ("abc\u{7F}", "ab|"), ("abc\u{01}\u{1B}[3~", "|bc"),
    ("abc\u{01}\u{04}", "|bc"), ("one two three\u{1B}b\u{1B}bx", "one x|two three"),
    ("one two\u{01}\u{1B}f", "one| two"), ("one two\u{01}\u{1B}d", "| two"),
    ("one/two-three\u{17}", "|"), ("one two  \u{17}", "one |"), ("one/two \u{1B}\u{7F}", "one/|"),
    ("one two\u{1B}[D\u{15}", "|o"), ("one two\u{1B}b\u{0B}", "one |"), ("abc\u{14}", "acb|"),
    ("abc\u{02}\u{14}", "acb|"), ("a\u{14}", "a|"),
    // What is killed comes back, several kills one after the other as one.
    ("one two\u{17}\u{17}\u{19}", "one two|"), ("one two\u{01}\u{1B}d\u{1B}d\u{05}\u{19}", "one two|"),
    ("one two\u{17}x\u{17}\u{19}", "one x|"), ("ab\u{01}\u{0B}\u{19}\u{19}", "abab|"),
  ])
  func keysEdit(_ bytes: String, _ expected: String) {
    expectEqual(line(bytes), expected)
  }

  @Test func charactersAreWhatPeopleSee() {
    // A mark joins the letter before it, a family is one character, and backspace takes all of it.
    expectEqual(line("e\u{301}x\u{1B}[D\u{7F}"), "|x")
    expectEqual(line("👨\u{200D}👩\u{200D}👧!\u{1B}[D\u{7F}"), "|!")
    expectEqual(line("日本語\u{02}\u{02}x"), "日x|本語")
    // A letter put before a mark takes it up.
    expectEqual(line("\u{301}\u{01}e"), "e\u{301}|")
  }

  @Test func aPasteMayHaveLinesAndKeysMoveAmongThem() {
    let paste = "\u{1B}[200~first\rsecond\u{1B}[201~"
    expectEqual(line(paste), "first\nsecond|")
    expectEqual(line(paste + "\u{01}x"), "first\nx|second")
    expectEqual(line(paste + Self.up + "x"), "firstx|\nsecond")
    expectEqual(line(paste + "\u{01}\u{02}\u{0B}"), "first|second")
    expectEqual(line(paste + Self.up + "\u{01}" + Self.down + "x"), "first\nx|second")
  }

  @Test func historyKeepsTheLineThatIsTyped() {
    var editor = editor(["one", "two"])
    expectEqual(line(&editor, "dra\(Self.up)"), "two|")
    expectEqual(line(&editor, Self.up), "one|")
    expectEqual(editor.handle(.up), .refused)
    expectEqual(line(&editor, "!\(Self.down)\(Self.down)"), "dra|")
    expectEqual(editor.handle(.down), .refused)
    expectEqual(line(&editor, "\u{10}\u{10}\u{0E}"), "two|")
    expectEqual(editor.handle(.enter), .submitted("two"))
    #expect(editor.line.isEmpty)
  }

  @Test func historyTakesInWhatIsNewAndNoMoreThanItHolds() {
    var history = InputHistory(["a"])
    #expect(!history.add("a") && !history.add("  ") && history.add("b"))
    expectEqual(history.entries, ["a", "b"])
    for index in 0..<InputHistory.capacity { _ = history.add("\(index)") }
    expectEqual(history.entries.count, InputHistory.capacity)
    expectEqual(history.entries[0], "0")
    expectEqual(HistoryFile.decoded(HistoryFile.encoded("a\\n\nb\\")), "a\\n\nb\\")
    #expect(!HistoryFile.encoded("a\nb").contains("\n"))
  }

  @Test func searchGoesBackwardsAndGivesUpWithoutALoss() {
    var editor = editor(["make tea", "see", "make coffee"])
    expectEqual(line(&editor, "draft\u{12}ma"), "|make coffee")
    expectEqual(editor.search?.prompt, "(reverse-search)'ma': ")
    expectEqual(line(&editor, "\u{12}"), "|make tea")
    expectEqual(line(&editor, "\u{12}"), "|make tea")
    expectEqual(editor.search?.prompt, "(failing reverse-search)'ma': ")
    expectEqual(line(&editor, "\u{07}"), "draft|")
    expectNil(editor.search)
    expectEqual(line(&editor, "\u{12}tea\u{7F}\u{7F}\u{7F}coff"), "make |coffee")
    // Any other key ends the search and does what it does.
    expectEqual(line(&editor, "\u{05}!"), "make coffee!|")
    expectNil(editor.search)
    _ = line(&editor, "\u{15}\u{12}see")
    expectEqual(editor.handle(.enter), .submitted("see"))
  }

  @Test func endsOfALine() {
    var editor = editor()
    expectEqual(editor.handle(.control("d")), .endOfInput)
    expectEqual(editor.handle(.text("a")), .edited)
    expectEqual(editor.handle(.control("d")), .refused)
    expectEqual(editor.handle(.control("c")), .interrupted)
    #expect(editor.line.isEmpty)
    expectEqual(editor.handle(.control("l")), .clearScreen)
    expectEqual(editor.handle(.control("z")), .suspended)
    expectEqual(editor.handle(.enter), .submitted(""))
    expectEqual(editor.handle(.backspace), .refused)
    expectEqual(editor.handle(.unknown), .refused)
  }

  @Test func tabCompletesCommandsAndSettings() {
    var editor = editor(complete: ChatCommand.complete)
    expectEqual(line(&editor, "/se\t"), "/set|")
    expectEqual(editor.handle(.tab), .candidates(["set", "settings"]))
    expectEqual(line(&editor, "ti\t"), "/settings |")
    expectEqual(line(&editor, "\u{15}/set te\t"), "/set temperature |")
    expectEqual(line(&editor, "0\t"), "/set temperature 0|")
    expectEqual(line(&editor, "\u{15}/mode d\t"), "/mode dialogue |")
    expectEqual(line(&editor, "\u{15}no command\t"), "no command|")
    #expect(ChatCommand.complete("//se").candidates.isEmpty)
  }
}
