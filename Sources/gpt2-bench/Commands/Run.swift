import GPT2Engine
import Record

enum Run: Command {
  static let description = CommandDescription(
    name: "run", summary: "checks and measures prompts and decoding of the lengths that you choose",
    options: [
      Option("-p", value: "N,…", help: "prompt lengths to prefill, for example 64,512"),
      Option("-n", value: "N,…", help: "tokens to decode, for example 16,64"),
      Option("-d", value: "N,…", help: "tokens in the context before decoding starts (default 1)"),
      Option("--batch", value: "B,…", help: "sequences at once (default 1)"),
      .model, .variants, .contestant, .contestantTolerance, .threadList, .repetitions,
      MeasuringOptions.budget, MeasuringOptions.warmup, .seed, .outFolder,
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
      throw UsageError("-d", found: depth, expected: "-n with it, the tokens to decode")
    }
    guard !prompts.isEmpty || !tokens.isEmpty else {
      throw UsageError("found neither -p nor -n, expected at least one of them")
    }
    let tests = batches.flatMap { batch in
      prompts.map { Test.prefill(tokens: $0, batch: batch) }
        // The first token needs something to follow.
        + depths.flatMap { depth in
          tokens.map { Test.decode(tokens: $0, depth: max(depth, 1), batch: batch) }
        }
    }
    let saved = try arguments.baselineToSave()
    let bench = try EndToEnd(arguments, console)
    let record = try bench.run(
      tests, suite: nil, repetitions: repetitions, budgetSeconds: budgetSeconds, scope: scope, resumption)
    if let saved { try Baselines(in: bench.project).save(record, as: saved, console) }
    return record.runExitCode
  }
}
