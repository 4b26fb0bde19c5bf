import Foundation
import Record
import TestSupport
import Testing

@testable import Reporting

struct PerplexityReportTests {
  private func report(_ names: [String]) -> PerplexityReport {
    PerplexityReport(
      model: "m", text: "a, b.txt", context: 256, stride: 128, wholeWindows: false, tokens: 1001,
      scoredTokens: 1000,
      scoredBytes: 2000,
      results: names.enumerated().map { index, name in
        PerplexityReport.Result(
          variant: name, weights: "f32", threads: 2, natsPerToken: 3.25 + 1e-6 * Double(index),
          perplexity: 25.79, bitsPerByte: index == 0 ? 2.5 : nil, seconds: 0.5, tokensPerSecond: 2000)
      })
  }

  @Test func oneVariantHasNoDifference() throws {
    let text = try report(["naive"]).text(as: .markdown)
    #expect(
      text.hasPrefix(
        "m on a, b.txt: 1000 tokens, 2000 bytes, 1 not scored; windows of 256, a new one every 128\n"))
    #expect(
      text.contains("3.2500") && text.contains("25.790") && text.contains("2.5000") && text.contains("2000"))
    #expect(!text.contains("nats more"))
  }

  @Test func severalAreHeldAgainstTheFirst() throws {
    let report = report(["naive", "packed"])
    for text in [try report.text(as: .markdown), report.terminalText(colour: false, width: 100)] {
      expectContains(text, "than naive", "1.0e-06")
      expectEqual(text.split { $0 == "\n" }.last?.contains("packed"), true)
    }
    let table = report.terminalText(colour: false, width: 60).split { $0 == "\n" }.dropFirst()
    #expect(table.allSatisfy { $0.count <= 60 })
  }

  @Test func csvHasARowAVariantAndAnEmptyFieldForNoFigure() throws {
    let lines = try report(["naive", "packed"]).text(as: .csv).split { $0 == "\n" }
    expectEqual(lines.count, 3)
    #expect(lines[0].hasSuffix("nats_per_token,perplexity,bits_per_byte,seconds,tok_per_s"))
    expectEqual(lines[1], "m,\"a, b.txt\",256,128,false,1001,1000,2000,naive,f32,2,3.25,25.79,2.5,0.5,2000")
    #expect(lines[2].hasSuffix("packed,f32,2,3.250001,25.79,,0.5,2000"))
  }

  @Test func thePageAnswersInASentenceAndHoldsTheTable() throws {
    let alone = try ParsedPage(report(["naive"]).text(as: .html))
    let words = alone.all("header")[0].text
    expectContains(words, "naive gives the text a perplexity of 25.790: 3.2500 nats a token.")
    expectEqual(alone.all("section").compactMap { $0.attributes["id"] }, ["figures", "method"])
    let both = try ParsedPage(report(["naive", "packed"]).text(as: .html))
    expectContains(both.all("header")[0].text, "packed is farthest from it: 1.0e-06 nats more.")
    expectEqual(both.all("article").count, 2)
    expectEqual(both.section("speeds")?.all.contains { $0.name == "svg" }, true)
    expectEqual(both.section("figures")?.text.contains("nats, per token"), true)
  }

  @Test func jsonHoldsEverything() throws {
    let report = report(["naive", "packed"])
    let text = try report.text(as: .json)
    try expectEqual(JSONDecoder().decode(PerplexityReport.self, from: Data(text.utf8)), report)
  }
}
