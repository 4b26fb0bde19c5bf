import TestSupport
import Testing

@testable import Record
@testable import Reporting

/// What reports show of weights with fewer bits than float32's, and that they show nothing of it elsewhere.
struct QualityReportTests {
  private let run = RunFigures(Fixture.quantized())

  private func row(_ variant: String, _ test: CellTest = Fixture.decode) throws -> RunRow {
    try #require(run.rows.first { $0.cell.variant == variant && $0.cell.test == test })
  }

  @Test func aRowHasTheWorstOfItsChecks() throws {
    let int8 = try row("int8").quality
    expectEqual(int8.kl, 3e-4)
    expectEqual(int8.top1, 1 - 3e-4)
    expectEqual(int8.deltaPerplexity, 3e-4 / 4)
    let exact = try row("naive").quality
    expectEqual(exact, QualityFigures([]))
    expectNil(exact.kl)
  }

  @Test func whatIsOverItsLimitHasNoFigures() throws {
    let int4 = try row("int4")
    #expect(!int4.hasFigures && int4.quality.kl == 0.2)
    expectEqual(int4.check, .failed("tiny: mean KL divergence is 2.0e-01 nats, allowed 1.5e-01"))
    #expect(try row("int8").hasFigures && row("bf16").hasFigures)
  }

  @Test func tablesHaveTheColumnsWhereARecordHasThem() throws {
    let markdown = RunReport(run).markdown
    let lines = markdown.split(separator: "\n")
    let heading = try #require(lines.first { $0.hasPrefix("| variant") })
    expectContains(heading, "| decode tok/s ± CI | KL nats |   top-1 | Δppl % | TPOT ms |")
    let int8 = try #require(lines.first { $0.hasPrefix("| int8") && $0.contains("tg5") })
    expectContains(int8, "| 3.0e-04 | 100.0 % |  0.007 |")
    let naive = try #require(lines.first { $0.hasPrefix("| naive") && $0.contains("tg5") })
    expectContains(naive, "|         |         |        |")
    expectContains(markdown, "**KL** = the mean over positions")
    let terminal = TerminalTable(Fixture.quantized(), colour: false, width: 160).text
    #expect(terminal.contains("  KL") && terminal.contains("top-1") && terminal.contains("Δppl"))
    expectContains(TerminalTable(Fixture.quantized(), colour: false, width: 80).text, "  KL")
    let plain = RunReport(Fixture.small()).markdown
    #expect(!plain.contains("KL nats") && !plain.contains("**KL**") && !plain.contains("top-1"))
    #expect(!TerminalTable(Fixture.small(), colour: false).text.contains("KL"))
  }

  @Test func resultsForSpreadsheetsHaveTheFields() throws {
    let lines = CSVReport(Fixture.quantized()).results.split(separator: "\n").map {
      $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    }
    let keys = ["kl_nats", "top1", "delta_ppl_percent"]
    let places = try keys.map { key in try #require(lines[0].firstIndex(of: key)) }
    let int8 = try #require(lines.first { $0[0] == "int8" })
    expectEqual(places.map { int8[$0] }, ["0.0003", "0.9997", "0.0075"])
    let naive = try #require(lines.first { $0[0] == "naive" })
    expectEqual(places.map { naive[$0] }, ["", "", ""])
    #expect(!CSVReport(Fixture.small()).results.contains("kl_nats"))
  }

  @Test func checksHaveTheColumnsToo() throws {
    let rows = Fixture.quantized().correctness
    let csv = try CheckReport(rows).text(as: .csv).split(separator: "\n")
    #expect(csv[0].hasSuffix("argmax,kl_nats,top1,delta_ppl_percent,check"))
    #expect(csv.contains { $0.hasPrefix("int8,1,tiny,") && $0.hasSuffix(",120/128,0.0003,0.9997,,pass") })
    #expect(csv.contains { $0.hasPrefix("int8,1,text,") && $0.hasSuffix(",,,,0.0075,pass") })
    let json = try CheckReport(rows).text(as: .json)
    #expect(json.contains("\"klNats\" : 0.0003") && json.contains("\"deltaPplPercent\" : 0.0075"))
    let plain = try CheckReport(Fixture.small().correctness).text(as: .csv)
    #expect(!plain.contains("kl_nats"))
  }

  @Test func aCommentHasThemInItsLadder() {
    let comment = RunReport(run).gitHubComment
    expectContains(comment, "against naive | KL nats |   top-1 | Δppl % |")
  }

  @Test func thePageDrawsSpeedAgainstQuality() throws {
    let page = try ParsedPage(Fixture.quantized())
    let section = try #require(page.section("quality"))
    let chart = try #require(
      section.all.first { $0.name == "svg" && $0.attributes["class"] == "narrow" })
    let tips = chart.all.filter { $0.name == "path" }.map(\.text)
    #expect(tips.contains("int8, 1 thread: 990.1 decode tok/s, KL 3.0e-04 nats"))
    #expect(tips.contains("naive, f32, 1 thread: 47.62 decode tok/s, exact"))
    #expect(!tips.contains { $0.contains("int4") })
    let cells = section.all.filter { $0.name == "tr" }.map { $0.children.map(\.text) }
    expectEqual(cells.first, ["variant", "decode tok/s", "KL nats", "top-1", "Δppl %"])
    #expect(cells.contains(["int8, 1 thread", "990.1", "3.0e-04", "100.0 %", "0.007"]))
    try expectNil(ParsedPage(Fixture.small()).section("quality"))
  }

  /// Points that lose nothing stand in a column of their own, left of every other; what loses more is farther right.
  @Test(arguments: [ChartWidth.narrow, .half, .whole])
  func pointsStandInTheOrderOfWhatTheyLose(width: ChartWidth) throws {
    func point(_ index: Int, _ kl: Double?, _ speed: Double) -> QualityChart.Point {
      QualityChart.Point(name: "rung \(index)", kl: kl, speed: speed, style: SeriesStyle(index: index))
    }
    let points = [
      point(0, nil, 1), point(1, 0, 80), point(2, 1e-5, 150), point(3, 3e-4, 250), point(4, 0.03, 400),
    ]
    let marks = QualityChart(points: points, speedTitle: "decode tok/s").drawn(
      width: width.rawValue, id: "x"
    ).marks
    let svg = Markup.element("svg", [:], marks)
    let page = try ParsedPage(Markup.document(.element("html", [:], [svg])))
    let labels = page.root.all.filter { $0.name == "text" }
    let places = try labels.filter { $0.attributes["class"] == "small backed" }.map { label in
      (label.text, try #require(Double(label.attributes["x"] ?? "")))
    }
    expectEqual(places.map(\.0), points.map(\.name))
    let xs = places.map(\.1)
    #expect(xs[0] < xs[2] && xs[1] < xs[2] && xs[2] < xs[3] && xs[3] < xs[4])
    let axis = labels.filter { $0.attributes["class"] == "muted small" }.map(\.text)
    #expect(axis.contains("exact") && axis.contains("0.001") && !axis.contains("0.002"))
  }
}
