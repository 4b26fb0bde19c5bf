import TestSupport
import Testing

@testable import Record
@testable import Reporting

struct HTMLReportTests {
  @Test func theFirstScreenSaysWhoIsFastestByHowMuchAndWhatLimitsIt() throws {
    let page = try ParsedPage(Fixture.withPhases())
    let header = try #require(page.all("header").first)
    let words = header.text
    expectContains(
      words,
      "kv-cache is fastest: 476 tok/s at decode, 10.0 times as fast as naive, and 6100 tok/s at prefill, 3.90 times as fast."
    )
    expectContains(
      words, "Decode: 5 new tokens after a prompt of 64, tg5 @ d64", "It is 10.0 times as fast as naive.")
    expectContains(
      words,
      "It reaches 2.86 % of what memory (DRAM) allows: a better kernel could be up to 35.0 times as fast.")
    expectContains(
      words, "The longest part is MLP up: 60.0 % of 1.00 ms a token after 64 tokens.",
      "A token comes every 2.10 ms; one in a hundred takes over 2.20 ms.", "synthetic:tiny on Example CPU",
      "2 of 2 variants passed every correctness check.")
  }

  @Test func aLeadThatChanceMightHaveMadeIsNotCalledOne() throws {
    var record = Fixture.record(cells: [
      Fixture.decodeCell("a", stepMilliseconds: [2, 3, 4]),
      Fixture.decodeCell("b", stepMilliseconds: [2.1, 3.1, 4.1]),
    ])
    record.correctness = [Fixture.passedCheck("a"), Fixture.passedCheck("b")]
    let words = try ParsedPage(record).all("header")[0].text
    expectContains(
      words, "a is ahead, but not for certain: 330 tok/s at decode.",
      "This run does not settle which of the two is faster.")
    #expect(!words.contains("is fastest"))
  }

  @Test func everyChartHasATitleADescriptionAndARole() throws {
    for record in [Fixture.small(), Fixture.withPhases(), Fixture.gemm(), Fixture.troubled()] {
      let page = try ParsedPage(record)
      let charts = page.all("svg")
      #expect(!charts.isEmpty)
      for chart in charts {
        expectEqual(chart.attributes["role"], "img")
        let names = (chart.attributes["aria-labelledby"] ?? "").split(separator: " ").map(String.init)
        let described = chart.children.prefix(2)
        expectEqual(described.map(\.name), ["title", "desc"])
        expectEqual(described.map { $0.attributes["id"] ?? "" }, names)
        #expect(described.allSatisfy { !$0.text.isEmpty })
        let width = chart.attributes["class"] == "wide" ? ["560", "1160"] : ["360"]
        #expect(width.contains { chart.attributes["viewBox"]?.hasPrefix("0 0 \($0) ") == true })
      }
      let ids = page.root.all.compactMap { $0.attributes["id"] }
      expectEqual(Set(ids).count, ids.count)
    }
  }

  @Test func nothingIsFetchedAndNothingRuns() throws {
    let page = try ParsedPage(Fixture.withPhases())
    #expect(page.all("script").isEmpty && page.all("img").isEmpty && page.all("iframe").isEmpty)
    for element in page.root.all {
      for (name, value) in element.attributes {
        #expect(!name.hasPrefix("on"))
        if ["href", "src", "action"].contains(name) {
          #expect(value.hasPrefix("#") || value.hasPrefix("data:"), "\(element.name) \(name)=\(value)")
        }
        #expect(name == "xmlns" || !value.contains("://"), "\(element.name) \(name)=\(value)")
      }
    }
    let css = page.all("style").map(\.text).joined()
    #expect(!css.contains("@import") && !css.contains("http") && !css.contains("url("))
    let policy = page.all("meta").first { $0.attributes["http-equiv"] == "Content-Security-Policy" }
    expectEqual(policy?.attributes["content"]?.hasPrefix("default-src 'none'"), true)
  }

  @Test func textOfTheRecordNeverBecomesMarkup() throws {
    let hostile = "<script>alert(1)</script>\"' onload=x & ]]> \u{1B}[1m\u{0}"
    var record = Fixture.withPhases()
    record.model?.name = hostile
    record.machine.cpu = hostile
    record.warnings = [hostile]
    record.command = ["gpt2-bench", "all", "--model", hostile]
    record.settings.suite = hostile
    for index in record.cells.indices where record.cells[index].variant == "kv-cache" {
      record.cells[index].variant = hostile
      record.cells[index].weights = hostile
      record.cells[index].message = hostile
    }
    for index in record.profiles?.indices ?? 0..<0 { record.profiles?[index].variant = hostile }
    record.correctness[1].variant = hostile
    record.correctness[1].reference = hostile
    record.peers = [PeerDescription(name: hostile, command: hostile, version: hostile)]
    let text = HTMLReport(record).text
    #expect(!text.contains("<script"))
    #expect(!text.unicodeScalars.contains { $0.value < 0x20 && $0 != "\n" && $0 != "\t" })
    let page = try ParsedPage(text)
    #expect(page.all("script").isEmpty)
    expectContains(
      page.all("h1")[0].text, "<script>alert(1)</script>\"' onload=x & ]]> \\u{1B}[1m\\u{0}")
    #expect(page.root.all.allSatisfy { $0.attributes["onload"] == nil })
    expectEqual(page.section("roofline")?.text.contains("alert(1)"), true)
  }

  @Test func sectionsWithoutDataAreLeftOutOrSayWhy() throws {
    let page = try ParsedPage(Fixture.small())
    expectEqual(page.section("phases")?.text.contains("holds no profile"), true)
    expectEqual(page.section("phases")?.all.contains { $0.name == "svg" }, false)
    var bare = Fixture.record(cells: [Fixture.emptyCell("simd8", .hung, message: "no answer in 60 s")])
    bare.ceilings = []
    bare.model = nil
    let empty = try ParsedPage(bare)
    #expect(empty.all("svg").isEmpty)
    expectContains(empty.all("header")[0].text, "No variant has a figure.")
    expectContains(
      empty.all("header")[0].text, "simd8 (1 thread) has no figures on tg5 @ d64: its process hung")
    for id in ["ladder", "roofline", "course", "memory", "samples"] {
      expectNil(empty.section(id), "\(id)")
    }
    #expect(try ParsedPage(Fixture.record()).all("svg").isEmpty)
  }

  @Test func aProfileShowsPhasesRooflinePointsAndTheirFigures() throws {
    let page = try ParsedPage(Fixture.withPhases())
    let phases = try #require(page.section("phases"))
    let charts = phases.all.filter { $0.name == "svg" && $0.attributes["class"] == "narrow" }
    expectEqual(charts.count, 4)
    let tips = charts[0].all.filter { $0.name == "rect" }.map(\.text)
    #expect(tips.contains("kv-cache, 1 thread, MLP up: 0.600 ms, 60.0 %"))
    #expect(tips.contains("kv-cache, 1 thread, pool wait: 0.150 ms, 15.0 %"))
    #expect(tips.contains("kv-cache, 1 thread, unexplained: 0.0500 ms, 5.0 %"))
    let cells = phases.all.filter { $0.name == "td" }.map(\.text)
    #expect(cells.contains("0.600, 60.0 %"))
    #expect(cells.contains("+1.0 %"))
    let roofline = try #require(page.section("roofline"))
    let plots = roofline.all.filter { $0.name == "svg" && $0.attributes["class"] == "narrow" }
    let points = plots.flatMap(\.all).filter { $0.name == "path" }.map(\.text).filter {
      $0.contains("FLOP/B")
    }
    expectEqual(points.count, 8)
    // Both layers' 2 MFLOP in 0.6 ms and 0.15 ms of waiting; 4 FLOP a byte.
    #expect(points.contains("kv-cache, 1 thread, MLP up: 4.00 FLOP/B, 2.667 GFLOP/s"))
  }

  @Test func gemmsHaveALadderAShapeAndTheirRoofline() throws {
    let page = try ParsedPage(Fixture.gemm())
    let header = page.all("header")[0].text
    expectContains(
      header, "GEMM on Example CPU", "simd8 is fastest: ", "GFLOP/s on 1x100x200",
      "FAILED its correctness check: simd8")
    expectEqual(page.section("ladder")?.all.filter { $0.name == "figure" }.count, 2)
    expectEqual(page.section("roofline")?.all.filter { $0.name == "figure" }.count, 1)
    expectNil(page.section("course"))
    expectNil(page.section("phases"))
    expectEqual(page.section("samples")?.text.contains("calls"), true)
  }

  @Test func overManyShapesTheAnswerIsARange() throws {
    let cells = [1, 2, 4].flatMap { m in
      [
        Fixture.gemmCell("naive", m: m, milliseconds: [8, 8, 8]),
        Fixture.gemmCell("simd8", m: m, milliseconds: [4, 4, 4].map { $0 / Double(m) }),
      ]
    }
    let page = try ParsedPage(Fixture.record(kind: .matmul, cells: cells))
    expectContains(
      page.all("header")[0].text,
      "simd8 is fastest on 3 of 3 tests, 2.00 to 8.00 times as fast as naive.")
  }

  @Test func everySampleAndTheCommandAreThere() throws {
    var record = Fixture.small()
    record.command.append("a b")
    let page = try ParsedPage(record)
    let samples = try #require(page.section("samples"))
    let rows = samples.all.filter { $0.name == "tr" }
    expectEqual(rows.count, 13)
    expectEqual(
      rows[1].children.map(\.text), ["naive, 1 thread", "pp64", "0", "0", "41.000", "40.000", "41.000", ""])
    expectEqual(
      rows[4].children.map(\.text),
      [
        "naive, 1 thread", "tg5 @ d64", "0", "0", "92.000", "11.000", "12.000", "20.000 20.000 20.000 20.000",
      ])
    expectEqual(
      page.section("method")?.all.first { $0.name == "pre" }?.text,
      "gpt2-bench all --model synthetic:tiny 'a b'")
  }

  @Test func aLargeRunStaysUnderTwoMegabytes() throws {
    let text = HTMLReport(Fixture.large()).text
    #expect(text.utf8.count < 2_000_000, "\(text.utf8.count) bytes")
    expectContains(text, "23.457 23.457")
    let endless = HTMLReport(Fixture.large(tokens: 400)).text
    #expect(endless.utf8.count < 2_000_000, "\(endless.utf8.count) bytes")
    let samples = try #require(try ParsedPage(endless).section("samples"))
    #expect(samples.text.contains("`") == false && samples.text.contains("samples.csv"))
    expectEqual(samples.all.filter { $0.name == "tr" }.count, 1441)
  }

  /// Each button has a rule that hides the rows of the others, and each row is one button's of each column.
  @Test func theButtonsOverTheSamplesChooseRowsWithoutAScript() throws {
    let page = try ParsedPage(Fixture.small())
    let samples = try #require(page.section("samples"))
    let buttons = samples.all.filter { $0.name == "input" }.map { $0.attributes["class"] ?? "" }
    expectEqual(buttons, ["c0", "c0-0", "c0-1", "c1", "c1-0", "c1-1"])
    let css = page.all("style").map(\.text).joined()
    for button in buttons where button.count > 2 {
      expectContains(css, "input.\(button):checked) tbody tr:not(.\(button)) { display: none; }")
    }
    let rows = samples.all.filter { $0.name == "tr" }.compactMap { $0.attributes["class"] }
    expectEqual(Set(rows), ["c0-0 c1-0", "c0-0 c1-1", "c0-1 c1-0", "c0-1 c1-1"])
  }

  @Test func nearlyEqualMemoryIsASentenceAndOtherMemoryBars() throws {
    let alike = try #require(try ParsedPage(Fixture.small()).section("memory"))
    expectContains(alike.text, "All 2 processes need nearly the same memory: 50 MiB at most")
    #expect(!alike.all.contains { $0.name == "svg" })
    var record = Fixture.small()
    for index in record.cells.indices where record.cells[index].variant == "naive" {
      record.cells[index].peakMemoryBytes = 70 << 20
    }
    let bars = try #require(try ParsedPage(record).section("memory"))
    #expect(bars.all.contains { $0.name == "svg" } && !bars.text.contains("nearly the same"))
  }

  /// A page may be 8000 pixels tall, and `scripts/check_html_report.sh` measures it; what is long is folded.
  @Test func whatIsLongIsFolded() throws {
    let page = try ParsedPage(Fixture.withPhases())
    for id in ["samples", "machine", "memory", "correctness"] {
      let section = try #require(page.section(id))
      let folded = section.all.filter { $0.name == "details" }.flatMap(\.all).filter { $0.name == "table" }
      #expect(section.all.filter { $0.name == "table" }.count == folded.count && !folded.isEmpty, "\(id)")
    }
  }

  @Test func pointsAboveTheLineOfMemoryAreExplained() throws {
    let page = try ParsedPage(Fixture.withPhases())
    let notes = page.section("roofline")?.all.filter { $0.name == "small" }.map(\.text) ?? []
    #expect(!notes.isEmpty && !notes.contains { $0.contains("above the DRAM line") })
    var record = Fixture.withPhases()
    record.ceilings = record.ceilings.map {
      Ceiling(threads: $0.threads, fmaGFLOPS: $0.fmaGFLOPS, dramGBPerSecond: 0.01)
    }
    let slow = try ParsedPage(record).section("roofline")?.text ?? ""
    expectContains(slow, "Points above their own roof: ")
  }

  @Test func aTroubledRunSaysSoFirst() throws {
    let header = try ParsedPage(Fixture.troubled()).all("header")[0]
    let notices = header.all.filter { $0.attributes["class"]?.hasPrefix("notice") == true }.map(\.text)
    expectEqual(notices.count, 2)
    expectContains(
      notices[0], "FAILED its correctness check: simd8",
      "threaded (1 thread) has no figures on tg5 @ d64: its process hung")
    expectContains(notices[1], "The run is incomplete: ", "The build is a debug build.")
  }
}
