import Foundation
import Record
import Reporting

enum Explain: Command {
  static let description = CommandDescription(
    name: "explain", summary: "what makes one variant or build faster than another, phase by phase",
    operands: "A B", operandCount: 2...2,
    options: ProfilingPlan.options + [
      .threads,
      Option(
        "--variant", value: "V",
        help: "of a build, and of a record that holds several (default \(Defaults.variant) of a build)"),
      Option(
        "--stage", value: "S",
        help: Profile.Stage.allCases.map(\.rawValue).joined(separator: " or ") + " (default: both)"),
      Option(
        "--format", value: "F",
        help: ExplanationFormat.allCases.map(\.rawValue).joined(separator: ", ") + " (default text)"),
      .outFile,
    ])

  static func run(_ arguments: Arguments, _ console: Console) throws -> ExitCode {
    let format =
      try arguments.choice("--format", of: ExplanationFormat.allCases.map(\.rawValue))
      .flatMap(ExplanationFormat.init) ?? .text
    let stage = try arguments.choice("--stage", of: Profile.Stage.allCases.map(\.rawValue))
      .flatMap(Profile.Stage.init)
    let out = arguments.string("--out")
    try Output.refuseUnwritable(out)
    let sides = try arguments.operands.map { try ExplainedSource($0, arguments) }
    if let variant = arguments.string("--variant"), sides.allSatisfy(\.isVariant) {
      throw UsageError("--variant", found: variant, expected: "a build or a record among A and B")
    }
    let (profiles, ceilings): ([[ProfileTurns]], [Ceiling])
    do {
      (profiles, ceilings) = try self.profiles(of: sides, stage, arguments, console)
    } catch let error as ProfilingTurns.OtherTokens {
      console.warn("gpt2-bench: explain: \(error)")
      return .failedCheck
    } catch  where Interruption.shared.isCancelled {
      return .interrupted
    }
    guard !Interruption.shared.isCancelled else { return .interrupted }
    let explanations = try explain(sides, profiles, ceilings, stage)
    try Output.put(try format.text(of: explanations, console, isFile: out != nil), out, console)
    return explanations.contains(where: \.isDecided) ? .done : .inconclusive
  }

  /// The profiles of both sides, and the ceilings of the run that they are held against.
  private static func profiles(
    of sides: [ExplainedSource], _ stage: Profile.Stage?, _ arguments: Arguments, _ console: Console
  ) throws -> ([[ProfileTurns]], [Ceiling]) {
    let live = sides.filter { $0.live != nil }
    let records = sides.compactMap(\.record)
    guard !live.isEmpty else {
      for option in ProfilingPlan.options where option.names.contains(where: arguments.flag) {
        throw UsageError(
          "\(option.names[0]): found two records, expected a variant or a build to profile now")
      }
      try records[1].refuse(otherThan: records[0])
      return (records.map { $0.profiles.map(ProfileTurns.init) }, records[1].record.ceilings)
    }
    let plan = try ProfilingPlan(
      arguments, stage: stage, records: records, variants: live.compactMap { $0.live?.variant },
      project: try Project(), console: console)
    let turns = ProfilingTurns(live, plan, console)
    try turns.run()
    var measured = turns.profiles[...]
    let profiles = sides.map { side in
      side.record.map { $0.profiles.map(ProfileTurns.init) } ?? measured.popFirst() ?? []
    }
    return (profiles, turns.ceilings)
  }

  /// One explanation for each stage and length that both sides have, decoding first.
  private static func explain(
    _ sides: [ExplainedSource], _ profiles: [[ProfileTurns]], _ ceilings: [Ceiling], _ stage: Profile.Stage?
  ) throws -> [Explanation] {
    let stages: [Profile.Stage] = stage.map { [$0] } ?? [.decode, .prefill]
    var explanations: [Explanation] = []
    for stage in stages {
      for a in profiles[0] {
        guard let from = a.whole, from.stage == stage else { continue }
        for b in profiles[1] {
          guard let to = b.whole, to.stage == stage, to.tokens == from.tokens else { continue }
          explanations.append(
            try Explanation(
              from: from, named: sides[0].name, to: to, named: sides[1].name,
              ceiling: ceilings.first { $0.threads == to.threads },
              noiseFloor: [a.spread, b.spread].compactMap { $0 }.max()))
        }
      }
    }
    guard !explanations.isEmpty else {
      let found = zip(sides, profiles).map { side, turns in
        "\(side.name): " + turns.compactMap { $0.whole?.stageWords }.joined(separator: ", ")
      }
      throw RunError(
        "found \(found.joined(separator: "; ")); expected a stage and length that both sides have"
          + (stage.map { ", of \($0.rawValue)" } ?? ""))
    }
    return explanations
  }
}

/// The forms in which explanations can be shown.
enum ExplanationFormat: String, CaseIterable {
  case text
  case markdown = "md"
  case csv
  case json

  /// - Parameter isFile: a file gets no colour.
  func text(of explanations: [Explanation], _ console: Console, isFile: Bool) throws -> String {
    switch self {
    case .text:
      explanations.map {
        $0.text(colour: console.usesColor && !isFile, width: isFile ? 100 : console.width ?? 100)
      }.joined(separator: "\n")
    case .markdown: explanations.map { "## \($0.stageWords)\n\n\($0.markdown)" }.joined(separator: "\n")
    case .csv: ExplanationFiles.csv(explanations)
    case .json: try ExplanationFiles.json(explanations)
    }
  }
}
