import Foundation
import GPT2Engine
import GPT2Kernels
import Record
import Reporting

enum Compare: Command {
  static let description = CommandDescription(
    name: "compare",
    summary: "compares two records, or measures two builds in turns; exits 3 on a regression",
    operands: "[BASE HEAD]", operandCount: 0...2,
    examples: [
      ("two runs by their folders, or by their records", "gpt2-bench compare reports/BASE reports/HEAD"),
      ("another build and this one, measured in turns", "gpt2-bench compare --against ../base/gpt2-bench"),
      ("as a page", "gpt2-bench compare reports/BASE reports/HEAD --format html --out page.html"),
    ],
    options: [
      .maxRegression.defaulting(to: "\(Thresholds().words); with --against \(Thresholds.interleaved.words)"),
      .rows,
      RecordFormat.option(
        RecordFormat.ownAndServices,
        remark: "; github writes annotations to standard output with --out, else to standard error"),
      .outFile,
    ] + CompareBuilds.options)

  typealias Outcome = (comparison: Comparison, head: Record)

  static func run(_ arguments: Arguments, _ console: Console) throws -> ExitCode {
    let asked = try arguments.choice("--format", of: RecordFormat.ownAndServices)
    let out = try arguments.outFile()
    let base = arguments.string("--against")
    guard base == nil || arguments.operands.isEmpty else {
      throw UsageError("--against: found records too, expected one of the two")
    }
    let outcome =
      try base.map { try CompareBuilds(arguments, console).run(against: $0) } ?? ofRecords(arguments)
    try (asked ?? .markdown).put(
      outcome.comparison, head: outcome.head, to: out, isFormatted: asked != nil, console)
    if base != nil, !outcome.head.isComplete { return Interruption.shared.exitCode }
    return ExitCode(rawValue: outcome.comparison.exitCode) ?? .error
  }

  private static func ofRecords(_ arguments: Arguments) throws -> Outcome {
    guard arguments.operands.count == 2 else {
      throw UsageError(
        "found \(arguments.operands.isEmpty ? "no operand" : "1 operand"), expected two records, BASE and HEAD, or --against PATH"
      )
    }
    for option in CompareBuilds.options where option.names.contains(where: arguments.flag) {
      throw UsageError("\(option.names[0]): found two records, expected --against with it")
    }
    let thresholds = try arguments.thresholds()
    let filter = try arguments.rowFilter()
    let (base, head) = (arguments.operands[0], arguments.operands[1])
    if base == head, base == RecordFile.standardInput {
      throw UsageError("found standard input for both records, expected it for one of them")
    }
    let records = (base: try Record.read(path: base), head: try Record.read(path: head))
    guard let filter else {
      let comparison = Comparison(
        base: records.base, head: records.head, thresholds: thresholds, baseLabel: base, headLabel: head)
      return (comparison, records.head)
    }
    let comparison = try arguments.value(of: .rows) {
      try Comparison(
        base: records.base, head: records.head, thresholds: thresholds, filter: filter, baseLabel: base,
        headLabel: head)
    }
    return (comparison, records.head)
  }
}

/// `compare --against`: this build and another one, interleaved now.
struct CompareBuilds {
  static let options: [Option] = [
    Option(
      "--against", value: "PATH", in: .subject, default: "none, but then BASE and HEAD are needed",
      help: "measure this build in turns with the gpt2-bench at PATH, which is the base"),
    .model, .suite.defaulting(to: defaultSuite), .train.defaulting(to: "the suite's"),
    Option(
      "--size", value: "[Mx]KxN,…", in: .subject, default: "the tests of --suite",
      help: "with --against: these matrix products instead of a model's tests"),
    .variants.defaulting(to: Defaults.variant), .kv, .threadList,
    Option(
      "--budget", value: "S", in: .effort, default: "\(Int(defaultBudget))",
      help: "with --against: seconds to look for changes; confirming them takes extra time"),
    .seed, .reference, MeasuringOptions.timeout,
    Option(
      "--keep", value: "DIR", default: "a new one in reports/",
      help: "with --against: folder for the record and its reports"),
  ]

  private static let defaultBudget = 120.0
  private static let defaultSuite = "compare"
  private static let firstLook = 10
  private static let scope = CheckScope(longestPrompt: 17, greedySteps: 2)

  let arguments: Arguments
  let console: Console
  let options: MeasuringOptions
  private let variants: [Variant]
  let thresholds: Thresholds
  let filter: RowFilter?

  init(_ arguments: Arguments, _ console: Console) throws {
    self.arguments = arguments
    self.console = console
    options = try MeasuringOptions(arguments)
    variants = try arguments.flag("--variants") ? options.variants : [arguments.variant()]
    // Interleaved samples can tell more than runs apart.
    thresholds = try arguments.thresholds(defaults: .interleaved)
    filter = try arguments.rowFilter()
  }

  func run(against path: String) throws -> Compare.Outcome {
    let base = try OtherBuild(path, "--against").path
    let project = try Project()
    let plan = try arguments.string("--size").map { try matmuls($0, base) } ?? generations(base)
    let started = Date()
    let bench = PairedBench(plan, project: project, console: console, started: started)
    try arguments.value(of: .rows) { try bench.record.refuseEmptyFilter() }
    let what = plan.model.flatMap { $0.name.split(separator: "/").last } ?? "matmul"
    let keeper = try RecordKeeper(
      arguments, "--keep", in: project, started: started, model: "compare-\(what)")
    try bench.run(onChange: keeper.keep)
    let comparison = try Comparison(bench.record)
    try keeper.folder.write(comparison)
    console.note("report: \(Project.shown(keeper.folder.comparisonPage))")
    return (comparison, Record(headOf: bench.record))
  }

  private func generations(_ base: String) throws -> PairedPlan {
    let setup = try EndToEnd(arguments, console, .tables)
    let suite = try Suite(arguments.string("--suite") ?? Self.defaultSuite, in: setup.project)
    let (kept, left) = try setup.fitting(
      (suite.tests + arguments.training()).uniqued(), suite: suite.name)
    let cells = try kept.map(setup.cells.make)
    let (contestants, notes) = try cells.contestants(among: self.contestants)
    // One contestant's processes are there at once.
    for contestant in contestants {
      let sides = PairedSide.allCases.map { _ in cells.load(of: contestant) }
      try MemoryLimit.check(
        sides, of: setup.configuration, weightBytes: setup.description.weightBytes,
        for: "the largest test, in each of \(sides.count) workers at once, needs")
    }
    let request = try setup.checkRequest(kept, scope: Self.scope, setup.referenceCases())
    return PairedPlan(
      command: arguments.command, base: base, model: setup.description, contestants: contestants,
      cells: cells, checks: [request],
      settings: settings(suite: suite.name, warmup: GenerationCells.warmup(kept)),
      timeoutSeconds: options.timeoutSeconds, warnings: setup.leftOut(left) + notes)
  }

  private func matmuls(_ size: String, _ base: String) throws -> PairedPlan {
    let shapes = try Matmul.shapes(size)
    try KernelBench.refuseTooLarge(shapes, contestants: PairedSide.allCases.count, sizedBy: "--size")
    return PairedPlan(
      command: arguments.command, base: base, model: nil, contestants: contestants,
      cells: shapes.map(OperationCells.make),
      checks: shapes.map { CheckRequest(operation: $0) },
      settings: settings(suite: nil, warmup: OperationCells.matmulWarmup),
      timeoutSeconds: options.timeoutSeconds)
  }

  private var contestants: [Contestant] { Contestant.all(variants, threads: options.threads) }

  private func settings(suite: String?, warmup: String) -> PairedSettings {
    PairedSettings(
      suite: suite, budgetSeconds: options.budgetSeconds ?? Self.defaultBudget, seed: options.seed,
      maxRegression: thresholds.text, rows: filter?.text, alpha: 0.05, firstLook: Self.firstLook,
      confirmationBlocks: Self.firstLook, warmup: warmup)
  }
}

extension Option {
  static let maxRegression = Option(
    "--max-regression", value: "P", in: .judgement, default: Thresholds().words,
    help: "how much worse counts as a regression: 5%, or by metric: 5%,decode=2%,memory=1%")
  static let rows = Option(
    "--rows", value: "W,…", in: .judgement, default: "all",
    help:
      "compare only rows whose label 'variant weights tTHREADS test metric' has every word of one of these terms, for "
      + "example \"packed decode,memory\"")
}

extension Arguments {
  func thresholds(defaults: Thresholds = Thresholds()) throws -> Thresholds {
    guard let text = string(Option.maxRegression.names[0]) else { return defaults }
    return try value(of: .maxRegression) { try Thresholds(parsing: text, defaults: defaults) }
  }

  func rowFilter() throws -> RowFilter? {
    guard let text = string(Option.rows.names[0]) else { return nil }
    return try value(of: .rows) { try RowFilter(parsing: text) }
  }

  /// What `make` makes of the option's value; what it finds wrong with it is a usage error.
  func value<Value>(of option: Option, _ make: () throws -> Value) throws -> Value {
    do { return try make() } catch let error as OptionError {
      throw UsageError(option.names[0], found: error.found, expected: error.expected)
    }
  }
}

extension RecordFormat {
  /// - Parameter head: the record of the head. Services that follow figures over time want those of one build, so
  ///   their formats hold the head's, all of them.
  func text(of comparison: Comparison, head: Record) throws -> String {
    switch self {
    case .markdown: comparison.markdown
    case .csv: comparison.csv
    case .json: try comparison.json
    case .html: comparison.html
    case .gitHub: comparison.gitHubComment
    case .gitHubAction, .bencher, .llamaBench, .llamaBenchSQL: try text(of: head)
    }
  }

  /// Writes the comparison to the file where one is named, otherwise to standard output. GitHub Actions reads
  /// annotations from a step's standard output: there they go where the comment has a file of its own.
  func put(
    _ comparison: Comparison, head: Record, to path: String?, isFormatted: Bool, _ console: Console
  ) throws {
    try Output.put(path, console, isFormatted: isFormatted, text: text(of: comparison, head: head)) {
      comparison.terminal(colour: $0, width: $1, isVerbose: $2)
    }
    guard self == .gitHub else { return }
    for line in comparison.gitHubAnnotations {
      if path == nil { console.warn(line) } else { console.print(line) }
    }
  }
}
