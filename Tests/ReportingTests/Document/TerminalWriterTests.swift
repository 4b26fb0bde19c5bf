import TestSupport
import Testing

@testable import Record
@testable import Reporting

struct TerminalWriterTests {
  /// No line is wider than the terminal, whatever its width, with how it came about and without.
  @Test(arguments: [60, 80, 100, 132], [false, true])
  func linesFit(_ width: Int, _ isVerbose: Bool) {
    let comparison = Comparison(
      base: Fixture.comparable(), head: Fixture.comparable(Slowdown(kvCacheDecode: 1.3), run: 1),
      baseLabel: "runs/of/a/folder/with/a/long/name/record.json")
    var texts = [comparison.terminal(colour: false, width: width, isVerbose: isVerbose)]
    for record in [Fixture.troubled(), Fixture.small(), Fixture.gemm(), Fixture.operations()] {
      texts.append(RunReport(record).terminal(colour: false, width: width, isVerbose: isVerbose))
    }
    for text in texts {
      for line in text.split(separator: "\n") {
        #expect(line.count <= width, "\(line)")
      }
    }
  }

  @Test func aComparisonSaysWhatRegressedAndLeavesTheMethodToVerbose() {
    let comparison = Comparison(
      base: Fixture.comparable(), head: Fixture.comparable(Slowdown(kvCacheDecode: 1.3), run: 1))
    let text = comparison.terminal(colour: false, width: 80, isVerbose: false)
    #expect(text.contains("1 regressed") && text.contains("kv-cache t1"))
    #expect(text.contains("--verbose") && !text.contains("Holm"))
    expectContains(comparison.terminal(colour: false, width: 80, isVerbose: true), "Holm")
    expectContains(comparison.terminal(colour: true, width: 80, isVerbose: false), "\u{1B}[1m")
  }

  @Test func aLastColumnOfTextIsBrokenBetweenWords() {
    let table = Table(
      [.init("name", .left), .init("what", .left)],
      rows: [[.init("one"), .init("a text of several words that go on")], [.init("two"), .init("short")]])
    expectEqual(
      table.terminal(colour: false, width: 30),
      """
      name  what
      one   a text of several words
            that go on
      two   short
      """)
    expectEqual(table.terminal(colour: false, width: 60).split(separator: "\n").count, 3)
  }

  /// Names are shortened to make room for bars, and columns are left out before the last one where nothing else helps.
  @Test func aLastColumnOfBarsStaysABar() {
    let table = Table(
      [.short("", "", .left, canShorten: true), .short("time", "ms"), .short("", "", .left)],
      rows: [[.init("a name of many letters"), .init("12.5"), .init(.bar(share: 1))]])
    expectEqual(
      table.terminal(colour: false, width: 24).split(separator: "\n").last, "a na…ters  12.5  ███████")
    #expect(table.terminal(colour: false, width: 19).split(separator: "\n").allSatisfy { $0.count <= 19 })
  }

  @Test func rowsOfTwoTextsAreBrokenLikewise() {
    let rows = [["name", "a text of several words"], ["other", "short"]]
    expectEqual(
      alignedColumns(rows, within: 20), ["name   a text of\n       several words", "other  short"])
    expectEqual(alignedColumns(rows), ["name   a text of several words", "other  short"])
  }

  @Test func rankingIsOfTheFirstTestFastestFirst() {
    expectEqual(Fixture.comparable().ranking, ["kv-cache", "naive"])
    #expect(Fixture.record().ranking.isEmpty)
  }
}
