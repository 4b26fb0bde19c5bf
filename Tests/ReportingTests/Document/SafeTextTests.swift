import Files
import TestSupport
import Testing

@testable import Record
@testable import Reporting

/// What comes from outside acts on nothing that shows it: not on a terminal, nor as Markdown, nor in a spreadsheet.
struct SafeTextTests {
  private static let lines: [(text: String, line: String)] = [
    ("plain – text … ± 日本語 🙂", "plain – text … ± 日本語 🙂"), ("", ""), ("a\nb", "a b"),
    ("\r\na\u{85}b\u{2028}c\u{2029}", "a b c"),
    ("a\tb", "a b"), ("\u{1B}[31mred\u{7}", "\\u{1B}[31mred\\u{7}"),
    ("\u{0}\u{7F}\u{9B}", "\\u{0}\\u{7F}\\u{9B}"),
    ("\u{202E}gnp.exe", "\\u{202E}gnp.exe"),
    ("\u{2066}a\u{2069}\u{200E}\u{200F}\u{61C}", "\\u{2066}a\\u{2069}\\u{200E}\\u{200F}\\u{61C}"),
  ]

  @Test(arguments: lines)
  func aLineIsSafeToShow(text: String, line: String) {
    expectEqual(text.safeLine, line)
    expectEqual(line.safeLine, line)
    expectEqual(Prose(text).plain, line)
    #expect(("\(text)" as Prose).plain == line)
  }

  @Test func aLineIsCut() {
    expectEqual("abcd".safeLine(limit: 4), "abcd")
    expectEqual("abcde".safeLine(limit: 4), "abcd…")
    expectEqual(String(repeating: "\n", count: 5000).safeLine(limit: 4), "")
    expectEqual(String(repeating: "e\u{301}", count: 5000).safeLine(limit: 100).unicodeScalars.count, 101)
  }

  @Test func linesKeepTheirEnds() {
    expectEqual("a\nb\r\nc\td\u{1B}\re\u{2028}".safeLines, "a\nb\r\nc\td\\u{1B}\\u{D}e\\u{2028}")
  }

  private static let fields: [(text: String, field: String)] = [
    ("=1+1", "'=1+1"), ("+1", "+1"), ("-3.5e-7", "-3.5e-7"), ("-", "'-"), ("-march=native", "'-march=native"),
    ("@sum", "'@sum"), ("\tx", "'\tx"), ("+HYPERLINK(\"a\",b)", "\"'+HYPERLINK(\"\"a\"\",b)\""),
    ("a=b", "a=b"),
    ("\u{1B}[2J\u{202E}", "\\u{1B}[2J\\u{202E}"), ("−1", "−1"),
  ]

  @Test(arguments: fields)
  func aFieldIsNoFormula(text: String, field: String) {
    expectEqual(CSV.text([text], [["x"]]), field + "\nx\n")
  }

  private static let inert: [(text: String, markdown: String)] = [
    ("**a** _b_ snake_case", "\\*\\*a\\*\\* \\_b\\_ snake_case"), ("`c`", "\\`c\\`"),
    ("~~d~~ $e$", "\\~\\~d\\~\\~ \\$e\\$"),
    ("![x](http://a/b)", "!\\[x\\](http://a/b)"), ("<img src=x> &lt; a & b", "&lt;img src=x> &amp;lt; a & b"),
    ("a\\|b", "a\\\\|b"), ("Intel(R) @ 2.5GHz, tg32 @ d64", "Intel(R) @ 2.5GHz, tg32 @ d64"),
  ]

  @Test(arguments: inert)
  func markupIsText(text: String, markdown: String) {
    expectEqual(Prose(text).markdown, markdown)
    #expect(("**x** \(text)" as Prose).markdown == "**x** " + markdown)
    expectEqual(Prose(text).marked, text)
  }

  @Test func aCodeSpanHoldsAnything() {
    expectEqual(Prose.code("a`b").markdown, "`` a`b ``")
    #expect(("`\("``")`" as Prose).markdown == "``` `` ```")
    #expect(("`tg\(4) @ \("*")`" as Prose).markdown == "`tg4 @ *`")
    expectEqual([Block.code("x\n```\n# y")].markdown, "````\nx\n```\n# y\n````")
  }

  @Test func aParagraphStaysOne() {
    for (text, expected) in [
      ("# a", "\\# a"), ("> a", "\\> a"), ("- a", "\\- a"), ("+ a", "\\+ a"), ("12. a", "12\\. a"),
      ("1) a", "1\\) a"),
      ("12.5 a", "12.5 a"), ("a", "a"), ("===", "\\==="),
    ] {
      expectEqual([Block.paragraph(Prose(text))].markdown, expected)
      expectEqual([Block.list([Prose(text)])].markdown, "- " + expected)
    }
    expectEqual([Block.paragraph("- 1 # \("x")")].markdown, "- 1 # x")
  }

  private static let hostile = "\u{202E}<img src=x onerror=1>**m**\n# h\u{1B}[2J|@a </details>"

  /// In the name of the model and of a variant, in what another program says, and in an error.
  @Test func aHostileRecordActsOnNothing() throws {
    var record = Fixture.small()
    record.isComplete = false
    record.stopped = Self.hostile
    record.model?.name = Self.hostile
    record.machine.cpu = Self.hostile
    record.warnings = [Self.hostile]
    record.missing = [Self.hostile]
    record.peers = [
      PeerDescription(name: record.cells[0].variant, command: Self.hostile, version: Self.hostile)
    ]
    for index in record.cells.indices {
      record.cells[index].weights = Self.hostile
      record.cells[index].message = Self.hostile
    }
    record.cells[0].status = .died
    record.cells[0].samples = []
    let texts = [
      RunReport(record).markdown, RunReport(record).gitHubComment, CSVReport(record).results,
      CSVReport(record).samples,
      TerminalTable(record, colour: false).text, LlamaBenchReport(record).csv, HTMLReport(record).text,
    ]
    for text in texts {
      #expect(text.unicodeScalars.allSatisfy { $0.isSafe || $0 == "\n" })
    }
    // A code span shows its text letter by letter.
    for text in texts.prefix(2).map({ $0.replacing(/`[^`\n]*`/, with: "") }) {
      #expect(!text.contains("<img") && !text.contains("\n# h") && !text.contains("**m**"))
    }
    #expect(!texts[1].replacing("</details>\n", with: "").contains("</details"))
    #expect(!texts[6].contains("<img"))
  }
}
