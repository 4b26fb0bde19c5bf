import GPT2Engine
import Record
import Reporting

enum All: Command {
  static let description = CommandDescription(
    name: "all", summary: "checks and measures every variant, and writes the reports",
    examples: [
      ("every variant on GPT-2 124M's shape, a few minutes", "gpt2-bench all"),
      ("a trained model of a million parameters, in seconds", "gpt2-bench all --model weights/tiny -r 3"),
      ("two variants, each on one thread and on two", "gpt2-bench all --variants simd8,packed -t 1,2"),
    ],
    options: [
      .models, .suite.defaulting(to: "quick"), .train.defaulting(to: "the suite's"), .variants, .kv,
      .contestant,
      .contestantTolerance, .threadList,
      .repetitions.defaulting(to: "the suite's"), MeasuringOptions.budget.defaulting(to: "the suite's"),
      MeasuringOptions.warmup,
      .seed, .outFolder, .history, .runFormat, .reference,
      Option(
        "--baseline", value: "RECORD", in: .judgement, default: "none",
        help: "compare with this record, or the baseline of this name; exits 3 on a regression"),
      .saveBaseline, .maxRegression, MeasuringOptions.timeout,
    ])

  /// Enough of each reference to catch a wrong kernel in seconds; `check` compares all of it.
  private static let scope = CheckScope(longestPrompt: 65, greedySteps: 4)

  static func run(_ arguments: Arguments, _ console: Console) throws -> ExitCode {
    try run(arguments, console, nil)
  }

  /// - Parameter resumption: the run that is to be finished; nil for a new one.
  static func run(
    _ arguments: Arguments, _ console: Console, _ resumption: Resumption?
  ) throws -> ExitCode {
    let project = try Project()
    let suite = try Suite(arguments.string("--suite") ?? "quick", in: project)
    let tests = (suite.tests + (try arguments.training())).uniqued()
    let work = EndToEnd.Work(
      tests: tests, suite: suite.name, repetitions: suite.repetitions,
      budgetSeconds: suite.cellBudgetSeconds, scope: scope)
    if let series = try ModelSeries(arguments) { return try series.run(work, console) }
    let thresholds = try arguments.thresholds()
    let baselines = Baselines(in: project)
    let saved = try arguments.baselineToSave()
    let baseline = try arguments.string("--baseline").map {
      try readBaseline(
        baselines.path(meaning: $0), tests: tests, contestants: MeasuringOptions(arguments).contestants)
    }
    let record = try EndToEnd(arguments, console, arguments.runOutput()).run(work, resumption)
    if let saved { try baselines.save(record, as: saved, console) }
    let code = record.runExitCode
    guard code == .done, let baseline else { return code }
    let comparison = Comparison(
      base: baseline, head: record, thresholds: thresholds, baseLabel: arguments.string("--baseline"))
    try show(comparison, isBesideRecord: arguments.flag("--format"), console)
    return ExitCode(rawValue: comparison.exitCode) ?? .error
  }

  /// On standard output, unless the record is there in a format of its own.
  private static func show(_ comparison: Comparison, isBesideRecord: Bool, _ console: Console) throws {
    guard isBesideRecord else {
      return try Output.put(nil, console, isFormatted: false, text: comparison.markdown + "\n") {
        comparison.terminal(colour: $0, width: $1, isVerbose: $2)
      }
    }
    guard !console.isQuiet else { return }
    StandardStream.error.write(comparison.terminal(colour: false, width: console.width, isVerbose: false))
  }

  /// The record to compare with, which must have something to compare: that is known before minutes of measuring.
  private static func readBaseline(
    _ path: String, tests: [Test], contestants: [Contestant]
  ) throws -> Record {
    let record = try Record.read(path: path)
    guard record.kind == .endToEnd else {
      throw RunError(
        "\(path): kind: found \(record.kind.rawValue), expected \(Record.Kind.endToEnd.rawValue)")
    }
    let isShared = record.cells.contains { cell in
      cell.status == .measured && tests.contains(cell.test)
        && contestants.contains { $0.label == cell.variant && $0.threads == cell.threads }
    }
    guard isShared else {
      let names = tests.map(\.name).joined(separator: ", ")
      throw RunError(
        "\(path): found no figure for the variants and threads of this run, expected one of its tests: \(names)"
      )
    }
    return record
  }
}

extension Suite {
  var tests: [Test] {
    prefill.map { .prefill(tokens: $0, batch: 1) }
      + decode.map { .decode(tokens: $0.tokens, depth: $0.depth, batch: 1) }
      + (train ?? []).map { .training(batch: $0.batch, context: $0.context) }
  }
}
