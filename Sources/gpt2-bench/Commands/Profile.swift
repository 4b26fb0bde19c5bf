import Foundation
import GPT2Engine
import GPT2Kernels
import GPT2Model
import Measurement
import Record
import Reporting
import Training

enum Profiling: Command {
  static let description = CommandDescription(
    name: "profile",
    summary: "shows where the time of a prompt and of a token goes, or that of a training step",
    examples: [
      ("where the fastest variant spends its time", "gpt2-bench profile"),
      ("a timeline for https://ui.perfetto.dev", "gpt2-bench profile --trace trace.json"),
      ("a step of training on 4 windows of 64 tokens", "gpt2-bench profile --train 4x64"),
    ],
    options: [
      .model, .variant, .kv, .threads,
      Option(
        "-p", value: "P", in: .subject, default: "\(defaultPrompt)", help: "tokens of the prompt"),
      Option(
        "-n", value: "N", in: .subject, default: "\(defaultTokens)",
        help: "new tokens; each after the first is one decoding pass"),
      Option(
        "--train", value: "BxT", in: .subject, default: "none, but the prompt and the tokens",
        help: "instead of a generation, steps of training on B windows of T tokens each"),
      Option(
        "--trace", value: "FILE", default: "none",
        help: "run all N tokens once more, and write a timeline for Perfetto or chrome://tracing"),
      Option(
        "--folded", value: "FILE", default: "none",
        help: "write folded stacks for flame graphs and speedscope"),
      Option(
        "--budget", value: "S", in: .effort, default: "\(Int(defaultSeconds))",
        help: "seconds to spend on each stage: prefill, decode or training"),
      .seed, RecordFormat.option(of: .endToEnd).defaulting(to: "a tree for the terminal, md in a file"),
      .outFile,
    ])

  private static let defaultPrompt = 64
  private static let defaultTokens = 33
  private static let defaultSeconds = 5.0
  private static let mostPasses = 2_000

  static func run(_ arguments: Arguments, _ console: Console) throws -> ExitCode {
    let (trace, folded) = (arguments.string("--trace"), arguments.string("--folded"))
    let out = arguments.string("--out")
    for (option, path) in [("--trace", trace), ("--folded", folded), ("--out", out)] {
      try Output.refuseUnwritable(path, option: option)
    }
    let format = try arguments.choice("--format", of: RecordFormat.allCases)
    let variant = try arguments.variant()
    let threads = try arguments.threads()
    let seconds = try MeasuringOptions.budgetSeconds(arguments) ?? defaultSeconds
    let seed = try arguments.unsigned("--seed") ?? 1
    let project = try Project()
    let choice = try ModelChoice(arguments.string("--model"), for: .measuring, project, console)
    let configuration = choice.configuration
    let training = try trainingTest(arguments, variant)
    let (length, count) = try lengths(arguments, configuration)
    let tokenizer = try choice.tokenizer()
    let prompts = choice.prompts(tokenizer, seed: seed)
    Interruption.watch()
    var record = Record(
      kind: .endToEnd, command: arguments.command, started: Date().formatted(.iso8601),
      model: ModelDescription(choice, hasTokenizer: tokenizer != nil), machine: .current(),
      build: .current(project),
      settings: Settings(
        suite: nil, repetitions: 1, cellBudgetSeconds: seconds, seed: seed,
        warmup: training == nil ? "the prompt and one token once" : "one step"))
    if let training {
      let cell = try GenerationCells(configuration: configuration, prompts: prompts).make(training)
      let run = try trainingRun(cell, choice.checkpoint, variant, threads: threads, seconds: seconds)
      try measure(&record, run.trainer.threads, variant, console) { [try run.perform()] }
      return try show(record, as: format, out, console)
    }
    console.step("loading: \(variant.name)")
    let engine = try Engine(choice.checkpoint, variant: variant, threads: threads)
    let subject = Subject(
      engine: engine, sequence: try engine.makeSequence(),
      prompt: try prompts.make(tokens: length, batch: 1).prompts[0], newTokens: count)
    try measure(&record, engine.threads, variant, console) {
      let run = ProfileRun(
        engine: engine, sequence: subject.sequence, stageSeconds: seconds, mostPasses: mostPasses,
        measuresOverhead: true, warmsUp: true)
      return try run.perform(prompt: subject.prompt, newTokens: count)
    }
    let code = try show(record, as: format, out, console)
    if record.isComplete, trace != nil || folded != nil {
      try subject.trace(model: choice.name, to: trace, folded: folded, console)
    }
    return code
  }

  /// Between two measurements of the machine's ceilings.
  private static func measure(
    _ record: inout Record, _ threads: Int, _ variant: Variant, _ console: Console,
    _ profiles: () throws -> [Profile]
  ) throws {
    let probe = CeilingProbe(threads: Set([1, threads]).sorted())
    probe.products = ProductPeak.Numbers.of([variant.weights.rawValue])
    probe.measure(console)
    console.step("profiling: \(variant.name)")
    record.profiles = try profiles()
    record.isComplete = !Interruption.shared.isCancelled
    record.stop(Interruption.shared.reason)
    if record.isComplete { probe.measure(console) }
    console.endProgressLine()
    record.keep(probe)
    record.finished = Date().formatted(.iso8601)
  }

  private static func show(
    _ record: Record, as format: RecordFormat?, _ out: String?, _ console: Console
  ) throws -> ExitCode {
    try Output.put(record, as: format, out, console) {
      ProfileText(
        record, colour: $0, width: $1, isVerbose: console.isVerbose || !console.isTerminal
      ).text
    }
    return record.runExitCode
  }

  private static func trainingRun(
    _ cell: CellPlan, _ checkpoint: Checkpoint, _ variant: Variant, threads: Int, seconds: Double
  ) throws -> TrainingProfileRun {
    guard let request = cell.request.training else { throw UsageError("a generation is no training") }
    try MemoryLimit.check(
      cell.test.bytes(of: checkpoint.configuration, isCached: false), for: "\(cell.test.name) needs")
    let trainer = try Trainer(checkpoint, variant: variant, threads: threads, options: request.options)
    return TrainingProfileRun(
      trainer: trainer, windows: request.trainingWindows, seconds: seconds, mostPasses: mostPasses)
  }

  /// What `--train` says; nil where it is not given.
  private static func trainingTest(_ arguments: Arguments, _ variant: Variant) throws -> Test? {
    let tests = try arguments.training()
    guard let test = tests.first else { return nil }
    let option = Option.train.names[0]
    let found = arguments.string(option) ?? ""
    guard tests.count == 1 else {
      throw UsageError(option, found: found, expected: "one BxT, for example 4x64")
    }
    if let other = ["-p", "-n", "--trace", "--folded"].first(where: arguments.flag) {
      throw UsageError("\(option): found \(other) too, expected one of the two")
    }
    guard variant.trains else {
      throw UsageError(
        "--variant", found: variant.name, expected: "one with float32 weights for \(option): only those train"
      )
    }
    return test
  }

  private struct Subject {
    let engine: Engine
    let sequence: TokenSequence
    let prompt: [Int]
    let newTokens: Int

    func trace(model: String, to trace: String?, folded: String?, _ console: Console) throws {
      let threads = "\(engine.threads) thread\(engine.threads == 1 ? "" : "s")"
      console.step("tracing: \(engine.variant.name)")
      let timeline = try TraceRun(engine: engine, sequence: sequence).perform(
        prompt: prompt, newTokens: newTokens, title: "\(engine.variant.name), \(threads), \(model)")
      console.endProgressLine()
      if let trace {
        try ChromeTrace(timeline).write(to: trace)
        console.note("\(trace): written, \(timeline.spanCount) spans")
      }
      if let folded {
        try FoldedStacks(timeline).write(to: folded)
        console.note("\(folded): written")
      }
    }
  }

  private static func lengths(
    _ arguments: Arguments, _ configuration: Configuration
  ) throws -> (prompt: Int, tokens: Int) {
    let context = configuration.context
    let prompt = try arguments.integer("-p", in: 1...Int(Int32.max)) ?? min(defaultPrompt, context)
    guard prompt <= context else {
      throw UsageError("-p", found: "\(prompt)", expected: "at most the model's context of \(context)")
    }
    let room = context - prompt + 1
    let tokens = try arguments.integer("-n", in: 1...Int(Int32.max)) ?? min(defaultTokens, room)
    guard tokens <= room else {
      throw UsageError(
        "-n", found: "\(tokens)",
        expected:
          "at most \(room) after a prompt of \(prompt) in a context of \(context); the last token is never an "
          + "input")
    }
    return (prompt, tokens)
  }
}
