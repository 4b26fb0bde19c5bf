import Files
import Foundation
import GPT2Engine
import GPT2Kernels
import GPT2Model
import Record
import Reporting

/// What `all` and `run` share: a model, its references, and the run from the first worker to the last report.
struct EndToEnd {
  let arguments: Arguments
  let console: Console
  let project: Project
  let options: MeasuringOptions
  /// What goes to standard output.
  let output: StandardOutput

  let choice: ModelChoice
  let description: ModelDescription
  let prompts: Prompts
  let cells: GenerationCells

  var configuration: Configuration { choice.configuration }

  /// What is measured, of every model alike.
  struct Work {
    let tests: [Test]
    /// The name of the suite, where the tests are one's. A suite is for every model: its tests that are longer than a
    /// model's context are left out, and the record says so. One's own tests must fit.
    let suite: String?
    let repetitions: Int
    let budgetSeconds: Double
    /// How much of each reference is compared first.
    let scope: CheckScope
  }

  enum StandardOutput {
    case tables
    case record(RecordFormat)
    case nothing
  }

  init(_ arguments: Arguments, _ console: Console, _ output: StandardOutput) throws {
    self.arguments = arguments
    self.console = console
    project = try Project()
    options = try MeasuringOptions(arguments)
    self.output = output
    choice = try ModelChoice(arguments.string("--model"), for: .measuring, project, console)
    let tokenizer = try choice.tokenizer()
    description = ModelDescription(choice, hasTokenizer: tokenizer != nil && options.peers.isEmpty)
    prompts = choice.prompts(tokenizer, seed: options.seed)
    cells = GenerationCells(
      configuration: choice.configuration, prompts: prompts, startsAtText: description.hasTokenizer)
  }

  /// - Throws: `UsageError` for a test that does not fit; `RunError` where memory does not suffice.
  func plan(_ work: Work, _ cases: [FoundCase]) throws -> BenchPlan {
    let (kept, left) = try fitting(work.tests, suite: work.suite)
    let planned = try kept.map(cells.make)
    let (contestants, notes) = try planned.contestants(among: options.contestants)
    try MemoryLimit.check(
      contestants.map(planned.load(of:)), of: configuration, weightBytes: description.weightBytes,
      for: "the largest test, in each of \(contestants.count) workers at once, needs")
    let budgetSeconds = options.budgetSeconds ?? work.budgetSeconds
    return BenchPlan(
      command: arguments.command, kind: .endToEnd, model: description,
      contestants: contestants, cells: planned, firstToken: try cells.firstToken(),
      checkedTokens: checkedTokens(cases, work.scope),
      profile: try cells.profile(kept),
      settings: Settings(
        suite: work.suite, repetitions: options.repetitions ?? work.repetitions,
        cellBudgetSeconds: budgetSeconds, seed: options.seed,
        warmup: options.warmupWords(usual: GenerationCells.warmup(kept))),
      warmups: options.warmups, cellCapSeconds: 10 * budgetSeconds,
      timeoutSeconds: options.timeoutSeconds, warnings: leftOut(left) + notes + leniency)
  }

  /// - Parameter resumption: the run that is to be finished; nil for a new one.
  func run(_ work: Work, _ resumption: Resumption? = nil) throws -> Record {
    let cases = try referenceCases()
    let plan = try plan(work, cases)
    let tests = plan.cells.map(\.test)
    var request = try checkRequest(tests, scope: work.scope, cases)
    request.batch = tests.compactMap(\.generation?.batch).max().flatMap { $0 > 1 ? $0 : nil }
    let references = cases.filter { $0.model.isSame(as: choice.source) }.map(\.reference)
    var peerCheck = PeerCheck(setup: self, references: references, scope: work.scope)
    var trainingCheck = PeerTrainingCheck(plan.cells, setup: self)
    let started = Date()
    let keeper =
      try resumption.map { try RecordKeeper(at: $0.folder) }
      ?? RecordKeeper(arguments, "--out", in: project, started: started, model: choice.name)
    let bench = Bench(
      plan, project: project, console: console, started: started, onChange: keeper.keep)
    if let resumption { try bench.resume(resumption) }
    try bench.run { worker in
      if worker.contestant.peer == nil { return try worker.check(request) }
      return try peerCheck.rows(of: worker) + [trainingCheck?.row(of: worker)].compactMap { $0 }
    }
    try show(bench.record, in: keeper.folder)
    return bench.record
  }

  /// The record in the format that was asked for, or tables; then where the report is, and what one would do next.
  private func show(_ record: Record, in folder: ReportFolder) throws {
    let report = "report: \(Project.shown(folder.path))/report.html".safeLine
    if case .record(let format) = output { console.write(try format.text(of: record)) }
    guard case .tables = output else { return console.note(report) }
    console.print(
      TerminalTable(
        record, colour: console.usesColor, width: console.width, isVerbose: console.isVerbose
      ).text)
    if let earlier = EarlierRun(before: record, beside: folder.path) {
      let width = console.isTerminal ? console.width : .max
      earlier.change(to: record, at: folder.recordPath, width: width).forEach(console.print)
    }
    console.print(report)
    let next = nextCommand(after: record, in: Project.shown(folder.path))
    console.print(commandToType(next, after: "next: ", width: console.width))
  }

  /// What one would type next: to finish what was ended, to look at what failed, else to see why the fastest variant is
  /// the fastest.
  private func nextCommand(after record: Record, in folder: String) -> [String] {
    func command(_ words: String...) -> [String] {
      let model = arguments.string("--model").map { ["--model", $0] } ?? []
      return [Project.typedExecutable] + words + model
    }
    if !record.isComplete { return [Project.typedExecutable, "run", "--resume", folder] }
    if let failed = record.correctness.first(where: { !$0.passed }) {
      // Gradients were those of other models than the run's.
      return failed.subject == .gradients
        ? [
          Project.typedExecutable, "check", "--variants", failed.variant, "--reference",
          Project.shown(gradientsFolder),
        ] : command("check", "--variants", failed.variant)
    }
    let fastest = record.ranking.filter(Variant.isName)
    if fastest.count > 1 { return command("explain", fastest[1], fastest[0]) }
    return command("profile", "--variant", fastest.first ?? Defaults.variant)
  }

  /// The tests that the model has the context for, and those of a suite that it has not.
  ///
  /// - Throws: `UsageError` where none of a suite's is left.
  func fitting(_ tests: [Test], suite: String?) throws -> (kept: [Test], left: [Test]) {
    let left = suite == nil ? [] : tests.filter { !$0.fits(configuration) }
    let kept = tests.filter { !left.contains($0) }
    guard !kept.isEmpty else {
      throw UsageError(
        "--suite", found: suite ?? "",
        expected: "a test that fits the model's context of \(configuration.context)")
    }
    return (kept, left)
  }

  private var leniency: [String] {
    let factor = options.contestantTolerance
    let text = factor == factor.rounded() ? "\(Int(factor))" : "\(factor)"
    return factor == 1 ? [] : ["logits of other programs were allowed \(text) times the error of float32"]
  }

  /// What the record says of tests that are left out; nothing where there are none.
  func leftOut(_ tests: [Test]) -> [String] {
    guard !tests.isEmpty else { return [] }
    let names = tests.map(\.name).joined(separator: ", ")
    return ["left out, longer than the model's context of \(configuration.context): \(names)"]
  }

  private var references: String { arguments.string("--reference") ?? project.references }

  /// Where there are none among the references that were named, the project's.
  private var gradientsFolder: String { References.gradients(in: references)?.folder ?? project.gradients }

  typealias FoundCase = (folder: String, reference: ReferenceCase, model: ModelSource)

  func referenceCases() throws -> [FoundCase] {
    try References.folders(in: references).map { folder in
      let reference = try ReferenceCase(folder: folder)
      return (folder, reference, try project.model(of: reference))
    }
  }

  /// Every prompt once, and again for its greedy continuation: a variant that recomputes takes it through the model for
  /// each step of that.
  private func checkedTokens(_ cases: [FoundCase], _ scope: CheckScope) -> (Variant.Decoding) -> Int {
    let own = cases.filter { $0.model.isSame(as: choice.source) }.flatMap(\.reference.prompts)
      .filter { $0.ids.count <= scope.longestPrompt }
    return { decoding in
      own.reduce(0) { sum, prompt in
        let steps = min(prompt.greedy.count, scope.greedySteps)
        let repeats = decoding == .recompute ? steps : min(steps, 1)
        return sum + (1 + repeats) * prompt.ids.count
      }
    }
  }

  /// What a worker of this build is asked before it is timed: all references of small models, and those of this
  /// model; where it has none, `naive` on a short prompt; a text where its weights are not float32's; and gradients
  /// where a test trains.
  func checkRequest(_ tests: [Test], scope: CheckScope, _ cases: [FoundCase]) throws -> CheckRequest {
    let isKnown = cases.contains { $0.model.isSame(as: choice.source) }
    let usable = cases.filter { reference in
      reference.model.isSame(as: choice.source) || reference.model.isSmall
    }
    let length = min(16, configuration.context)
    return CheckRequest(
      references: usable.map(\.folder), scope: scope,
      oraclePrompts: isKnown ? [] : try prompts.make(tokens: length, batch: 1).prompts,
      perplexity: project.text,
      gradients: tests.contains { $0.training != nil } ? try gradientReferences() : nil)
  }
}

extension EndToEnd {
  /// The references of gradients that every variant computes in a moment.
  ///
  /// - Throws: `RunError` where there is none: nothing may be timed that was not checked.
  private func gradientReferences() throws -> [ModelFileRequest] {
    let small = try KnownGradients(in: gradientsFolder, project).ofSmallModels.requests
    guard !small.isEmpty else {
      throw RunError("\(gradientsFolder): found no reference of a small model's gradients")
    }
    return small
  }
}

extension ModelSource {
  /// Whether any variant computes with it in a moment.
  var isSmall: Bool {
    guard case .synthetic(let shape, _) = self else { return true }
    return shape.parameterCount < 10_000_000
  }
}
