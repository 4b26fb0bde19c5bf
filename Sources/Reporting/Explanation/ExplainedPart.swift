import Record

/// What one part of a pass adds to the difference between two profiles. Figures are of one pass; times in nanoseconds.
struct ExplainedPart: Sendable {
  enum Source: Sendable, Equatable {
    /// One phase; or all of a story, where one side fuses what the other keeps apart.
    case phases([ProfilePhase])
    case poolWait
    case unexplained
  }

  let source: Source
  let from: WorkAmount
  let to: WorkAmount
  /// Nil where there is no work to count.
  var split: TimeSplit? { TimeSplit(from: from, to: to) }
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
  /// Every part of a pass, so that the changes sum to the difference of both passes' times. The ceiling is one
  /// yardstick for both sides, whatever their threads; of it each has the peak of its weights' products.
  static func all(from: ProfileFigures, to: ProfileFigures, ceiling: Ceiling?) -> [ExplainedPart] {
    let sides = [from, to]
    let streamed = max(from.streamedBytes, to.streamedBytes)
    func amount(_ phases: [ProfilePhase], of side: ProfileFigures) -> WorkAmount {
      Self.amount(phases, of: side, ceiling.map { side.profile.roofline($0, streamedBytes: streamed) })
    }
    let phases = ProfileStory.allCases.flatMap { story in
      units(of: story, sides).map { phases in
        ExplainedPart(
          source: .phases(phases), from: amount(phases, of: from), to: amount(phases, of: to))
      }
    }
    func idle(_ source: Source, _ time: (ProfileFigures) -> Double) -> ExplainedPart {
      ExplainedPart(
        source: source, from: WorkAmount(nanoseconds: time(from)), to: WorkAmount(nanoseconds: time(to)))
    }
    return phases + [idle(.poolWait, \.waitNanoseconds), idle(.unexplained, \.unexplainedNanoseconds)]
  }

  /// The story's phases one by one; all together where one side has no time for a phase that matters to the other.
  private static func units(of story: ProfileStory, _ sides: [ProfileFigures]) -> [[ProfilePhase]] {
    let times = sides.map { side in
      Dictionary(
        uniqueKeysWithValues: side.phases.filter { ProfileStory($0.phase) == story }
          .map { ($0.phase, $0.work.nanoseconds) })
    }
    let phases = ProfilePhase.allCases.filter { phase in times.contains { $0[phase] != nil } }
    let sums = times.map { $0.values.reduce(0, +) }
    let isDivided = phases.contains { phase in
      let shares = zip(times, sums).map { $1 > 0 ? ($0[phase] ?? 0) / $1 : 0 }
      return shares.min() == 0 && (shares.max() ?? 0) >= smallestPhase
    }
    return isDivided && sums.allSatisfy { $0 > 0 } ? [phases] : phases.map { [$0] }
  }

  private static let smallestPhase = 0.02

  private static func amount(_ phases: [ProfilePhase], of side: ProfileFigures, _ roofline: Roofline?)
    -> WorkAmount
  {
    var amount = WorkAmount()
    for phase in side.phases where phases.contains(phase.phase) {
      amount.nanoseconds += phase.work.nanoseconds
      amount.flops += phase.work.flops
      amount.bytes += phase.work.bytes
      let entries = side.profile.entries.filter { $0.phase == phase.phase }
      amount.leastNanoseconds += PassWork(entries, of: side.profile, roofline: roofline).leastNanoseconds ?? 0
    }
    return amount
  }
}

/// A change of time, taken apart into more or less work and faster or slower work.
///
/// The side that does more is asked what it would take for the other's work; what that saves it comes from the work,
/// and what is left between it and the other side from the rate (a two-fold decomposition by a counterfactual; Oaxaca
/// 1973, doi:10.2307/2525981). Of its time t a part is what the ceilings allow for its work at best (the roofline of
/// Williams, Waterman and Patterson 2009, doi:10.1145/1498765.1498785), and changes as that does; the rest is what the
/// kernel loses, and goes with the operations F: t' = least′ + (t − least) · F′ / F. Without ceilings all of it does.
///
/// It is never asked the other way round: what a kernel loses on one row says little of what it would lose on 500.
struct TimeSplit: Sendable, Equatable {
  /// Nanoseconds of the change that come from the amount of work.
  let work: Double
  /// Nanoseconds of the change that come from how fast it is done.
  let rate: Double

  /// Nil where neither side has work to count. The parts sum to the change; swapping the sides changes their signs.
  init?(from: WorkAmount, to: WorkAmount) {
    guard from.hasWork || to.hasWork else { return nil }
    let isLess = to.isLess(than: from)
    let (more, less) = isLess ? (from, to) : (to, from)
    let asked = more.nanoseconds(for: less)
    work = isLess ? asked - more.nanoseconds : more.nanoseconds - asked
    rate = isLess ? less.nanoseconds - asked : asked - less.nanoseconds
  }
}

/// Work, and the time that it took.
struct WorkAmount: Sendable, Equatable {
  var nanoseconds = 0.0
  var flops = 0.0
  var bytes = 0.0
  /// The least time that the ceilings allow; 0 without ceilings.
  var leastNanoseconds = 0.0

  var hasWork: Bool { flops > 0 || bytes > 0 }

  /// Fewer operations; of as many, less time at best or fewer bytes.
  fileprivate func isLess(than other: WorkAmount) -> Bool {
    (flops, leastNanoseconds, bytes) < (other.flops, other.leastNanoseconds, other.bytes)
  }

  /// What this side would take for the work of `less`.
  fileprivate func nanoseconds(for less: WorkAmount) -> Double {
    let share = flops > 0 ? less.flops / flops : bytes > 0 ? less.bytes / bytes : 1
    // Where the ceiling was measured too low there is no loss, and the time changes as the ceiling's does.
    guard nanoseconds > leastNanoseconds else {
      return leastNanoseconds > 0 ? nanoseconds * less.leastNanoseconds / leastNanoseconds : 0
    }
    let asked = less.leastNanoseconds + (nanoseconds - leastNanoseconds) * share
    return min(asked, nanoseconds)
  }
}
