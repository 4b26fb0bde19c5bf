import Foundation
import GPT2Engine
import GPT2Model
import Measurement
import Reporting

enum Profiling: Command {
  static let description = CommandDescription(
    name: "profile", summary: "shows where the time of a prompt and of a token goes",
    options: [
      .model, .variant, .threads,
      Option("-p", value: "P", help: "tokens of the prompt (default \(defaultPrompt))"),
      Option(
        "-n", value: "N", help: "new tokens, each a pass of decoding but the first (default \(defaultTokens))"
      ),
      Option(
        "--trace", value: "FILE",
        help: "write a timeline for Perfetto or chrome://tracing, of one more run of all N tokens"),
      Option("--folded", value: "FILE", help: "write folded stacks for flame graphs and speedscope"),
      Option(
        "--budget", value: "S", help: "seconds for the passes of a stage (default \(Int(defaultSeconds)))"),
      .seed,
      Option("--format", value: "F", help: "as of report (default: a tree for the terminal)"), .outFile,
    ])

  private static let defaultPrompt = 64
  private static let defaultTokens = 33
  private static let defaultSeconds = 5.0
  private static let mostPasses = 2_000

  static func run(_ arguments: Arguments, _ console: Console) throws -> ExitCode {
    let files = [arguments.string("--trace"), arguments.string("--folded")]
    let out = arguments.string("--out")
    for (option, path) in zip(["--trace", "--folded", "--out"], files + [out]) {
      try Output.refuseUnwritable(path, option: option)
    }
    let format = try arguments.recordFormat(of: RecordFormat.allCases)
    let project = try Project()
    let variant = try arguments.variant()
    let threads = try arguments.integer("-t", in: Threads.range) ?? Threads.available
    let choice = try ModelChoice(arguments.string("--model"), for: .measuring, project, console)
    let checkpoint = try choice.open()
    let configuration = checkpoint.configuration
    let (length, count) = try lengths(arguments, configuration)
    let tokenizer = try choice.tokenizer(of: configuration)
    let prompt = try Prompts(
      vocabulary: configuration.vocabulary, tokenizer: tokenizer, seed: arguments.unsigned("--seed") ?? 1
    ).make(tokens: length, batch: 1).prompts[0]
    let seconds = try budget(arguments)
    Interruption.watch()
    let started = Date()
    let progress = ProgressDisplay(console: console)
    progress.step("loading: \(variant.name)")
    let engine = try Engine(checkpoint, variant: variant, threads: threads)
    let sequence = try engine.makeSequence()
    var record = Record(
      kind: .endToEnd, command: commandWords(), started: started.formatted(.iso8601),
      model: ModelDescription(choice, checkpoint, hasTokenizer: tokenizer != nil), machine: .current(),
      build: .current(project),
      settings: Settings(
        suite: nil, repetitions: 1, cellBudgetSeconds: seconds, seed: try arguments.unsigned("--seed") ?? 1,
        warmup: "the prompt and one token once"))
    let probe = CeilingProbe(threads: Set([1, engine.threads]).sorted())
    progress.step("measuring the machine's ceilings")
    probe.measure()
    progress.step("profiling: \(variant.name)")
    let run = ProfileRun(
      engine: engine, sequence: sequence, stageSeconds: seconds, mostPasses: mostPasses,
      measuresOverhead: true,
      warmsUp: true)
    record.profiles = try run.perform(prompt: prompt, newTokens: count)
    if !Interruption.shared.isCancelled {
      progress.step("measuring the machine's ceilings")
      probe.measure()
    }
    progress.end()
    record.ceilings = probe.ceilings.compactMap(Ceiling.init)
    record.ceilingSeconds = probe.seconds
    record.isComplete = !Interruption.shared.isCancelled
    record.finished = Date().formatted(.iso8601)
    if format == nil, out == nil {
      let text = ProfileText(record, colour: console.usesColor, width: console.width ?? 100)
      console.print(text.text)
    } else {
      try Output.put((format ?? .markdown).text(of: record), out, console)
    }
    if record.isComplete, files.contains(where: { $0 != nil }) {
      progress.step("tracing: \(variant.name)")
      let timeline = try TraceRun(engine: engine, sequence: sequence).perform(
        prompt: prompt, newTokens: count,
        title: "\(variant.name), \(engine.threads) thread\(engine.threads == 1 ? "" : "s"), "
          + choice.source.name)
      progress.end()
      if let trace = files[0] {
        try ChromeTrace(timeline).write(to: trace)
        console.note("\(trace): written, \(timeline.spanCount) spans")
      }
      if let folded = files[1] {
        try FoldedStacks(timeline).write(to: folded)
        console.note("\(folded): written")
      }
    }
    return record.runExitCode
  }

  /// The prompt's length and the new tokens behind it.
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
        expected: "at most \(room) behind a prompt of \(prompt) in a context of \(context); "
          + "the last token is not taken in")
    }
    return (prompt, tokens)
  }

  private static func budget(_ arguments: Arguments) throws -> Double {
    let seconds = try arguments.number("--budget") ?? defaultSeconds
    guard MeasuringOptions.budgets.contains(seconds) else {
      throw UsageError(
        "--budget", found: arguments.string("--budget") ?? "",
        expected: "seconds, \(MeasuringOptions.budgetRange)")
    }
    return seconds
  }
}
