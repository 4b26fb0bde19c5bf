/// One kind of reason for a difference, over all parts of a pass.
struct ExplainedReason: Sendable {
  enum Kind: Sendable, CaseIterable {
    case work
    case rate
    case wait
    /// Time that no work can be counted for.
    case rest
  }

  let kind: Kind
  /// Nanoseconds that it adds to a pass.
  let change: Double
  /// Of the whole difference; below zero where it works against it.
  let share: Double
  /// The stories that most of the change is in, the largest first.
  let stories: [ProfileStory]

  /// A story is named from this share of the reason's change on.
  private static let smallestShare = 0.1
  private static let mostStories = 4

  init(_ kind: Kind, _ parts: [ExplainedPart], whole: Double) {
    let changes = parts.map { (story: $0.story, change: Self.change(kind, $0)) }
    let change = changes.reduce(0) { $0 + $1.change }
    self.kind = kind
    self.change = change
    share = change / whole
    let byStory = ProfileStory.allCases.map { story in
      (story: story, change: changes.filter { $0.story == story }.reduce(0) { $0 + $1.change })
    }
    let same = byStory.filter { $0.change * change > 0 }
    let sum = same.reduce(0) { $0 + $1.change }
    stories = same.filter { $0.change / sum >= Self.smallestShare }
      .sorted { abs($0.change) > abs($1.change) }.prefix(Self.mostStories).map(\.story)
  }

  private static func change(_ kind: Kind, _ part: ExplainedPart) -> Double {
    switch (kind, part.source) {
    case (.wait, .poolWait): part.change
    case (_, .poolWait): 0
    case (.work, _): part.split?.work ?? 0
    case (.rate, _): part.split?.rate ?? 0
    case (.rest, _): part.split == nil ? part.change : 0
    case (.wait, _): 0
    }
  }
}

extension Explanation {
  /// Every kind that adds something, those that make the difference first, the largest of them first.
  var reasons: [ExplainedReason] {
    ExplainedReason.Kind.allCases.map { ExplainedReason($0, parts, whole: change) }
      .filter { $0.change != 0 }.sorted { $0.share > $1.share }
  }

  /// How many times as many rows as `to` the side `from` computes for a token, by the MLP's operations, which do not
  /// depend on the position; nil where they do not tell.
  var rowRatio: Double? {
    guard to.profile.stage == .decode else { return nil }
    let flops = [from, to].map { side in
      side.figures.phases.filter { $0.phase == .up }.reduce(0) { $0 + $1.flops }
    }
    return flops[0] > 0 && flops[1] > 0 ? flops[0] / flops[1] : nil
  }
}
