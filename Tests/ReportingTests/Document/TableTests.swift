import Statistics
import TestSupport
import Testing

@testable import Record
@testable import Reporting

struct TableTests {
  @Test func markdownIsAlignedAndEscaped() {
    let table = Table(
      [.init("name", .left), .init("value"), .init("a|b"), .init("note", .left, isOptional: true)],
      rows: [
        [.init("a|b\nc"), .init("1"), .init(""), .init("")],
        [.init(.code("x|y")), .init("**22**" as Prose), .init("3"), .init("")],
      ])
    expectEqual(
      table.markdown,
      #"""
      | name   |  value | a\|b |
      | ------ | -----: | ---: |
      | a\|b c |      1 |      |
      | `x\|y` | **22** |    3 |
      """#)
    expectEqual(Table([.init("a"), .init("", .left)]).markdown, "|   a |     |\n| --: | --- |")
  }

  @Test func optionalColumnsStayWhereSomethingStandsInThem() {
    let headings: [Table.Heading] = [.init("a"), .init("b", isOptional: true), .init("c")]
    let table = Table(headings, rows: [["1", "", ""], ["2", "x", ""]].map { $0.map { .init($0) } })
    expectEqual(table.withoutEmptyColumns.headings.map(\.text.plain), ["a", "b", "c"])
    let empty = Table(headings, rows: [[.init("1"), .init(""), .init("")]]).withoutEmptyColumns
    expectEqual(empty.headings.map(\.text.plain), ["a", "c"])
    expectEqual(empty.rows[0].map(\.text.plain), ["1", ""])
  }

  private let ranked = Table(
    [
      .short("name", "", .left, canShorten: true), .short("time", "ms"), .short("rate", "tok/s", rank: 1),
      .short("empty"), .short("note", "", .left, rank: 2),
    ],
    rows: [
      [.init("a-rather-long-name"), .init("12.5"), .init("80"), .init(""), .init("**fine**" as Prose)],
      [.init("b"), .init("3", isBold: true), .init("333.3"), .init(""), .init("")],
    ])

  @Test func aTerminalGetsUnitsUnderHeadingsAndWhatFits() {
    expectEqual(
      ranked.terminal(colour: false, width: 37),
      """
      name                time   rate  note
                            ms  tok/s
      a-rather-long-name  12.5     80  fine
      b                      3  333.3
      """)
    // The highest rank goes first.
    expectEqual(
      ranked.terminal(colour: false, width: 36),
      """
      name                time   rate
                            ms  tok/s
      a-rather-long-name  12.5     80
      b                      3  333.3
      """)
    // Names are shortened when nothing more can be left out.
    expectEqual(
      ranked.terminal(colour: false, width: 20),
      """
      name            time
                        ms
      a-rathe…g-name  12.5
      b                  3
      """)
    expectContains(ranked.terminal(colour: false, width: 1), "\na-ra…ame  12.5\n")
    #expect(ranked.terminal(colour: true, width: 20).hasSuffix("\nb               \u{1B}[1m   3\u{1B}[0m"))
    #expect(Table(ranked.headings).terminal(colour: false, width: 80).isEmpty)
    #expect(ranked.markdown.hasPrefix("| name               | time ms | rate tok/s | empty | note     |\n"))
  }

  @Test func barsTakeWhatIsLeft() {
    func table(_ entries: Table.Entry.Content...) -> Table {
      Table(
        [.short("name", "", .left), .short("share", "", .left)],
        rows: zip("abc", entries).map { [.init(String($0)), .init($1)] })
    }
    let bars = table(.bar(share: 1), .bar(share: 0.5), .bar(share: 0))
    expectEqual(
      bars.terminal(colour: false, width: 19),
      """
      name  share
      a     █████████████
      b     ██████▌
      c
      """)
    let longest = bars.terminal(colour: false, width: 100).split(separator: "\n")[1]
    expectEqual(longest, "a     " + String(repeating: "█", count: 40))
    expectContains(bars.terminal(colour: false, width: 3), "\na     ███████\n")
    expectContains(bars.markdown, "| b    | ████████████             |\n")
    expectEqual(
      table(
        .span(from: 0.25, to: 0.75, grows: false), .span(from: 0.75, to: 0.5, grows: true),
        .span(from: 0.5, to: 0.51, grows: true)
      ).terminal(colour: false, width: 14),
      """
      name  share
      a       ████
      b         ▒▒
      c         ▏
      """)
  }

  @Test func aPageEscapesTextAndMarksWhatFailed() {
    let table = Table(
      [.init("<a>", .left), .init("b")], rows: [[.init("x & `y`"), .init("FAIL", isBad: true)]])
    expectEqual(
      Markup.blocks([.table(table, label: "\"t\"")]).source,
      """
      <div class="scroll" tabindex="0" role="region" aria-label="&quot;t&quot;"><table><thead><tr>\
      <th scope="col" class="l">&lt;a&gt;</th><th scope="col" class="r">b</th></tr></thead><tbody><tr>\
      <th scope="row" class="l">x &amp; `y`</th><td class="r fail">FAIL</td></tr></tbody></table></div>
      """)
  }

  @Test(arguments: [
    ("plain", "plain"), ("a,b", "\"a,b\""), ("say \"so\"", "\"say \"\"so\"\"\""),
    ("two\nlines", "\"two\nlines\""),
    ("two\r\nlines", "\"two\r\nlines\""), ("", ""),
  ])
  func fieldsAreQuotedAsInRFC4180(field: String, quoted: String) {
    expectEqual(CSV.text([field], [["x"]]), quoted + "\nx\n")
  }
}

struct ColumnTests {
  private struct Item {
    var name: String?
    var count: Int?
    var figure: Figure?
    var times: Percentiles?
  }

  private let columns: [Column<Item>] = [
    Column(heading: .init("name", .left), key: "name", reading: .text { $0.name }),
    Column(heading: .init("n"), key: "n", reading: .integer { $0.count }),
    Column(
      heading: .short("rate", "tok/s"), key: "tok_per_s", reading: .figure { $0.figure }, showsInterval: true),
    Column(heading: .short("ITL", "ms"), key: "itl", reading: .percentiles { $0.times }),
  ]

  private let items = [
    Item(
      name: "a, \"b\"", count: 3, figure: Figure(value: 80, interval: Interval(lower: 79, upper: 82)),
      times: Percentiles([1, 1, 1])), Item(),
  ]

  @Test func oneReadingForPeopleAndForMachines() {
    expectEqual(
      CSV.text(columns, items),
      #"""
      name,n,tok_per_s,tok_per_s_ci_low,tok_per_s_ci_high,itl_p50_ms,itl_p90_ms,itl_p99_ms
      "a, ""b""",3,80,79,82,1,1,1
      ,,,,,,,

      """#)
    expectEqual(
      Table(columns, items).markdown,
      """
      | name   |   n |       rate tok/s |                ITL ms |
      | ------ | --: | ---------------: | --------------------: |
      | a, "b" |   3 | 80.0 (79.0–82.0) | 1.000 / 1.000 / 1.000 |
      |        |     |                  |                       |
      """)
    expectEqual(columns.map { $0.magnitude(items[0]) }, [nil, 3, 80, 1])
  }

  private static let styles: [(Column<Double>.Style, String)] = [
    (.plain, "0.1235"), (.significant(2), "0.12"), (.factor, "0.123×"), (.scientific, "1.2e-01"),
    (.decimals(1), "0.1"), (.percent, "12.3 %"),
  ]

  @Test func numbersHaveTheirStyle() {
    for (style, text) in Self.styles {
      let column = Column<Double>(
        heading: .init("x"), key: "x", reading: .number { $0 }, style: style)
      expectEqual(column.display(0.123_456).plain, text)
      expectEqual(CSV.text([column], [0.123_456]), "x\n0.123456\n")
    }
  }
}

struct TextWrappingTests {
  @Test func linesBreakBetweenWordsAndHang() {
    expectEqual("one two three four".wrapped(to: 9), "one two\n  three\n  four")
    expectEqual("one two three four".wrapped(to: 9, indent: 0), "one two\nthree\nfour")
    expectEqual("short".wrapped(to: 9), "short")
    expectEqual("".wrapped(to: 9), "")
  }

  @Test func aWordThatIsTooLongIsBroken() {
    expectEqual("a bcdefghijk l".wrapped(to: 5), "a\n  bcd\n  efg\n  hij\n  k l")
    expectEqual("abcdefgh".wrapped(to: 5), "abcde\n  fgh")
  }

  @Test func namesKeepBothEnds() {
    expectEqual("llama.cpp-f16".shortened(to: 9), "llam…-f16")
    expectEqual("packed".shortened(to: 6), "packed")
    expectEqual("packed".shortened(to: 5), "pa…ed")
  }
}
