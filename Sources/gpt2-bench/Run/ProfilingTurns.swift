import GPT2Kernels
import Measurement
import Record
import Reporting

/// Profiles of several sides, taken in turns: A B, then B A, so that what drifts meets both alike. Each turn has fresh
/// processes: what one got by luck, such as its place in memory, is one turn's luck.
final class ProfilingTurns {
  /// Two sides chose different tokens: one of them computes something else.
  struct OtherTokens: Error, CustomStringConvertible { let description: String }

  private static let turns = 4

  private let plan: ProfilingPlan
  private let driver: Driver
  private let sides: [Side]
  private var tokens = AgreedTokens<String>()
  /// By side, and by stage and length.
  private(set) var profiles: [[ProfileTurns]]

  /// Those that are profiled now; `index` is among all.
  private typealias Side = (index: Int, name: String, build: String, contestant: Contestant)

  init(_ sources: [ExplainedSource], _ plan: ProfilingPlan, _ console: Console) {
    self.plan = plan
    driver = Driver(model: plan.model, timeoutSeconds: plan.timeoutSeconds, console)
    sides = sources.enumerated().compactMap { index, source in
      source.live.map { variant, build in
        let threads = variant.threads(of: plan.threads)
        return (index, source.name, build, Contestant(kind: .variant(variant), threads: threads))
      }
    }
    profiles = sources.map { $0.record?.profiles.map(ProfileTurns.init) ?? [] }
  }

  var ceilings: [Ceiling] { driver.ceilings?.ceilings ?? [] }

  /// - Throws: `OtherTokens`; what a worker refuses or dies of.
  func run() throws {
    Interruption.watch()
    defer { driver.console.endProgressLine() }
    driver.progress.plan(parts)
    measureCeilings(session: 0)
    try driver.run(
      SideTurn.alternating(rounds: Self.turns, sides: sides.count).map { turn in
        let side = sides[turn.side]
        return Turn(
          contestant: side.contestant, build: side.build, name: side.name,
          step: "turn \(turn.round + 1) of \(Self.turns): \(side.name)",
          part: Forecast.ID(.profile, contestant: turn.side, cell: turn.round), stays: false,
          ask: { [self] in try take(side, $0) })
      })
    measureCeilings(session: 1)
  }

  private func measureCeilings(session: Int) {
    guard !driver.isCancelled else { return }
    driver.measureCeilings(
      threads: sides.map(\.contestant.threads), weights: sides.map(\.contestant.weights),
      part: Forecast.ID(.ceilings, cell: session))
  }

  /// Seconds of a session of ceilings and of a turn, before one has shown what it takes.
  private static let (ceilingSeconds, turnSeconds) = (4.0, 4.0)

  private var parts: [Forecast.Part] {
    let ceilings = (0..<2).map { session in
      Forecast.Part(Forecast.ID(.ceilings, cell: session)) { _ in Self.ceilingSeconds }
    }
    return ceilings
      + sides.indices.flatMap { side in
        (0..<Self.turns).map { turn in
          Forecast.Part(Forecast.ID(.profile, contestant: side, cell: turn)) { _ in Self.turnSeconds }
        }
      }
  }

  /// A fresh process of the side: warmed up, held against the tokens of the first, profiled.
  private func take(_ side: Side, _ worker: Worker) throws {
    let ids = try worker.run(plan.warmup).ids
    if let other = tokens.differing(
      ids, of: side.name, on: 0, isExact: side.contestant.isExact)
    {
      throw OtherTokens(
        description: "\(side.name): found the tokens \(ids), expected \(other.ids), as of \(other.owner)")
    }
    for ask in plan.asks {
      let answer = try worker.profile(ask.request)
      for stage in ask.stages { add(try profile(stage, in: answer, ask, side), side.index) }
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
    let same = profiles[side].firstIndex {
      $0.turns.first?.stage == profile.stage && $0.turns.first?.tokens == profile.tokens
    }
    if let same {
      profiles[side][same].append(profile)
    } else {
      profiles[side].append(ProfileTurns(profile))
    }
  }
}

/// What is profiled now for `explain`: the model, the prompts and the stages, the same for every side.
struct ProfilingPlan {
  /// A request, and the stages that are wanted of its answer.
  struct Ask {
    let request: ProfileRequest
    let stages: [Profile.Stage]
  }

  static let options: [Option] = [
    .model, .kv,
    Option(
      "-p", value: "P", in: .subject, default: "that of -d",
      help: "length of the prompt whose prefill is explained"),
    Option("-n", value: "N", in: .subject, default: "\(defaultTokens)", help: "tokens to decode"),
    Option(
      "-d", "--depth", value: "DEPTH", in: .subject, default: "-p, else \(defaultDepth)",
      help: "tokens in the context before decoding starts"),
    .seed, MeasuringOptions.timeout,
  ]

  private static let defaultTokens = 16
  private static let defaultDepth = 64
  /// A short generation that warms up and whose tokens must agree.
  private static let warmup = (prompt: 8, tokens: 4)

  let model: String
  let threads: Int
  let timeoutSeconds: Int
  let asks: [Ask]
  let warmup: RunRequest

  /// - Parameters:
  ///   - stage: the one that is wanted; nil for both.
  ///   - records: the sides that were profiled before: theirs is the model, and theirs are the lengths, where the
  ///     command line says nothing.
  init(
    _ arguments: Arguments, stage: Profile.Stage?, records: [RecordedProfiles], variants: [Variant],
    project: Project, console: Console
  ) throws {
    let options = try MeasuringOptions(arguments)
    threads =
      try arguments.integer("-t", in: Threads.range) ?? records.compactMap(\.threads).first
      ?? Threads.available
    timeoutSeconds = options.timeoutSeconds
    guard stage != .training else {
      throw UsageError(
        "--stage", found: Profile.Stage.training.rawValue,
        expected: "two records of 'profile --train' with it")
    }
    let name = arguments.string("--model") ?? records.first?.record.model?.name
    let choice = try ModelChoice(name, for: .measuring, project, console)
    model = choice.name
    let configuration = choice.configuration
    let description = ModelDescription(choice, hasTokenizer: false)
    for record in records { try record.refuse(otherThan: description, expected: model) }
    func recorded(_ stage: Profile.Stage) -> Int? { records.compactMap { $0.tokens(of: stage) }.first }
    let sizes = 1...configuration.context
    let (p, d) = (
      try arguments.integer("-p", in: sizes) ?? recorded(.prefill),
      try arguments.integer("-d", in: sizes) ?? recorded(.decode)
    )
    let context = configuration.context
    let depth = d ?? p.map { min($0, max(context - 1, 1)) } ?? min(Self.defaultDepth, max(context / 2, 1))
    let prompt = p ?? depth
    let tokens =
      try arguments.integer("-n", in: 2...max(context, 2))
      ?? max(min(Self.defaultTokens, context - depth + 1), 2)
    let cells = GenerationCells(
      configuration: configuration, prompts: choice.prompts(try choice.tokenizer(), seed: options.seed))
    func ask(_ stages: [Profile.Stage], _ test: Test, _ tokens: Int) throws -> Ask {
      let prompts = try cells.make(test).request.generation?.prompts ?? []
      return Ask(
        request: ProfileRequest(
          promptTokens: prompts.first ?? [], newTokens: tokens, measuresOverhead: false,
          coversAllPositions: true), stages: stages)
    }
    // One request where it gives both stages, else one for each.
    let isOne = stage == nil && prompt == depth
    let decode =
      try stage == .prefill
      ? nil
      : ask(isOne ? [.prefill, .decode] : [.decode], .decode(tokens: tokens, depth: depth, batch: 1), tokens)
    let prefill = try stage == .decode || isOne ? nil : ask([.prefill], .prefill(tokens: prompt, batch: 1), 1)
    asks = [decode, prefill].compactMap { $0 }
    let longest = WorkerLoad(
      decoding: variants.contains { $0.decoding == .cache } ? .cache : .recompute,
      tests: [.decode(tokens: tokens, depth: max(depth, prompt), batch: 1)])
    try MemoryLimit.check(
      [longest], of: configuration, weightBytes: choice.checkpoint.weightBytes, for: "the longest pass needs")
    let short = asks[0].request.promptTokens.prefix(Self.warmup.prompt)
    warmup = RunRequest(prompts: [Array(short)], tokens: min(Self.warmup.tokens, context - short.count + 1))
  }
}

extension RecordedProfiles {
  /// - Throws: `RunError` where the record is of a model of another shape.
  func refuse(otherThan model: ModelDescription, expected: String) throws {
    guard let own = record.model, own.shape != model.shape else { return }
    throw RunError("\(path): found profiles of \(own.name), expected those of \(expected)")
  }
}

extension ModelDescription {
  fileprivate var shape: [Int] { [layers, heads, channels, vocabulary, context] }
}
