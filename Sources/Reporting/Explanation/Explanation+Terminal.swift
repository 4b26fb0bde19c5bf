extension Explanation {
  /// For a terminal: the headline, then a waterfall from the one side's time to the other's.
  ///
  /// - Parameters:
  ///   - colour: whether the largest part is bold (ANSI escapes).
  ///   - width: columns of the terminal.
  public func text(colour: Bool, width: Int = 100) -> String {
    let blocks = [
      headline.wrapped(to: width, indent: 0),
      isDecided ? waterfall(colour: colour, width: width) : "",
      ([largestSentence].compactMap { $0 } + notes).map { $0.wrapped(to: width) }.joined(separator: "\n"),
    ]
    return blocks.filter { !$0.isEmpty }.joined(separator: "\n\n") + "\n"
  }

  private func waterfall(colour: Bool, width: Int) -> String {
    var table = TextTable([
      .init(title: "", alignment: .left, canShorten: true), .init(title: "time", unit: scale.unit),
      .init(title: "share", unit: "%"), .init(title: "by work", unit: scale.unit, rank: 2),
      .init(title: "by rate", unit: scale.unit, rank: 1), .init(title: "", alignment: .left),
    ])
    let steps = WaterfallStep.all(of: self)
    let top = steps.reduce(max(from.nanoseconds, to.nanoseconds)) { max($0, $1.before, $1.after) }
    table.rows =
      [total(from, of: top)]
      + steps.map { step in
        let isLargest = step.name == largestPart?.name
        return [
          .init("  " + step.name, isBold: isLargest),
          .init(scale.signed(step.after - step.before), isBold: isLargest),
          .init(share(step.after - step.before).map(NumberText.percent) ?? "", isBold: isLargest),
          .init(step.work.map(scale.signed) ?? ""), .init(step.rate.map(scale.signed) ?? ""),
          .init(.span(from: step.before / top, to: step.after / top, grows: step.after > step.before)),
        ]
      } + [total(to, of: top)]
    return table.text(colour: colour, width: width)
  }

  private func total(_ side: Side, of top: Double) -> [TextTable.Entry] {
    [
      .init(side.name), .init(scale.text(side.nanoseconds)), .init(""), .init(""), .init(""),
      .init(.span(from: 0, to: side.nanoseconds / top, grows: false)),
    ]
  }
}

/// One step of the way from one side's time to the other's.
struct WaterfallStep {
  let name: String
  /// Nanoseconds of a pass before the step and after it.
  let before: Double
  let after: Double
  let work: Double?
  let rate: Double?

  /// Parts below this share of the largest change are one step together.
  private static let smallestShare = 0.005

  /// The largest change first, and what is small last, in one.
  static func all(of explanation: Explanation) -> [WaterfallStep] {
    let largest = explanation.parts.map { abs($0.change) }.max() ?? 0
    let parts = explanation.parts.filter { $0.change != 0 }
    let shown = parts.filter { abs($0.change) >= smallestShare * largest }
      .sorted { abs($0.change) > abs($1.change) }
    let small = parts.filter { abs($0.change) < smallestShare * largest }
    var level = explanation.from.nanoseconds
    func step(_ name: String, _ parts: [ExplainedPart]) -> WaterfallStep {
      let before = level
      level += parts.reduce(0) { $0 + $1.change }
      let splits = parts.compactMap(\.split)
      return WaterfallStep(
        name: name, before: before, after: level,
        work: splits.isEmpty ? nil : splits.reduce(0) { $0 + $1.work },
        rate: splits.isEmpty ? nil : splits.reduce(0) { $0 + $1.rate })
    }
    let steps = shown.map { step($0.name, [$0]) }
    guard let only = small.first else { return steps }
    return steps + [
      step(small.count == 1 ? only.name : "\(small.count) smaller parts", small)
    ]
  }
}
