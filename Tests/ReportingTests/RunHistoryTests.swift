import Foundation
import Record
import TestSupport
import Testing

@testable import Reporting

struct RunHistoryTests {
  /// A run of the second day of January at `hour`, its prompts of so many milliseconds.
  private func run(_ hour: Int, milliseconds: Double) -> Record {
    let times = [Double](repeating: milliseconds, count: 3)
    var record = Fixture.record(cells: [Fixture.prefillCell("naive", milliseconds: times)])
    record.started = "2026-01-02T0\(hour):00:00Z"
    record.build.commit = "commit\(hour)"
    return record
  }

  @Test func rowsGoFromTheOldestRunToTheNewest() throws {
    let records = [run(3, milliseconds: 4), run(1, milliseconds: 8), run(2, milliseconds: 8)]
    let history = try #require(RunHistory(records))
    let lines = try history.text(as: .csv).split(separator: "\n")
    expectEqual(lines.count, 4)
    let commits = ["commit1", "commit2", "commit3"]
    for (line, (commit, rate)) in zip(lines.dropFirst(), zip(commits, [8000.0, 8000, 16000])) {
      expectContains(line, ",\(commit),naive,f32,1,pp64,prefill tok/s,tok/s,\(Int(rate)),")
    }
    let json = try JSONDecoder().decode(JSONValue.self, from: Data(history.text(as: .json).utf8))
    guard case .object(let members) = json, case .array(let points) = members["points"] else {
      Issue.record("no points")
      return
    }
    expectEqual(points.count, 3)
    let markdown = try history.text(as: .markdown)
    expectContains(markdown, "# 3 runs of ")
    #expect(markdown.contains("▁▁█") && markdown.contains(" 2.000 |"))
  }

  @Test func thePageSaysWhatTheNewestRunChangedAndDrawsIt() throws {
    let records = [run(1, milliseconds: 8), run(2, milliseconds: 8), run(3, milliseconds: 4)]
    let page = try ParsedPage(#require(RunHistory(records)).text(as: .html))
    let answer = page.all("p").first { $0.attributes["class"] == "answer" }?.text
    expectEqual(
      answer,
      "The newest run is faster than the oldest in 1 of 1 row. naive on pp64 changed most: it is 2.000 times as fast."
    )
    expectEqual(page.all("section").compactMap { $0.attributes["id"] }, ["trends", "runs", "method"])
    let chart = try #require(page.section("trends")?.all.first { $0.name == "svg" })
    let texts = chart.all.filter { $0.name == "text" }.map(\.text)
    #expect(texts.contains("-2") && texts.contains("0") && !texts.contains("-1.5"))
    let alone = try ParsedPage(#require(RunHistory([run(1, milliseconds: 8)])).text(as: .html))
    #expect(alone.all("p")[0].text.contains("a trend needs two") && alone.section("trends") == nil)
  }

  @Test func everyFormatButThePageIsThatOfTheSameName() {
    for format in PageFormat.allCases {
      #expect(format.result?.rawValue == (format == .html ? nil : format.rawValue))
    }
    expectEqual(PageFormat.allCases.compactMap(\.result), ResultFormat.allCases)
  }

  @Test func noiseStaysFlatAndAGapIsASpace() {
    let test = Test.prefill(tokens: 8, batch: 1)
    func trend(_ values: [Double?]) -> String {
      let place = HistoryRow.Place(
        contestant: MeasuredVariant(variant: "naive", weights: "f32", threads: 1), test: test)
      return HistoryRow(place: place, figures: values.map { $0.map { Figure(value: $0) } }).trend
    }
    expectEqual(trend([100, 100, 100]), "▅▅▅")
    expectEqual(trend([99, nil, 101]), "▄ ▅")
    expectEqual(trend([50, 100]), "▁█")
  }

  @Test func otherWorkAndOtherMachinesAreLeftOut() throws {
    var elsewhere = run(1, milliseconds: 8)
    elsewhere.machine.cpu = "another CPU"
    let history = try #require(RunHistory([elsewhere, run(2, milliseconds: 8), run(3, milliseconds: 8)]))
    let text = try history.text(as: .markdown)
    #expect(text.contains("# 2 runs of ") && text.contains("1 record of other work"))
    expectNil(RunHistory([]))
  }
}
