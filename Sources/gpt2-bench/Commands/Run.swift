import GPT2Engine
import Record

enum Run: Command {
  static let description = CommandDescription(
    name: "run", summary: "checks and measures prompts, decoding and training of the sizes that you choose",
    examples: [
      ("prompts of 64 and 512 tokens, and 32 tokens after 128", "gpt2-bench run -p 64,512 -n 32 -d 128"),
      ("a step of training on 4 windows of 64 tokens", "gpt2-bench run --train 4x64 --variants simd8,packed"),
      ("the rest of a run that was ended early", "gpt2-bench run --resume reports/NAME/record.json"),
    ],
    options: [
      Option(
        "-p", value: "N,…", in: .subject, default: "none, but then -n or --train is needed",
        help: "prompt lengths to prefill, for example 64,512"),
      Option(
        "-n", value: "N,…", in: .subject, default: "none, but then -p or --train is needed",
        help: "tokens to decode, for example 16,64"),
      Option(
        "-d", "--depth", value: "N,…", in: .subject, default: "1",
        help: "tokens in the context before decoding starts"),
      Option("--batch", value: "B,…", in: .subject, default: "1", help: "sequences at once"), .train, .models,
      .variants, .kv, .contestant, .contestantTolerance, .threadList,
      .repetitions.defaulting(to: "\(repetitions)"),
      MeasuringOptions.budget.defaulting(to: "\(Int(budgetSeconds))"),
      MeasuringOptions.warmup, .seed, .outFolder, .history, .runFormat,
      .reference, .saveBaseline, MeasuringOptions.timeout, Resumption.option,
    ])

  private static let scope = CheckScope(longestPrompt: 17, greedySteps: 2)
  private static let repetitions = 10
  private static let budgetSeconds = 20.0

  static func run(_ arguments: Arguments, _ console: Console) throws -> ExitCode {
    if let path = arguments.string(Resumption.option.names[0]) {
      return try Resumption(path, arguments).run(arguments, console)
    }
    return try run(arguments, console, nil)
  }

  /// - Parameter resumption: the run that is to be finished; nil for a new one.
  static func run(
    _ arguments: Arguments, _ console: Console, _ resumption: Resumption?
  ) throws -> ExitCode {
    let prompts = try arguments.integers("-p", in: 1...Int(Int32.max)) ?? []
    let tokens = try arguments.integers("-n", in: 2...Int(Int32.max)) ?? []
    let depths = try arguments.integers("-d", in: 0...Int(Int32.max)) ?? [0]
    let batches = try arguments.integers("--batch", in: 1...4096) ?? [1]
    if tokens.isEmpty, let depth = arguments.string("-d") {
      throw UsageError(
        arguments.typed("-d"), found: depth, expected: "-n with it, the tokens to decode")
    }
    let training = try arguments.training()
    guard !prompts.isEmpty || !tokens.isEmpty || !training.isEmpty else {
      throw UsageError("found neither -p nor -n nor --train, expected at least one of them")
    }
    let generations = batches.flatMap { batch in
      prompts.map { Test.prefill(tokens: $0, batch: batch) }
        // The first token needs something to follow.
        + depths.flatMap { depth in
          tokens.map { Test.decode(tokens: $0, depth: max(depth, 1), batch: batch) }
        }
    }
    let work = EndToEnd.Work(
      tests: generations + training, suite: nil, repetitions: repetitions, budgetSeconds: budgetSeconds,
      scope: scope)
    if let series = try ModelSeries(arguments) { return try series.run(work, console) }
    let saved = try arguments.baselineToSave()
    let bench = try EndToEnd(arguments, console, arguments.runOutput())
    let record = try bench.run(work, resumption)
    if let saved { try Baselines(in: bench.project).save(record, as: saved, console) }
    return record.runExitCode
  }
}
