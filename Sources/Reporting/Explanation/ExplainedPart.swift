import Record

/// What one part of a pass adds to the difference between two profiles. Figures are of one pass; times in nanoseconds.
struct ExplainedPart: Sendable {
  enum Source: Sendable, Equatable {
    /// One phase; or all phases of a story, where the two sides divide it differently, because one of them fuses what
    /// the other keeps apart.
    case phases([ProfilePhase])
    case poolWait
    case unexplained
  }

  let source: Source
  let from: WorkAmount
  let to: WorkAmount
  /// Nil where there is no work to count.
  let split: TimeSplit?

  init(_ source: Source, from: WorkAmount, to: WorkAmount) {
    self.source = source
    self.from = from
    self.to = to
    split = TimeSplit(from: from, to: to)
  }

  /// Below zero where the second side is faster.
  var change: Double { to.nanoseconds - from.nanoseconds }

  var name: String {
    switch source {
    case .phases(let phases): phases.count == 1 ? phases[0].title : story?.rawValue ?? ""
    case .poolWait: "pool wait"
    case .unexplained: "unexplained"
    }
  }

  var story: ProfileStory? {
    guard case .phases(let phases) = source else { return nil }
    return phases.first.map(ProfileStory.init)
  }
}

extension ExplainedPart {
  /// Every part of a pass, so that the changes sum to the difference of both passes' times.
  ///
  /// - Parameter ceiling: holds both sides' work against one yardstick, whatever their threads.
  static func all(from: ProfileFigures, to: ProfileFigures, ceiling: Ceiling?) -> [ExplainedPart] {
    let sides = [from, to]
    let roofs = ceiling.map {
      ProfileRoofs(
        $0, streamedBytesOfPass: max(from.streamedBytes, to.streamedBytes),
        queries: from.profile.tokensPerPass)
    }
    let phases = ProfileStory.allCases.flatMap { story in
      units(of: story, sides).map { phases in
        ExplainedPart(
          .phases(phases), from: amount(phases, of: from, roofs), to: amount(phases, of: to, roofs))
      }
    }
    return phases + [
      ExplainedPart(
        .poolWait, from: WorkAmount(nanoseconds: from.waitNanoseconds),
        to: WorkAmount(nanoseconds: to.waitNanoseconds)),
      ExplainedPart(
        .unexplained, from: WorkAmount(nanoseconds: from.unexplainedNanoseconds),
        to: WorkAmount(nanoseconds: to.unexplainedNanoseconds)),
    ]
  }

  /// The story's phases one by one; all together where one side has no time for a phase that matters to the other.
  private static func units(of story: ProfileStory, _ sides: [ProfileFigures]) -> [[ProfilePhase]] {
    let times = sides.map { side in
      Dictionary(
        uniqueKeysWithValues: side.phases.filter { ProfileStory($0.phase) == story }
          .map { ($0.phase, $0.nanoseconds) })
    }
    let phases = ProfilePhase.allCases.filter { phase in times.contains { $0[phase] != nil } }
    let sums = times.map { $0.values.reduce(0, +) }
    let isDivided = phases.contains { phase in
      let shares = zip(times, sums).map { $1 > 0 ? ($0[phase] ?? 0) / $1 : 0 }
      return shares.min() == 0 && (shares.max() ?? 0) >= smallestPhase
    }
    return isDivided && sums.allSatisfy { $0 > 0 } ? [phases] : phases.map { [$0] }
  }

  /// Share of its story from which on a phase matters.
  private static let smallestPhase = 0.02

  private static func amount(
    _ phases: [ProfilePhase], of side: ProfileFigures, _ roofs: ProfileRoofs?
  ) -> WorkAmount {
    var amount = WorkAmount()
    for phase in side.phases where phases.contains(phase.phase) {
      amount.nanoseconds += phase.nanoseconds
      amount.flops += phase.flops
      amount.bytes += phase.bytes
      let entries = side.profile.entries.filter { $0.phase == phase.phase }
      amount.leastNanoseconds += (roofs?.bound(entries)?.nanoseconds ?? 0) / Double(side.profile.keptPasses)
    }
    return amount
  }
}
