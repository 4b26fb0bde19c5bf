import Foundation
import Measurement
import Reporting
import Statistics

/// Profiles of several sides, taken in turns: A B, then B A, so that what drifts meets both alike.
final class ProfilingTurns {
  /// Two sides chose different tokens: one of them computes something else.
  struct OtherTokens: Error, CustomStringConvertible {
    let description: String
  }

  /// Two show what a side differs by from turn to turn; more follow where passes are so long that there are too few.
  private static let turns = 2...4

  private let plan: ProfilingPlan
  private let progress: ProgressDisplay
  private let contestants: [BenchContestant]
  private let names: [String]
  /// By side, and by stage and length.
  private(set) var profiles: [[ProfileTurns]]
  private(set) var ceilings: [Ceiling] = []

  init(_ sides: [ExplainedSource], _ plan: ProfilingPlan, _ console: Console) throws {
    self.plan = plan
    progress = ProgressDisplay(console: console)
    names = sides.map(\.name)
    contestants = try sides.compactMap { side in
      guard let (variant, build) = side.live else { return nil }
      let contestant = ContestantPlan(
        kind: .variant(variant), threads: variant.threads(of: plan.threads))
      return try BenchContestant(
        contestant, build: build, name: side.name, timeoutSeconds: plan.timeoutSeconds)
    }
    profiles = contestants.map { _ in [] }
  }

  /// - Throws: `OtherTokens`; what a worker refuses or dies of.
  func run() throws {
    Interruption.watch()
    defer {
      for contestant in contestants { contestant.stop() }
      progress.end()
    }
    let probe = measureCeilings(nil)
    try load()
    var turn = 0
    while turn < Self.turns.lowerBound || (hasTooFewPasses && turn < Self.turns.upperBound),
      !Interruption.shared.isCancelled
    {
      let order = Array(contestants.indices)
      for side in turn.isMultiple(of: 2) ? order : order.reversed() { try take(turn, side) }
      turn += 1
    }
    _ = measureCeilings(probe)
  }

  private var hasTooFewPasses: Bool {
    profiles.joined().contains { ($0.whole?.passNanoseconds.count ?? 0) < Bootstrap.minimumCount }
  }

  private func measureCeilings(_ before: CeilingProbe?) -> CeilingProbe {
    progress.step("measuring the machine's ceilings")
    let probe = before ?? CeilingProbe(threads: Array(Set(contestants.map(\.plan.threads))))
    probe.measure()
    ceilings = probe.ceilings.compactMap(Ceiling.init)
    return probe
  }

  /// Loads all sides, warms them up, and holds their tokens against each other.
  private func load() throws {
    var first: (name: String, ids: [[Int]])?
    for (contestant, name) in zip(contestants, names) {
      progress.step("loading: \(name)")
      _ = try contestant.load(model: plan.model, cold: false)
      let ids = try contestant.run(plan.warmup).ids
      if let first, first.ids != ids {
        throw OtherTokens(
          description: "\(name): found the tokens \(ids), expected \(first.ids), as of \(first.name)")
      }
      first = first ?? (name, ids)
    }
  }

  private func take(_ turn: Int, _ side: Int) throws {
    guard !Interruption.shared.isCancelled else { return }
    progress.step("turn \(turn + 1): \(names[side])")
    for ask in plan.asks {
      let answer = try contestants[side].profile(ask.request)
      for stage in ask.stages { add(try profile(stage, in: answer, ask, side), side) }
    }
  }

  private func profile(
    _ stage: Profile.Stage, in answer: ProfileAnswer, _ ask: ProfilingPlan.Ask, _ side: Int
  ) throws -> Profile {
    let contestant = contestants[side].plan
    guard let profile = answer.profiles.first(where: { $0.stage == stage }) else {
      throw InvalidAnswer(
        names[side], "profile", "profiles", found: "\(answer.profiles.map(\.stage.rawValue))",
        expected: "one of \(stage.rawValue)")
    }
    try profile.check(source: "\(names[side]): profile")
    guard profile.tokens == ask.request.promptTokens.count, profile.threads == contestant.threads else {
      throw InvalidAnswer(
        names[side], "profile", "tokens and threads", found: "\(profile.tokens) and \(profile.threads)",
        expected: "\(ask.request.promptTokens.count) and \(contestant.threads), as asked")
    }
    return profile
  }

  private func add(_ profile: Profile, _ side: Int) {
    let same = profiles[side].firstIndex { turns in
      turns.turns.first.map { $0.stage == profile.stage && $0.tokens == profile.tokens } ?? false
    }
    if let same {
      profiles[side][same].append(profile)
    } else {
      profiles[side].append(ProfileTurns(profile))
    }
  }
}
