import TestSupport
import Testing

@testable import Record
@testable import Reporting

struct ComparisonPageTests {
  /// `kv-cache` decodes slower; everything else is as it was.
  private let slower = Comparison(
    base: Fixture.comparable(), head: Fixture.comparable(Slowdown(kvCacheDecode: 1.25), run: 1),
    baseLabel: "base.json", headLabel: "head.json")

  private func answer(_ page: ParsedPage) -> String? {
    page.all("p").first { $0.attributes["class"] == "answer" }?.text
  }

  @Test func thePageAnswersFirstAndHasEverySection() throws {
    let page = try ParsedPage(slower.html)
    expectEqual(page.all("h1").map(\.text), ["Comparison of two runs"])
    expectEqual(
      answer(page),
      "Head is worse in 1 of 10 rows, most in decode tok/s of kv-cache on tg5 @ d64: 0.800 times as good as base."
    )
    expectEqual(
      page.all("section").compactMap { $0.attributes["id"] }, ["ratios", "rows", "means", "method"])
    expectEqual(page.all("article").count, 5, "a card a metric")
    expectContains(page.root.text, "A change counts from 5 %")
    // The row that regressed, then the nine others with a heading of their own.
    expectEqual(page.section("rows")?.all.count { $0.name == "tr" }, 12)
    expectEqual(page.section("rows")?.all.first { $0.name == "summary" }?.text, "9 other rows")
    expectContains(page.all("footer")[0].text, "'gpt2-bench compare BASE HEAD --format html'")
  }

  @Test func everyMetricHasAChartWithAMarkARow() throws {
    let charts = try #require(ParsedPage(slower.html).section("ratios")).all.filter { $0.name == "svg" }
    expectEqual(charts.count, 5, "one for a phone and a desktop: they stand three in a row")
    #expect(charts.allSatisfy { $0.attributes["role"] == "img" })
    let marks = charts.flatMap(\.all).compactMap { $0.attributes["class"] }
    expectEqual(marks.count { $0 == "mark worse" }, 2, "the row and the legend")
    expectEqual(marks.count { $0 == "whisker" }, 8, "peak memory is one value a process")
    expectContains(charts[0].text, "kv-cache t1, tg5 @ d64", "0.800 (0.797 to 0.803)")
  }

  @Test func nothingThatChangedAndNothingToCompareAreSaid() throws {
    let same = Comparison(base: Fixture.comparable(), head: Fixture.comparable(run: 1))
    expectEqual(
      answer(try ParsedPage(same.html)),
      "Nothing changed: all 10 rows are within their thresholds.")
    let none = try ParsedPage(Comparison(base: Fixture.record(), head: Fixture.record()).html)
    expectEqual(answer(none), "Nothing could be compared.")
    expectNil(none.section("ratios"))
    expectNil(none.section("rows"))
  }

  @Test func anImprovementIsNamedByItsLargest() throws {
    let swapped = Comparison(
      base: Fixture.comparable(Slowdown(kvCacheDecode: 1.25)), head: Fixture.comparable(run: 1))
    let text = try #require(answer(ParsedPage(swapped.html)))
    #expect(
      text.hasPrefix("Head is better in 1 of 10 rows, most in decode tok/s of kv-cache on tg5 @ d64: 1.2"))
  }

  @Test func textOfARecordNeverBecomesMarkup() throws {
    let hostile = "<script>alert(1)</script>"
    var (base, head) = (Fixture.comparable(), Fixture.comparable(run: 1))
    for index in base.cells.indices where base.cells[index].variant == "naive" {
      base.cells[index].variant = hostile
      head.cells[index].variant = hostile
    }
    let text = Comparison(base: base, head: head, baseLabel: hostile, headLabel: hostile).html
    #expect(!text.contains("<script"))
    try expectContains(ParsedPage(text).root.text, hostile)
  }
}
