import Foundation
import GPT2Kernels
import Measurement
import Reporting

/// Carries out a plan: starts the contestants, has them checked, times them in rounds, and keeps the record that
/// comes of it.
final class Bench {
  let plan: BenchPlan
  let project: Project
  let progress: ProgressDisplay
  /// Called with the record whenever a cell has ended; an error ends the run.
  let onChange: (Record) throws -> Void

  var record: Record
  /// nil where one has failed, or was not started.
  var contestants: [BenchContestant?]
  var loads: [LoadTimes?]
  /// nil until it has measured for the first time.
  var ceilings: CeilingProbe?
  /// The tokens of the last sample, by cell and contestant.
  var ids: [Int: [Int: [[Int]]]] = [:]
  /// Why the record could not be kept; ends the run.
  var changeError: (any Error)?

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
    if plan.contestants.contains(where: { $0.variant.name == LookedUpVariant.blas.name }) {
      record.machine.blas = try? BLASLibrary.found.get().description
    }
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
  ///   - measuresLoads: whether loading the model is timed too.
  ///   - check: what each contestant is held against before it is timed.
  func run(measuresLoads: Bool, check: (ContestantPlan) -> [CheckRequest]) throws {
    defer { for contestant in contestants { contestant?.stop() } }
    Interruption.watch()
    warnOfConditions()
    for warning in record.warnings { progress.remark(warning) }
    try onChange(record)
    measureCeilings()
    if measuresLoads { measureLoads() }
    for index in plan.contestants.indices where !isCancelled { start(index) }
    for index in plan.contestants.indices where !isCancelled {
      hold(index, against: check(plan.contestants[index]))
    }
    try onChange(record)
    measureRounds()
    if let changeError { throw changeError }
    if !isCancelled {
      measureCeilings()
      rejectImpossible()
      compareTokens()
      record.isComplete = true
    }
    record.finished = Date().formatted(.iso8601)
    try onChange(record)
  }

  var isCancelled: Bool { Interruption.shared.isCancelled }

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

  /// Loads twice in a process of its own for each contestant: first with the file's pages dropped, then again.
  /// One behind the other, so that both get memory that was just in use; the contestants themselves are all there
  /// at once, and what the system takes to find that much memory is no load time.
  private func measureLoads() {
    for (index, contestant) in plan.contestants.enumerated() where !isCancelled {
      progress.step("loading cold and warm: \(contestant.name)")
      guard
        let process = try? BenchContestant(
          contestant, executable: Project.executable, timeoutSeconds: plan.timeoutSeconds)
      else { continue }
      defer { process.stop() }
      guard let cold = try? process.load(model: plan.model, cold: true),
        let warm = try? process.load(model: plan.model, cold: false)
      else { continue }
      loads[index] = LoadTimes(
        coldNanoseconds: cold.wasCold == true ? cold.loadNanoseconds : nil,
        warmNanoseconds: warm.loadNanoseconds)
    }
  }

  private func start(_ index: Int) {
    let contestant = plan.contestants[index]
    progress.step("loading: \(contestant.name)")
    do {
      let process = try BenchContestant(
        contestant, executable: Project.executable, timeoutSeconds: plan.timeoutSeconds)
      contestants[index] = process
      _ = try process.load(model: plan.model, cold: false)
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

  func rows(of contestant: Int) -> Range<Int> {
    contestant * plan.cells.count..<(contestant + 1) * plan.cells.count
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
