import TestSupport
import Testing

@testable import Record
@testable import Reporting

struct ProseTests {
  private static let literals: [(Prose, markup: String, markdown: String)] = [
    ("a `b` **c**", "a <code>b</code> <strong>c</strong>", "a `b` **c**"),
    (
      "**`packed` is <fast>**", "<strong><code>packed</code> is &lt;fast&gt;</strong>",
      "**`packed` is <fast>**"
    ),
    ("**a** and **`b`**", "<strong>a</strong> and <strong><code>b</code></strong>", "**a** and **`b`**"),
    ("`**`", "<code>**</code>", "`**`"),
    ("", "", ""),
  ]

  @Test(arguments: literals)
  func marksOfALiteral(prose: Prose, markup: String, markdown: String) {
    expectEqual(Markup.prose(prose).source, markup)
    expectEqual(prose.markdown, markdown)
  }

  private static let unclosed: [(Prose, String)] = [
    ("2 * 3 ** 4", "2 * 3 ** 4"), ("`open", "`open"), ("a **open `code`", "a **open <code>code</code>"),
    ("**a `b** c`", "**a <code>b** c</code>"), ("`a` `b", "<code>a</code> `b"),
    ("**a** **b", "<strong>a</strong> **b"),
  ]

  @Test(arguments: unclosed)
  func marksWithoutAPartnerAreThemselves(prose: Prose, markup: String) {
    expectEqual(Markup.prose(prose).source, markup)
  }

  /// Names and messages of a record: no mark of theirs pairs with another, and a page shows them letter by letter.
  @Test func whatIsInterpolatedIsInert() {
    for (text, inert) in [
      ("**bold**", "\\*\\*bold\\*\\*"), ("`code`", "\\`code\\`"), ("**", "\\*\\*"), ("`", "\\`"),
      ("<b>&amp;\"'", "&lt;b>&amp;amp;\"'"), ("* a", "\\* a"), ("a | b", "a | b"),
    ] {
      let escaped = text.replacing("&", with: "&amp;").replacing("<", with: "&lt;")
        .replacing(">", with: "&gt;").replacing("\"", with: "&quot;").replacing("'", with: "&#39;")
      let plain: Prose = "x \(text) `y`"
      expectEqual(Markup.prose(plain).source, "x \(escaped) <code>y</code>")
      expectEqual(plain.markdown, "x \(inert) `y`")
      expectEqual(Markup.prose(Prose(text)).source, escaped)
      expectEqual(Markup.prose("**\(text)**").source, "<strong>\(escaped)</strong>")
      expectEqual(Markup.prose("`\(text)`").source, "<code>\(escaped)</code>")
      expectEqual(Markup.prose(.code(text)).source, "<code>\(escaped)</code>")
      let unclosed: Prose = "**\(text) `\(text)"
      expectEqual(unclosed.plain, "**\(text) `\(text)")
      expectEqual(unclosed.markdown, "**\(inert) `\(inert)")
    }
  }

  @Test func aLineStaysALine() {
    let text = "two\nlines\r\n"
    for prose: Prose in [Prose(text), "\(text)", "`\(text)`", .code(text)] {
      expectEqual(prose.plain, "two lines")
    }
  }

  @Test func numbersAreText() {
    #expect(("\(3) of \(4.5)" as Prose).markdown == "3 of 4.5")
  }

  @Test func aLineWithinALineKeepsItsMarks() {
    let name: Prose = "`simd8` (2 threads)"
    #expect(
      ("**\(name) is fastest**, \(name)" as Prose).markdown
        == "**`simd8` (2 threads) is fastest**, `simd8` (2 threads)")
    expectEqual(
      Markup.prose("**\(name) is fastest**").source,
      "<strong><code>simd8</code> (2 threads) is fastest</strong>")
    #expect(("a \("**b**" as Prose) c" as Prose).markdown == "a **b** c")
    // A mark that the inner line leaves open does not pair with one of the outer.
    let open: Prose = "`open"
    expectEqual(Markup.prose("\(open) `code`").source, "`open <code>code</code>")
    #expect(("\("" as Prose)" as Prose).isEmpty)
  }

  @Test func linesAreAddedAndJoined() {
    let bold: Prose = "**a**"
    #expect((bold + " `b`").markdown == "**a** `b`")
    #expect(([bold, "", "c"] as [Prose]).joined(separator: ", ").markdown == "**a**, c")
    #expect(([] as [Prose]).joined(separator: ", ").isEmpty)
    #expect(("a **b `c`** d" as Prose).plain == "a b c d")
    #expect(("a **b `c`** d" as Prose).stretches.map(\.count) == [1, 2, 1])
  }
}
