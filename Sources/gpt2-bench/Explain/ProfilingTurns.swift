import Foundation
import Measurement
import Record
import Reporting

/// Profiles of several sides, taken in turns: A B, then B A, so that what drifts meets both alike. Each turn has fresh
/// processes: what one got by luck, such as its place in memory, is one turn's luck.
final class ProfilingTurns {
  /// Two sides chose different tokens: one of them computes something else.
  struct OtherTokens: Error, CustomStringConvertible {
    let description: String
  }

  private static let turns = 4

  private let plan: ProfilingPlan
  private let progress: ProgressDisplay
  private let sides: [Side]
  /// The first side's tokens.
  private var tokens: (name: String, ids: [[Int]])?
  /// By side, and by stage and length.
  private(set) var profiles: [[ProfileTurns]]
  private(set) var ceilings: [Ceiling] = []

  private struct Side {
    let name: String
    let build: String
    let contestant: Contestant
  }

  init(_ sources: [ExplainedSource], _ plan: ProfilingPlan, _ console: Console) {
    self.plan = plan
    progress = ProgressDisplay(console: console)
    sides = sources.compactMap { source in
      source.live.map { variant, build in
        Side(
          name: source.name, build: build,
          contestant: Contestant(kind: .variant(variant), threads: variant.threads(of: plan.threads)))
      }
    }
    profiles = sides.map { _ in [] }
  }

  /// - Throws: `OtherTokens`; what a worker refuses or dies of.
  func run() throws {
    Interruption.watch()
    defer { progress.end() }
    let probe = CeilingProbe(threads: Array(Set(sides.map(\.contestant.threads))))
    measureCeilings(probe)
    for turn in 0..<Self.turns {
      let order = Array(sides.indices)
      for side in turn.isMultiple(of: 2) ? order : order.reversed() where !Interruption.shared.isCancelled {
        progress.step("turn \(turn + 1) of \(Self.turns): \(sides[side].name)")
        try take(side)
      }
    }
    measureCeilings(probe)
  }

  private func measureCeilings(_ probe: CeilingProbe) {
    guard !Interruption.shared.isCancelled else { return }
    progress.step("measuring the machine's ceilings")
    probe.measure()
    ceilings = probe.ceilings
  }

  /// A fresh process of the side: loaded, warmed up, held against the tokens of the first, profiled.
  private func take(_ index: Int) throws {
    let side = sides[index]
    let process = try Worker(
      side.contestant, build: side.build, name: side.name, timeoutSeconds: plan.timeoutSeconds)
    defer { process.stop() }
    _ = try process.load(model: plan.model, cold: false)
    let ids = try process.run(plan.warmup).ids
    if let tokens, tokens.ids != ids {
      throw OtherTokens(
        description: "\(side.name): found the tokens \(ids), expected \(tokens.ids), as of \(tokens.name)")
    }
    tokens = tokens ?? (side.name, ids)
    for ask in plan.asks {
      let answer = try process.profile(ask.request)
      for stage in ask.stages { add(try profile(stage, in: answer, ask, side), index) }
    }
  }

  private func profile(
    _ stage: Profile.Stage, in answer: ProfileAnswer, _ ask: ProfilingPlan.Ask, _ side: Side
  ) throws -> Profile {
    guard let profile = answer.profiles.first(where: { $0.stage == stage }) else {
      throw InvalidAnswer(
        side.name, "profile", "profiles", found: "\(answer.profiles.map(\.stage.rawValue))",
        expected: "one of \(stage.rawValue)")
    }
    try profile.check(source: "\(side.name): profile")
    guard profile.tokens == ask.request.promptTokens.count, profile.threads == side.contestant.threads else {
      throw InvalidAnswer(
        side.name, "profile", "tokens and threads", found: "\(profile.tokens) and \(profile.threads)",
        expected: "\(ask.request.promptTokens.count) and \(side.contestant.threads), as asked")
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
