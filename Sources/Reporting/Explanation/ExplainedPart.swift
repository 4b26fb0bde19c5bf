/// What one part of a pass adds to the difference between two profiles. Figures are of one pass; times in nanoseconds.
struct ExplainedPart: Sendable {
  enum Source: Sendable, Equatable {
    /// One phase; or all phases of a story, where the two sides divide it differently, because one of them fuses what
    /// the other keeps apart.
    case phases([ProfilePhase])
    case poolWait
    case unexplained
  }

  /// One side's.
  struct Amount: Sendable, Equatable {
    var nanoseconds = 0.0
    var flops = 0.0
    var bytes = 0.0
    /// What the amount of work is measured by: nanoseconds that the ceilings allow for it; without ceilings
    /// operations, or bytes where there are none.
    var work = 0.0
  }

  let source: Source
  let from: Amount
  let to: Amount
  /// Nil where there is no work to count.
  let split: TimeSplit?

  init(_ source: Source, from: Amount, to: Amount) {
    self.source = source
    self.from = from
    self.to = to
    split = TimeSplit(from: (from.nanoseconds, from.work), to: (to.nanoseconds, to.work))
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
    let streamed = sides.map { side in
      side.profile.entries.reduce(0) { $0 + $1.streamedBytes } / Double(side.profile.keptPasses)
    }
    let yardstick = Yardstick(
      roofs: ceiling.map { ProfileRoofs($0, streamedBytesOfPass: streamed.max() ?? 0) },
      countsFlops: { phases in
        sides.contains { side in side.phases.contains { phases.contains($0.phase) && $0.flops > 0 } }
      })
    let phases = ProfileStory.allCases.flatMap { story in
      units(of: story, sides).map { phases in
        ExplainedPart(
          .phases(phases), from: yardstick.amount(phases, of: from), to: yardstick.amount(phases, of: to))
      }
    }
    return phases + [
      ExplainedPart(
        .poolWait, from: Amount(nanoseconds: from.waitNanoseconds),
        to: Amount(nanoseconds: to.waitNanoseconds)),
      ExplainedPart(
        .unexplained, from: Amount(nanoseconds: from.unexplainedNanoseconds),
        to: Amount(nanoseconds: to.unexplainedNanoseconds)),
    ]
  }

  /// The story's phases one by one where both sides have the same ones, else all together.
  private static func units(of story: ProfileStory, _ sides: [ProfileFigures]) -> [[ProfilePhase]] {
    let found = sides.map { side in
      ProfilePhase.allCases.filter { phase in
        ProfileStory(phase) == story
          && side.phases.contains { $0.phase == phase && ($0.nanoseconds > 0 || $0.flops > 0) }
      }
    }
    let all = ProfilePhase.allCases.filter { phase in found.contains { $0.contains(phase) } }
    guard found[0] != found[1], !found[0].isEmpty, !found[1].isEmpty else { return all.map { [$0] } }
    return [all]
  }

  private struct Yardstick {
    let roofs: ProfileRoofs?
    let countsFlops: ([ProfilePhase]) -> Bool

    func amount(_ phases: [ProfilePhase], of side: ProfileFigures) -> Amount {
      let passes = Double(side.profile.keptPasses)
      let figures = side.phases.filter { phases.contains($0.phase) }
      var amount = Amount()
      for phase in figures {
        amount.nanoseconds += phase.nanoseconds
        amount.flops += phase.flops
        amount.bytes += phase.bytes
        guard let roofs else { continue }
        let entries = side.profile.entries.filter { $0.phase == phase.phase }
        amount.work += (roofs.bound(entries)?.nanoseconds ?? 0) / passes
      }
      if roofs == nil { amount.work = countsFlops(phases) ? amount.flops : amount.bytes }
      return amount
    }
  }
}
