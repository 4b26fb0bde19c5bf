import GPT2Kernels
import GPT2Model
import Record

/// What is profiled now for `explain`: the model, the prompts and the stages, the same for every side.
struct ProfilingPlan {
  /// A request, and the stages that are wanted of its answer.
  struct Ask {
    let request: ProfileRequest
    let stages: [Profile.Stage]
  }

  static let options: [Option] = [
    .model,
    Option("-p", value: "P", help: "length of the prompt whose prefill is explained (default: that of -d)"),
    Option("-n", value: "N", help: "tokens to decode (default \(defaultTokens))"),
    Option(
      "-d", "--depth", value: "DEPTH",
      help: "tokens before the first that is decoded (default: -p, else \(defaultDepth))"),
    .seed, MeasuringOptions.timeout,
  ]

  private static let defaultTokens = 16
  private static let defaultDepth = 64
  /// A short generation that warms up and whose tokens must agree.
  private static let warmup = (prompt: 8, tokens: 4)

  let model: String
  let configuration: Configuration
  let threads: Int
  let timeoutSeconds: Int
  let asks: [Ask]
  let warmup: RunRequest

  /// - Parameters:
  ///   - stage: the one that is wanted; nil for both.
  ///   - records: the sides that were profiled before: theirs is the model, and theirs are the lengths, where the
  ///     command line says nothing.
  ///   - contestants: sides that are profiled now.
  init(
    _ arguments: Arguments, stage: Profile.Stage?, records: [RecordedProfiles], variants: [Variant],
    project: Project, console: Console
  ) throws {
    let options = try MeasuringOptions(arguments)
    threads =
      try arguments.integer("-t", in: Threads.range) ?? records.compactMap(\.threads).first
      ?? Threads.available
    timeoutSeconds = options.timeoutSeconds
    let name = arguments.string("--model") ?? records.first?.record.model?.name
    let choice = try ModelChoice(name, for: .measuring, project, console)
    let checkpoint = try choice.open()
    model = choice.source.name
    configuration = checkpoint.configuration
    for record in records { try record.refuse(otherThan: configuration, of: model) }
    func recorded(_ stage: Profile.Stage) -> Int? { records.compactMap { $0.tokens(of: stage) }.first }
    let sizes = 1...configuration.context
    let (p, d) = (
      try arguments.integer("-p", in: sizes) ?? recorded(.prefill),
      try arguments.integer("-d", in: sizes) ?? recorded(.decode)
    )
    let context = configuration.context
    let depth = d ?? p.map { min($0, max(context - 1, 1)) } ?? min(Self.defaultDepth, max(context / 2, 1))
    let tests = Lengths(
      prompt: p ?? depth, depth: depth,
      tokens: try arguments.integer("-n", in: 2...max(context, 2))
        ?? max(min(Self.defaultTokens, context - depth + 1), 2))
    let cells = GenerationCells(
      configuration: configuration,
      prompts: Prompts(
        vocabulary: configuration.vocabulary, tokenizer: try choice.tokenizer(of: configuration),
        seed: options.seed))
    asks = try tests.asks(stage, cells)
    try Self.refuseTooLarge(tests, variants, configuration, weightBytes: checkpoint.weightBytes)
    let short = asks[0].request.promptTokens.prefix(Self.warmup.prompt)
    warmup = RunRequest(
      generation: .init(
        prompts: [Array(short)], text: nil,
        tokens: min(Self.warmup.tokens, context - short.count + 1)))
  }

  private struct Lengths {
    let prompt: Int
    let depth: Int
    let tokens: Int

    /// One request where it gives both stages, else one for each.
    func asks(_ stage: Profile.Stage?, _ cells: GenerationCells) throws -> [Ask] {
      let prefill = Ask(
        request: try request(.prefill(tokens: prompt, batch: 1), 1, cells), stages: [.prefill])
      if stage == .prefill { return [prefill] }
      let decode = try request(.decode(tokens: tokens, depth: depth, batch: 1), tokens, cells)
      if stage == .decode { return [Ask(request: decode, stages: [.decode])] }
      return prompt == depth
        ? [Ask(request: decode, stages: [.prefill, .decode])]
        : [Ask(request: decode, stages: [.decode]), prefill]
    }

    private func request(_ test: Test, _ tokens: Int, _ cells: GenerationCells) throws -> ProfileRequest {
      let prompts = try cells.make(test).request.generation?.prompts ?? []
      return ProfileRequest(
        promptTokens: prompts.first ?? [], newTokens: tokens, measuresOverhead: false,
        coversAllPositions: true)
    }
  }

  private static func refuseTooLarge(
    _ lengths: Lengths, _ variants: [Variant], _ configuration: Configuration, weightBytes: Int
  ) throws {
    let test = Test.decode(
      tokens: lengths.tokens, depth: max(lengths.depth, lengths.prompt), batch: 1)
    let isCached = variants.contains { $0.decoding == .cache }
    try MemoryLimit.check(
      Double(weightBytes) + test.bytes(of: configuration, isCached: isCached), for: "the longest pass needs")
  }
}

extension RecordedProfiles {
  /// - Throws: `RunError` where the record is of a model of another shape.
  func refuse(otherThan configuration: Configuration, of model: String) throws {
    let c = configuration
    try refuse(otherThan: [c.layers, c.heads, c.channels, c.vocabulary, c.context], expected: model)
  }

  func refuse(otherThan other: RecordedProfiles) throws {
    guard let its = other.record.model else { return }
    try refuse(otherThan: its.shape, expected: "\(its.name), as in \(other.path)")
  }

  private func refuse(otherThan shape: [Int], expected: String) throws {
    guard let own = record.model, own.shape != shape else { return }
    throw RunError("\(path): found profiles of \(own.name), expected those of \(expected)")
  }
}

extension ModelDescription {
  fileprivate var shape: [Int] { [layers, heads, channels, vocabulary, context] }
}
