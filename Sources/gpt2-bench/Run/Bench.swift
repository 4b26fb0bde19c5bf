import Foundation
import Measurement
import Reporting

/// Carries out a plan: starts the contestants, has them checked, times them in rounds, and keeps the record that
/// comes of it.
final class Bench {
  private let plan: BenchPlan
  private let project: Project
  private let progress: ProgressDisplay
  /// Called with the record whenever a cell has ended; an error ends the run.
  private let onChange: (Record) throws -> Void

  private(set) var record: Record
  private var contestants: [BenchContestant?]
  private var loads: [LoadTimes?]
  private var ids: [Int: [Int: [[Int]]]] = [:]
  private var changeError: (any Error)?

  init(
    _ plan: BenchPlan, project: Project, console: Console, command: [String], started: Date,
    onChange: @escaping (Record) throws -> Void
  ) {
    self.plan = plan
    self.project = project
    self.onChange = onChange
    progress = ProgressDisplay(console: console)
    contestants = plan.contestants.map { _ in nil }
    loads = plan.contestants.map { _ in nil }
    record = Record(
      kind: plan.kind, command: command, started: started.formatted(.iso8601),
      model: plan.modelDescription, machine: .current(), build: .current(project),
      settings: plan.settings)
    for contestant in plan.contestants {
      for cell in plan.cells {
        var row = Cell(
          variant: contestant.variant.name, weights: contestant.variant.weights,
          threads: contestant.threads, test: cell.test, status: .pending)
        (row.flops, row.bytes) = cell.work(contestant.variant.decoding)
        record.cells.append(row)
      }
    }
  }

  /// - Parameters:
  ///   - coldLoad: whether loading with the file out of the page cache is timed too.
  ///   - check: what each contestant is held against before it is timed.
  func run(coldLoad: Bool, check: (ContestantPlan) -> [CheckRequest]) throws {
    defer { for contestant in contestants { contestant?.stop() } }
    Interruption.watch()
    warnOfConditions()
    try onChange(record)
    progress.step("measuring the machine's ceilings")
    let threads = Set(plan.contestants.map(\.threads)).union([1]).sorted()
    record.ceilings = Ceiling.measure(threads: threads)
    if coldLoad { measureColdLoads() }
    for index in plan.contestants.indices where !isCancelled { start(index) }
    for index in plan.contestants.indices where !isCancelled {
      hold(index, against: check(plan.contestants[index]))
    }
    try onChange(record)
    measureRounds()
    if let changeError { throw changeError }
    if !isCancelled {
      raiseCeilings(threads)
      rejectImpossible()
      compareTokens()
      record.isComplete = true
    }
    record.finished = Date().formatted(.iso8601)
    try onChange(record)
  }

  private var isCancelled: Bool { Interruption.shared.isCancelled }

  // MARK: - Before the rounds

  private func warnOfConditions() {
    record.warnings += plan.warnings
    if record.build.configuration == "debug" {
      record.warnings.append(
        "this is a debug build of the command; time release builds: swift run -c release")
    }
    let most = plan.contestants.map(\.threads).max() ?? 1
    if most > record.machine.logicalCores {
      record.warnings.append("\(most) threads share \(record.machine.logicalCores) cores")
    }
  }

  /// Loads in a process of its own for each contestant, with the file's pages dropped first.
  private func measureColdLoads() {
    for (index, contestant) in plan.contestants.enumerated() where !isCancelled {
      progress.step("loading cold: \(contestant.name)")
      guard
        let process = try? BenchContestant(
          contestant, executable: Project.executable, timeoutSeconds: plan.timeoutSeconds)
      else { continue }
      defer { process.stop() }
      if let answer = try? process.load(model: plan.model, cold: true), answer.wasCold == true {
        loads[index] = LoadTimes(coldNanoseconds: answer.loadNanoseconds, warmNanoseconds: nil)
      }
    }
  }

  private func start(_ index: Int) {
    let contestant = plan.contestants[index]
    progress.step("loading: \(contestant.name)")
    do {
      let process = try BenchContestant(
        contestant, executable: Project.executable, timeoutSeconds: plan.timeoutSeconds)
      contestants[index] = process
      let answer = try process.load(model: plan.model, cold: false)
      loads[index] = LoadTimes(
        coldNanoseconds: loads[index]?.coldNanoseconds, warmNanoseconds: answer.loadNanoseconds)
    } catch {
      drop(index, error)
    }
  }

  /// Whatever goes wrong here leaves the contestant without a figure.
  private func hold(_ index: Int, against requests: [CheckRequest]) {
    guard let contestant = contestants[index] else { return }
    progress.step("checking: \(contestant.plan.name)")
    do {
      for request in requests {
        for row in CheckRows.rows(of: try contestant.check(request), request, contestant.plan) {
          record.correctness.append(row)
        }
      }
    } catch {
      drop(index, error)
      return
    }
    let failures = record.correctness.filter { $0.isOf(contestant.plan) && !$0.passed }
    guard let failure = failures.first else { return }
    progress.finished("\(contestant.plan.name): failed the check: \(failure.failure ?? "")")
    for cell in rows(of: index) {
      record.cells[cell].status = .failedCheck
      record.cells[cell].message = "\(failure.reference): \(failure.failure ?? "failed")"
    }
    contestant.stop()
    contestants[index] = nil
  }

  /// Takes a contestant out of the run; its cells say why.
  private func drop(_ index: Int, _ error: any Error) {
    contestants[index]?.stop()
    contestants[index] = nil
    guard !isCancelled else { return }
    progress.finished("\(error)")
    for cell in rows(of: index) where record.cells[cell].status == .pending {
      record.cells[cell].status = Cell.Status(error)
      record.cells[cell].message = "\(error)"
    }
  }

  private func rows(of contestant: Int) -> Range<Int> {
    contestant * plan.cells.count..<(contestant + 1) * plan.cells.count
  }

  // MARK: - The rounds

  private func measureRounds() {
    let entries = plan.contestants.indices.filter { contestants[$0] != nil }
      .flatMap { contestant in
        plan.cells.indices.map { RoundPlan.Entry(contestant: contestant, cell: $0) }
      }
    let rounds = RoundPlan(
      entries: entries, repetitions: plan.settings.repetitions,
      cellBudget: .seconds(plan.settings.cellBudgetSeconds), cellCap: .seconds(plan.cellCapSeconds),
      seed: plan.settings.seed)
    var observers = Rounds<RunAnswer>.Observers()
    observers.onProgress = { [self] in
      let label = $0.next.map { "\(plan.contestants[$0.contestant].name) \(plan.cells[$0.cell].test.name)" }
      progress.draw($0, label: label ?? "")
    }
    observers.onSample = { [self] in keep($1, of: $0) }
    observers.onCellEnd = { [self] in end($0, $1) }
    _ = Rounds<RunAnswer>(rounds).run(
      observers: observers, isCancelled: { [self] in isCancelled || changeError != nil },
      perform: { [self] in try perform($0, $1) })
    progress.end()
  }

  private func perform(_ entry: RoundPlan.Entry, _ phase: RoundPhase) throws -> RunAnswer {
    guard let contestant = contestants[entry.contestant] else { throw CellFailure("the worker is gone") }
    let cell = plan.cells[entry.cell]
    do {
      guard phase == .warmup, let warmup = cell.warmup else { return try contestant.run(cell.request) }
      let short = try contestant.run(warmup)
      let expected = short.elapsedNanoseconds * cell.warmupRatio(contestant.plan.variant.decoding)
      // A whole pass warms up better, where it is cheap.
      return expected < 1e9 ? try contestant.run(cell.request) : short
    } catch let error as ContestantError where !error.isFinal {
      throw CellFailure("\(error)")
    }
  }

  private func keep(_ sample: RoundSample<RunAnswer>, of entry: RoundPlan.Entry) {
    let answer = sample.outcome
    let row = rows(of: entry.contestant).lowerBound + entry.cell
    record.cells[row].samples.append(
      Sample(
        round: sample.round, sequence: sample.sequence, elapsedNanoseconds: answer.elapsedNanoseconds,
        iterations: answer.iterations, prefillNanoseconds: answer.prefillNanoseconds,
        tokenNanoseconds: answer.tokenNanoseconds))
    if !answer.ids.isEmpty { ids[entry.cell, default: [:]][entry.contestant] = answer.ids }
  }

  private func end(_ entry: RoundPlan.Entry, _ result: CellResult<RunAnswer>) {
    let row = rows(of: entry.contestant).lowerBound + entry.cell
    switch result.ending {
    case .complete: record.cells[row].status = .measured
    case .budget, .cap:
      record.cells[row].status = .measured
      record.cells[row].message = "stopped at n = \(result.samples.count) by the time budget"
    case .failed(let error), .contestantFailed(let error):
      record.cells[row].status = Cell.Status(error)
      record.cells[row].message = "\(error)"
      record.cells[row].samples = []
    case .cancelled:
      guard !result.samples.isEmpty else { break }
      record.cells[row].status = .measured
      record.cells[row].message = "interrupted at n = \(result.samples.count)"
    }
    record.cells[row].load = loads[entry.contestant]
    if !isCancelled, let peak = contestants[entry.contestant]?.peakMemory() {
      for cell in rows(of: entry.contestant) where record.cells[cell].status == .measured {
        record.cells[cell].peakMemoryBytes = peak
      }
    }
    let name = "\(plan.contestants[entry.contestant].name) \(plan.cells[entry.cell].test.name)"
    progress.finished("\(name): \(record.cells[row].status.rawValue), n = \(result.samples.count)")
    do { try onChange(record) } catch { changeError = error }
  }

  // MARK: - After the rounds

  /// Measures the ceilings again and keeps the better: a clock that rose during the run is no kernel's feat.
  private func raiseCeilings(_ threads: [Int]) {
    progress.step("measuring the machine's ceilings again")
    for (index, again) in Ceiling.measure(threads: threads).enumerated() {
      record.ceilings[index].fmaGFLOPS = max(record.ceilings[index].fmaGFLOPS, again.fmaGFLOPS)
      record.ceilings[index].dramGBPerSecond =
        max(record.ceilings[index].dramGBPerSecond, again.dramGBPerSecond)
    }
    progress.end()
  }

  /// A figure beyond the FMA peak shows that something was not computed; such a cell loses its samples.
  private func rejectImpossible() {
    for index in record.cells.indices where record.cells[index].status == .measured {
      guard let verdict = ImpossibleRate(record.cells[index], ceilings: record.ceilings) else { continue }
      record.cells[index].status = .rejected
      record.cells[index].message = verdict.description
      record.cells[index].samples = []
    }
  }

  /// Every float32 variant must have produced the same tokens in what was timed.
  private func compareTokens() {
    for (cell, answers) in ids {
      guard let first = answers.keys.min(), let expected = answers[first] else { continue }
      for (contestant, found) in answers.sorted(by: { $0.key < $1.key }) {
        let row = CheckRows.tokens(
          found, expected: expected, of: plan.contestants[contestant],
          reference: "tokens of \(plan.cells[cell].test.name), as \(plan.contestants[first].name)'s")
        record.correctness.append(row)
        guard !row.passed else { continue }
        let index = rows(of: contestant).lowerBound + cell
        record.cells[index].status = .failedCheck
        record.cells[index].message = row.failure
        record.cells[index].samples = []
      }
    }
  }
}

extension Cell.Status {
  /// How a contestant's error shows in its row.
  init(_ error: any Error) {
    switch (error as? ContestantError)?.kind {
    case .hung: self = .hung
    case .refused, .unwritableRequest: self = .skipped
    default: self = error is CellFailure ? .skipped : .died
    }
  }
}
