import TestSupport
import Testing

@testable import Reporting

struct TrainingHistoryTests {
  /// Loss falls from 7 by a tenth a step; every fifth step is evaluated.
  static func history(_ count: Int = 20) -> TrainingHistory {
    let rows = (1...count).map { step -> TrainingHistory.Row in
      let place = Double(step)
      let validation: Double? = step % 5 == 0 ? 6.5 - 0.01 * place : nil
      return TrainingHistory.Row(
        step: step, loss: 7 - 0.1 * (place - 1), validation: validation, learningRate: 1e-3 * place,
        gradientNorm: 0.5, tokensPerSecond: 2000, seconds: 0.25 * place)
    }
    return TrainingHistory(rows)
  }

  @Test func csvHasARowAStepAndAnEmptyFieldWhereNothingWasEvaluated() {
    let lines = Self.history(5).csv.split(separator: "\n", omittingEmptySubsequences: false)
    expectEqual(lines.count, 7)
    expectEqual(lines[0], "step,loss,validation,learning_rate,gradient_norm,tok_per_s,seconds")
    expectEqual(lines[1], "1,7,,0.001,0.5,2000,0.25")
    expectEqual(lines[5], "5,6.6,6.45,0.005,0.5,2000,1.25")
  }

  @Test func theFiguresOfAllStepsAreOfTheRows() {
    let history = Self.history()
    #expect(abs(history.recentLoss - 6.05) < 1e-12)
    #expect(abs(history.meanSpeed - 2000) < 1e-9)
    expectEqual(history.best?.step, 20)
    expectEqual(TrainingHistory().meanSpeed, 0)
    expectNil(TrainingHistory().best)
    var uneven = Self.history(2)
    uneven.rows[1] = TrainingHistory.Row(
      step: 2, loss: 1, learningRate: 1, gradientNorm: 1, tokensPerSecond: 1000, seconds: 1.25)
    // 500 tokens in 0.25 s, then 1000 in 1 s.
    #expect(abs(uneven.meanSpeed - 1200) < 1e-9)
  }

  @Test func aCurveIsMeansOfConsecutiveSteps() {
    let curve = Self.history(5).curve(\.loss, over: { Double($0.step) }, points: 2)
    expectEqual(curve.map(\.x), [2, 4.5])
    #expect(abs(curve[0].y - 6.9) < 1e-12 && abs(curve[1].y - 6.65) < 1e-12)
    expectEqual(Self.history(3).curve(\.loss, over: \.seconds, points: 9).map(\.x), [0.25, 0.5, 0.75])
  }

  @Test func theSparklineFallsWithTheLoss() {
    expectEqual(Self.history(8).sparkline(width: 8), "█▇▆▅▄▃▂▁")
    expectEqual(Self.history(800).sparkline(width: 8), "█▇▆▅▄▃▂▁")
    expectEqual(Self.history(1).sparkline(width: 8), "")
    expectEqual(Self.history(9).sparkline(width: 0), "")
  }

  @Test func thePlotHasItsScalesAndFitsItsWidth() {
    let lines = Self.history().plot(width: 40, height: 6).split(separator: "\n").map(String.init)
    expectEqual(lines.count, 8)
    #expect(lines.allSatisfy { $0.count <= 40 })
    #expect(lines[1].hasPrefix(" 7.00 ┤") && lines[6].hasPrefix(" 5.10 ┤"))
    #expect(lines[7].hasPrefix("       1 ") && lines[7].hasSuffix(" 20"))
    // The line begins at the top on the left, and ends at the bottom on the right.
    #expect(lines[1].dropFirst(7).first != " " && lines[6].count == 40)
    expectEqual(lines.joined().count { $0 == "○" }, 5, "four evaluations and the legend")
    expectEqual(Self.history(1).plot(width: 40), "")
    expectEqual(Self.history().plot(width: 20), "")
  }
}

struct TrainingPageTests {
  private func report(_ history: TrainingHistory, steps: Int = 20) -> TrainingReport {
    TrainingReport(
      history: history,
      samples: [.init(step: 5, text: "first <b>"), .init(step: 20, text: "ROMEO:\nAye & no")], steps: steps,
      folder: "my/model", facts: [("Model", "4 layers"), ("Data", "a & b.txt")],
      command: ["gpt2-bench", "train", "--data", "a & b.txt"], version: "0.1.0")
  }

  @Test func thePageIsWellFormedAndHasEverySection() throws {
    let page = try ParsedPage(report(TrainingHistoryTests.history()).html)
    expectEqual(
      page.all("section").compactMap { $0.attributes["id"] },
      [
        "loss", "course", "samples", "evaluations", "method",
      ])
    expectEqual(page.all("h1").map(\.text), ["training of my/model"])
    let answer = try #require(page.all("p").first { $0.attributes["class"] == "answer" })
    expectEqual(answer.text, "After 20 steps a token of text that was kept back takes 6.3000 nats.")
    #expect(Set(page.all("svg").compactMap { $0.attributes["aria-labelledby"] }).count >= 5)
    expectEqual(page.section("samples")?.text.contains("Aye & no"), true)
    expectEqual(page.section("evaluations")?.all.count { $0.name == "tr" }, 5)
    let charts = try #require(page.section("loss")).all.filter { $0.name == "polyline" }
    // Training and validation, over steps and over time, each for a phone and for a desktop.
    expectEqual(charts.count, 8)
  }

  @Test func aTrainingThatEndedEarlySaysSo() throws {
    let early = try ParsedPage(report(TrainingHistoryTests.history(3), steps: 20).html)
    expectContains(early.root.text, "After 3 of 20 steps the loss is 6.9000 nats a token.")
    let none = try ParsedPage(report(TrainingHistory(), steps: 20).html)
    expectContains(none.root.text, "No step has been taken yet.")
    expectNil(none.section("loss"))
  }

  @Test func thousandsOfStepsStayAPageOfModestSize() {
    let html = report(TrainingHistoryTests.history(20_000), steps: 20_000).html
    #expect(html.utf8.count < 2_000_000)
  }

  @Test func durationsAreInWords() {
    let cases: [(Double, String)] = [
      (0.123, "0.12 s"), (41.2, "41 s"), (200, "3 min 20 s"), (7505, "2 h 05 min"),
    ]
    for (seconds, words) in cases { expectEqual(TrainingReport.duration(seconds), words) }
  }
}
