import Files
import Foundation
import GPT2Kernels
import Record
import Reporting

enum Explain: Command {
  static let description = CommandDescription(
    name: "explain", summary: "explains what makes one variant or build faster than another, phase by phase",
    operands: "A B", operandCount: 2...2,
    examples: [
      ("what threads gain, and what a KV cache gains", "gpt2-bench explain simd8 threaded"),
      ("the cache again, after 512 tokens", "gpt2-bench explain threaded kv-cache -d 512"),
      ("two records of profiles", "gpt2-bench explain base/record.json head/record.json"),
    ],
    options: ProfilingPlan.options + [
      .threads,
      Option(
        "--variant", value: "V", in: .subject, choices: Variant.names,
        default: "\(Defaults.variant) of a build",
        help: "the variant of a build, or of a record that holds several"),
      Option(
        "--stage", value: "S", in: .subject, choices: Profile.Stage.allCases.map(\.rawValue),
        default: "all", help: Profile.Stage.allCases.map(\.rawValue).joined(separator: " or ")),
      Option(
        "--format", value: "F", choices: ExplanationFormat.allCases.map(\.rawValue),
        default: ExplanationFormat.text.rawValue,
        help: ExplanationFormat.allCases.map(\.rawValue).joined(separator: ", ")),
      .outFile,
    ])

  static func run(_ arguments: Arguments, _ console: Console) throws -> ExitCode {
    let format = try arguments.choice("--format", of: ExplanationFormat.allCases) ?? .text
    let stage = try arguments.choice("--stage", of: Profile.Stage.allCases)
    let out = try arguments.outFile()
    let sides = try arguments.operands.map { try ExplainedSource($0, arguments) }
    if let variant = arguments.string("--variant"), sides.allSatisfy(\.isVariant) {
      throw UsageError("--variant", found: variant, expected: "a build or a record among A and B")
    }
    if sides[0].isSame(as: sides[1]) {
      throw UsageError(
        "found \(sides[0].name) twice, expected two things to tell apart: variants, builds or records")
    }
    let (profiles, ceilings): ([[ProfileTurns]], [Ceiling])
    do {
      (profiles, ceilings) = try self.profiles(of: sides, stage, arguments, console)
    } catch let error as ProfilingTurns.OtherTokens {
      console.warn("gpt2-bench: explain: \(error)")
      return .failedCheck
    } catch  where Interruption.shared.isCancelled { return Interruption.shared.exitCode }
    guard !Interruption.shared.isCancelled else { return Interruption.shared.exitCode }
    let explanations = try explain(sides, profiles, ceilings, stage)
    try Output.put(try format.text(of: explanations, console, isFile: out != nil), out, console)
    return explanations.contains(where: \.isDecided) ? .done : .inconclusive
  }

  /// The profiles of both sides, and the ceilings of the run that they are held against.
  private static func profiles(
    of sides: [ExplainedSource], _ stage: Profile.Stage?, _ arguments: Arguments, _ console: Console
  ) throws -> ([[ProfileTurns]], [Ceiling]) {
    let variants = sides.compactMap { $0.live?.variant }
    let records = sides.compactMap(\.record)
    guard !variants.isEmpty else {
      for option in ProfilingPlan.options where option.names.contains(where: arguments.flag) {
        throw UsageError(
          "\(option.names[0]): found two records, expected a variant or a build to profile now")
      }
      if let model = records[0].record.model {
        try records[1].refuse(otherThan: model, expected: "\(model.name), as in \(records[0].path)")
      }
      return (records.map { $0.profiles.map(ProfileTurns.init) }, records[1].record.ceilings)
    }
    let plan = try ProfilingPlan(
      arguments, stage: stage, records: records, variants: variants, project: try Project(), console: console)
    let turns = ProfilingTurns(sides, plan, console)
    try turns.run()
    return (turns.profiles, turns.ceilings)
  }

  /// One explanation for each stage and length that both sides have, decoding first.
  private static func explain(
    _ sides: [ExplainedSource], _ profiles: [[ProfileTurns]], _ ceilings: [Ceiling], _ stage: Profile.Stage?
  ) throws -> [Explanation] {
    let stages: [Profile.Stage] = stage.map { [$0] } ?? [.decode, .prefill, .training]
    var explanations: [Explanation] = []
    for stage in stages {
      for a in profiles[0] {
        guard let from = a.whole, from.stage == stage else { continue }
        for b in profiles[1] {
          guard let to = b.whole, to.stage == stage, to.tokens == from.tokens, to.batch == from.batch else {
            continue
          }
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

enum ExplanationFormat: String, CaseIterable {
  case text
  case markdown = "md"
  case csv
  case json
  case html

  /// - Parameter isFile: a file gets no colour.
  func text(of explanations: [Explanation], _ console: Console, isFile: Bool) throws -> String {
    switch self {
    case .text:
      explanations.map {
        $0.text(colour: console.usesColor && !isFile, width: isFile ? 100 : console.width)
      }.joined(separator: "\n")
    case .markdown: explanations.map { "## \($0.stageWords)\n\n\($0.markdown)" }.joined(separator: "\n")
    case .csv: ExplanationFiles.csv(explanations)
    case .json: try ExplanationFiles.json(explanations)
    case .html: ExplanationFiles.html(explanations)
    }
  }
}

/// One side of `explain`: profiled now, by this build or by another's `gpt2-bench`, or in an earlier run.
struct ExplainedSource {
  let name: String
  /// What is profiled now, and by which build; nil for a record.
  private(set) var live: (variant: Variant, build: String)?
  private(set) var record: RecordedProfiles?
  private(set) var isVariant = false

  /// - Parameters:
  ///   - operand: a variant's name, another build's program, or `RECORD[:VARIANT]`.
  ///   - arguments: `--variant` and `-t`.
  /// - Throws: `UsageError` for an operand that is none of them; whatever is wrong with the record.
  init(_ operand: String, _ arguments: Arguments) throws {
    if Variant.isName(operand) {
      let variant = try arguments.caching(Arguments.variant(operand, "explain"))
      (name, live, isVariant) = (variant.name, (variant, Project.executable), true)
      return
    }
    if Output.isProgram(operand) {
      let variant = try arguments.variant()
      let path = try OtherBuild(operand).path
      (name, live) = ("\(Project.shown(path)):\(variant.name)", (variant, path))
      return
    }
    var (path, variant): (String, String?) = (operand, nil)
    func isRecord(_ path: String) -> Bool { Output.isFile(RecordFile.path(meaning: path)) }
    if !isRecord(path), let colon = operand.lastIndex(of: ":") {
      (path, variant) = (String(operand[..<colon]), String(operand[operand.index(after: colon)...]))
    }
    guard isRecord(path) else {
      throw UsageError(
        "found '\(operand.safeLine(limit: 200))', expected a variant (\(Variant.names.joined(separator: ", "))), another build's "
          + "gpt2-bench, or a record.json, as RECORD or RECORD:VARIANT"
          + NearestName.advice(for: operand, among: Variant.names))
    }
    let found = try RecordedProfiles(path: path, variant: variant, arguments)
    (name, record) = (found.name, found)
  }

  func isSame(as other: ExplainedSource) -> Bool {
    if let live, let its = other.live {
      return live.variant.name == its.variant.name && live.build == its.build
    }
    guard let record, let its = other.record else { return false }
    func file(_ path: String) -> URL { URL(fileURLWithPath: path).resolvingSymlinksInPath() }
    return record.profiles[0].variant == its.profiles[0].variant && file(record.path) == file(its.path)
  }
}

struct RecordedProfiles {
  let path: String
  let record: Record
  let profiles: [Profile]

  var name: String { "\(Project.shown(path)):\(profiles[0].variant)" }

  /// - Parameters:
  ///   - variant: nil for that of `--variant`, or the only one that was profiled.
  ///   - arguments: `--variant`, and `-t` where the variant was profiled with several thread counts. A variant that is
  ///     not threaded has one thread whatever `-t` says.
  init(path: String, variant: String?, _ arguments: Arguments) throws {
    self.path = path
    record = try Record.read(path: path)
    let all = record.profiles ?? []
    guard !all.isEmpty else {
      throw RunError("\(path): holds no profiles, expected a record of all, run or profile that does")
    }
    let threads = try arguments.integer("-t", in: Threads.range)
    let named = variant ?? arguments.string("--variant")
    let found = all.filter { profile in
      let wanted = threads.map { Variant.named(profile.variant)?.threads(of: $0) ?? $0 }
      return (named ?? profile.variant) == profile.variant && (wanted ?? profile.threads) == profile.threads
    }
    func contestants(_ profiles: [Profile]) -> Set<String> {
      Set(profiles.map { "\(path):\($0.variant) with -t \($0.threads)" })
    }
    guard contestants(found).count == 1 else {
      let known = contestants(all).sorted()
      let asked = named.map { "'\($0)'" } ?? "no variant"
      throw UsageError(
        "\(path): found \(asked)\(threads.map { " with -t \($0)" } ?? ""), expected one of "
          + known.joined(separator: ", "))
    }
    profiles = found
  }

  /// The threads that a variant beside it gets; nil where the recorded one is not threaded and tells nothing.
  var threads: Int? { Variant.named(profiles[0].variant)?.isThreaded == false ? nil : profiles[0].threads }

  /// Length of the stage's profile that is nearest to the record's end; nil where there is none.
  func tokens(of stage: Profile.Stage) -> Int? { profiles.last { $0.stage == stage }?.tokens }
}
