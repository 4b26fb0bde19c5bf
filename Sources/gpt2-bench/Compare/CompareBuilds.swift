import Foundation
import GPT2Engine
import GPT2Kernels
import Measurement
import Record
import Reporting

/// `compare --against`: this build and another one, interleaved now.
struct CompareBuilds {
  static let options: [Option] = [
    Option(
      "--against", value: "PATH",
      help: "measure this build against that gpt2-bench, in turns: the other is the base"),
    .model,
    Option("--suite", value: "S", help: "with --against: compare (default), quick, full or a suite's file"),
    Option(
      "--size", value: "[Mx]KxN,…", help: "with --against: these matrix products in place of a model's tests"),
    Option(
      "--variants", value: "V,…",
      help: "with --against: \(Defaults.variant) unless named; all for every one"),
    .threadList,
    Option(
      "--budget", value: "S",
      help: "with --against: seconds to look for changes (default \(Int(defaultBudget))); "
        + "confirming them comes on top"),
    .seed, .reference, MeasuringOptions.timeout,
    Option("--keep", value: "DIR", help: "with --against: the folder that gets the record and its reports"),
  ]

  private static let defaultBudget = 120.0
  /// Interleaved samples can tell more than runs apart.
  static let thresholds = Thresholds.interleaved
  private static let firstLook = 10
  private static let scope = CheckScope(longestPrompt: 17, greedySteps: 2)

  let arguments: Arguments
  let console: Console
  let options: MeasuringOptions
  let thresholds: Thresholds
  let filter: RowFilter?

  init(_ arguments: Arguments, _ console: Console) throws {
    self.arguments = arguments
    self.console = console
    options = try MeasuringOptions(arguments)
    thresholds = try arguments.thresholds(defaults: Self.thresholds)
    filter = try arguments.rowFilter()
  }

  func run(against path: String) throws -> Compare.Outcome {
    let base = try Self.executable(path)
    let project = try Project()
    let plan = try arguments.string("--size").map { try products($0, base) } ?? generations(base)
    let started = Date()
    let bench = PairedBench(
      plan, project: project, console: console, command: commandWords(), started: started)
    try arguments.value(of: .rows) { try bench.record.refuseEmptyFilter() }
    let folder = try folder(project, plan, started)
    try bench.run(onChange: { try folder.write($0) })
    let comparison = try Comparison(bench.record)
    try folder.write(comparison)
    console.note("record and reports: \(Project.shown(folder.path))")
    return (comparison, Record(headOf: bench.record))
  }

  private func generations(_ base: String) throws -> PairedPlan {
    let setup = try EndToEnd(arguments, console)
    let suite = try Suite(arguments.string("--suite") ?? "compare", in: setup.project)
    let prompts = Prompts(
      vocabulary: setup.configuration.vocabulary, tokenizer: setup.tokenizer, seed: options.seed)
    let cells = GenerationCells(
      configuration: setup.configuration, prompts: prompts, startsAtText: setup.description.hasTokenizer)
    let (kept, left) = try setup.fitting(suite.tests, suite: suite.name)
    try refuseTooLarge(kept, setup)
    let request = try setup.checkRequest(scope: Self.scope, prompts)
    return PairedPlan(
      head: Project.executable, base: base, model: setup.choice.source.name,
      modelDescription: setup.description, contestants: contestants, cells: try kept.map(cells.make),
      checks: [request], settings: settings(suite: suite.name, warmup: GenerationCells.warmup),
      timeoutSeconds: options.timeoutSeconds, warnings: left.isEmpty ? [] : [setup.leftOut(left)])
  }

  /// A contestant's three processes hold what they need at once.
  private func refuseTooLarge(_ tests: [Test], _ setup: EndToEnd) throws {
    let most = contestants.flatMap { contestant in
      tests.map { $0.bytes(of: setup.configuration, isCached: contestant.decoding == .cache) }
    }
    let sides = Double(PairedSide.allCases.count)
    try MemoryLimit.check(
      sides * (Double(setup.description.weightBytes) + (most.max() ?? 0)),
      for: "the largest test, in each of \(Int(sides)) workers at once, needs")
  }

  private func products(_ size: String, _ base: String) throws -> PairedPlan {
    let shapes = try Matmul.shapes(size)
    try KernelBench.refuseTooLarge(
      shapes, contestants: PairedSide.allCases.count, sizedBy: "--size")
    return PairedPlan(
      head: Project.executable, base: base, model: nil, modelDescription: nil, contestants: contestants,
      cells: shapes.map(OperationCells.make),
      checks: shapes.map { CheckRequest(operation: $0) },
      settings: settings(suite: nil, warmup: OperationCells.matmulWarmup),
      timeoutSeconds: options.timeoutSeconds)
  }

  private var contestants: [Contestant] {
    let variants = arguments.string("--variants") == nil ? [Variant.preferred] : options.variants
    return Contestant.all(variants, threads: options.threads)
  }

  private func settings(suite: String?, warmup: String) -> PairedSettings {
    PairedSettings(
      suite: suite, budgetSeconds: options.budgetSeconds ?? Self.defaultBudget, seed: options.seed,
      maxRegression: thresholds.text, rows: filter?.text, alpha: 0.05, firstLook: Self.firstLook,
      confirmationBlocks: Self.firstLook, warmup: warmup)
  }

  private func folder(_ project: Project, _ plan: PairedPlan, _ started: Date) throws -> ReportFolder {
    if let path = arguments.string("--keep") {
      guard !path.isEmpty else { throw UsageError("--keep", found: "", expected: "a folder") }
      return try ReportFolder.create(at: path)
    }
    let what = plan.model.flatMap { $0.split(separator: "/").last } ?? "matmul"
    return try ReportFolder.create(
      in: project.reports, started: started.formatted(.iso8601), model: "compare-\(what)")
  }

  /// The program as an absolute path.
  private static func executable(_ path: String) throws -> String {
    var isFolder: ObjCBool = false
    let exists = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
    guard exists, !isFolder.boolValue, FileManager.default.isExecutableFile(atPath: path) else {
      let found = !exists ? "no file" : isFolder.boolValue ? "a folder" : "a file that cannot be executed"
      throw UsageError(
        "--against", found: path, expected: "another build's gpt2-bench, and there is \(found)")
    }
    return URL(fileURLWithPath: path).standardizedFileURL.path
  }
}

extension Contestant {
  var paired: PairedContestant {
    PairedContestant(variant: label, weights: weights, threads: threads)
  }
}
