import Record

extension ExplanationFiles {
  /// As one page for a browser: each stage with both sides' passes in bars, and every part of them in a table.
  public static func html(_ explanations: [Explanation]) -> String {
    let sides = explanations.first.map { "\($0.from.name) and \($0.to.name)" } ?? "nothing"
    let document = Document(
      title: "\(sides), phase by phase",
      opening: [
        .note(
          "Each bar is one pass, cut into phases. Hatched: waiting for the pool's threads. \(ProfilePhase.fusion)"
        )
      ],
      sections: explanations.enumerated().map { number, explanation in explanation.section(number: number) })
    return HTMLPage(
      document, answer: explanations.map(\.answer).joined(separator: " "), cards: [],
      footer: "Made by 'gpt2-bench explain A B --format html'."
    ).text
  }
}

extension Explanation {
  fileprivate var answer: Prose {
    guard isDecided else {
      return
        "This does not settle which of `\(from.name)` and `\(to.name)` is faster at \(stageWords)."
    }
    let (fast, slow) = outcome == .faster ? (to, from) : (from, to)
    let factor = NumberText.significant(slow.nanoseconds / fast.nanoseconds, 3)
    return "`\(fast.name)` is \(factor) times as fast as `\(slow.name)` at \(stageWords)."
  }

  fileprivate func section(number: Int) -> Section? {
    let isOnOneScale = max(ratio, 1 / ratio) <= PageContext.scaleSpan
    return Section(
      id: "stage-\(number)", title: stageWords,
      [.charts([shares(number)] + (isOnOneScale ? [times(number)] : []))] + blocks)
  }

  private func shares(_ number: Int) -> Figured {
    bars(id: "shares-\(number)", "Shares", axis: "% of the time") { _ in 100 }
  }

  /// One side much slower would leave the other no length.
  private func times(_ number: Int) -> Figured {
    bars(id: "times-\(number)", "Milliseconds per token", axis: "ms per token", \.millisecondsPerToken)
  }

  private func bars(
    id: String, _ title: String, axis: String, _ whole: (ProfileFigures) -> Double
  ) -> Figured {
    let sides = [from, to]
    let stacks = sides.map { side in
      PageContext.stack(of: side.figures, named: side.name) { $0 * whole(side.figures) }
    }
    let drawing = StackedBars(
      stacks: stacks, axisTitle: axis, groups: PageContext.legend(sides.map(\.figures)))
    return Figured(
      chart: drawing.chart(
        id: id, title: "\(title) by phase, \(stageWords)",
        description: "Stacked bars: " + stacks.map { "\($0.name) \($0.figure)" }.joined(separator: "; ") + "."
      ),
      caption: "\(title), \(stageWords)")
  }
}
