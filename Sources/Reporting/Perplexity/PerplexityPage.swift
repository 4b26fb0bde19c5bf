extension PerplexityReport {
  /// More cards would push everything else away; the table has every variant.
  private static let cardLimit = 6

  var page: HTMLPage {
    HTMLPage(
      Document(
        title: "perplexity of \(model) on \(text)", opening: [.paragraph(Prose(heading + "."))],
        sections: [
          speeds,
          Section(
            id: "figures", title: "Every figure", [.table(tableWithUnits, label: "every figure")]), method,
        ]),
      answer: answer, cards: results.prefix(Self.cardLimit).map(Self.card),
      footer: "Made by 'gpt2-bench perplexity --format html'.")
  }

  /// How well the first variant predicts the text, and how far from it the others are.
  private var answer: Prose {
    guard let first = results.first else { return "Nothing was scored." }
    let score: Prose = """
      `\(first.variant)` gives the text a perplexity of \(NumberText.significant(first.perplexity, 5)): \
      \(NumberText.fixed(first.natsPerToken, 4)) nats a token.
      """
    func change(_ result: Result) -> Double { result.natsPerToken - first.natsPerToken }
    let others = results.dropFirst()
    guard let farthest = others.max(by: { abs(change($0)) < abs(change($1)) }) else { return score }
    guard change(farthest) != 0 else { return "\(score) The others give the same." }
    let distance = NumberText.scientific(abs(change(farthest)))
    let word = change(farthest) > 0 ? "more" : "less"
    return "\(score) `\(farthest.variant)` is farthest from it: \(distance) nats \(word)."
  }

  private static func name(_ result: Result) -> String {
    "\(result.variant), \(counted(result.threads, "thread"))"
  }

  private static func card(_ result: Result) -> Card {
    Card(
      title: Prose(name(result)), figure: NumberText.significant(result.perplexity, 5),
      unit: "perplexity, at \(NumberText.significant(result.tokensPerSecond)) tok/s")
  }

  private var speeds: Section? {
    guard results.count > 1, let first = results.first else { return nil }
    let bars = results.enumerated().map { index, result in
      BarChart.Bar(
        name: Self.name(result), value: result.tokensPerSecond, interval: nil,
        figure: "\(NumberText.significant(result.tokensPerSecond)) tok/s",
        factor: NumberText.factor(result.tokensPerSecond / first.tokensPerSecond),
        style: SeriesStyle(index: index))
    }
    let chart = BarChart(bars: bars, axisTitle: "tok/s").chart(
      id: "speed", title: "Tokens scored a second, by variant",
      description: bars.map { "\($0.name): \($0.words)" }.joined(separator: "; ") + ".")
    return Section(
      id: "speeds", title: "How fast it was scored",
      [.charts([Figured(chart: chart, caption: "tok/s, × `\(first.variant)`")])])
  }

  private var method: Section? {
    let rest = wholeWindows ? " What follows the last whole window is left out." : ""
    let lines: [Prose] = [
      """
      **Nats** are the mean of −log p over the scored tokens. **Perplexity** is their exponential. **Bits per byte** are \
      the sum of −log₂ p over the UTF-8 bytes of the scored tokens.
      """,
      """
      A window takes in \(context) tokens, and the next one begins \(stride) tokens later. Every token is scored once, \
      with what its window has before it.\(rest)
      """,
      "**tok/s** is of the passes and the scoring, without loading and tokenizing.",
    ]
    return Section(id: "method", title: "How to read it", [.list(lines)])
  }
}
