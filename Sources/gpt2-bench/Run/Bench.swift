import Foundation
import GPT2Kernels
import Measurement
import Record
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
  var contestants: [Worker?]
  var loads: [LoadTimes?]
  /// nil until it has measured for the first time.
  var ceilings: CeilingProbe?
  let conditions = ConditionsRecorder()
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
    if plan.contestants.contains(where: { $0.label == LookedUpVariant.blas.name }) {
      record.machine.blas = try? BLASLibrary.found.get().description
    }
    for contestant in plan.contestants {
      for cell in plan.cells {
        var row = Cell(
          variant: contestant.label, weights: contestant.weights, threads: contestant.threads,
          test: cell.test, status: .pending)
        let work = cell.work(contestant.decoding)
        (row.flops, row.bytes) = (work.flops > 0 ? work.flops : nil, work.bytes)
        row.streamedBytes = cell.streamedBytes
        row.cacheBytes = contestant.decoding == .cache ? cell.cacheBytes : nil
        record.cells.append(row)
      }
    }
    let peers = plan.peers
    if !peers.isEmpty { record.peers = peers.map { PeerDescription(name: $0.name, command: $0.command) } }
  }

  /// - Parameter check: holds a contestant against what it must compute, before it is timed.
  func run(check: (Worker) throws -> [Correctness]) throws {
    defer { for contestant in contestants { contestant?.stop() } }
    Interruption.watch()
    conditions.begin()
    record.warnings += plan.warnings
    record.machine.forkJoin = ForkJoin.ofPool(threads: Threads.available)
    for warning in record.warnings { progress.remark(warning) }
    let expected = Validity(record).findings
    for finding in expected { progress.remark(finding.text) }
    try onChange(record)
    measureCeilings()
    measureLoads()
    for index in plan.contestants.indices where !isCancelled && !isOut(index) { start(index) }
    for index in plan.contestants.indices where !isCancelled { hold(index, to: check) }
    try onChange(record)
    measureRounds()
    if let changeError { throw changeError }
    measureProfiles()
    if !isCancelled {
      measureCeilings()
      rejectImpossible()
      compareTokens()
      record.isComplete = true
    }
    judgeConditions(known: expected)
    record.finished = Date().formatted(.iso8601)
    try onChange(record)
  }

  var isCancelled: Bool { Interruption.shared.isCancelled }

  private func start(_ index: Int) {
    let contestant = plan.contestants[index]
    progress.step("loading: \(contestant.name)")
    do {
      let process = try Worker(contestant, timeoutSeconds: plan.timeoutSeconds)
      contestants[index] = process
      describe(index, try process.load(model: plan.model, cold: false), process.decoding)
    } catch {
      drop(index, error)
    }
  }

  /// What another program says of itself when it loads.
  private func describe(_ index: Int, _ answer: LoadAnswer, _ decoding: Variant.Decoding) {
    if case .variant = plan.contestants[index].kind {
      record.countersUnavailable = record.countersUnavailable ?? answer.countersUnavailable
    }
    for (row, cell) in zip(rows(of: index), plan.cells) {
      record.cells[row].baselineMemoryBytes = answer.baselineBytes
      guard case .peer(let peer) = plan.contestants[index].kind else { continue }
      record.cells[row].weights = answer.weights ?? ""
      (record.cells[row].flops, record.cells[row].bytes) = cell.work(decoding)
      guard let entry = record.peers?.firstIndex(where: { $0.name == peer.name }) else { continue }
      record.peers?[entry].version = answer.version
    }
  }

  /// Whatever goes wrong here leaves the contestant without a figure.
  private func hold(_ index: Int, to check: (Worker) throws -> [Correctness]) {
    guard let contestant = contestants[index] else { return }
    progress.step("checking: \(contestant.plan.name)")
    do {
      record.correctness += try check(contestant)
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
  func drop(_ index: Int, _ error: any Error) {
    contestants[index]?.stop()
    contestants[index] = nil
    guard !isCancelled else { return }
    progress.finished("\(error)")
    for cell in rows(of: index) where record.cells[cell].status == .pending {
      record.cells[cell].status = Cell.Status(error)
      record.cells[cell].message = "\(error)"
    }
  }

  /// Whether it has been taken out of the run.
  private func isOut(_ contestant: Int) -> Bool {
    record.cells[rows(of: contestant)].allSatisfy { $0.status != .pending }
  }

  func rows(of contestant: Int) -> Range<Int> {
    contestant * plan.cells.count..<(contestant + 1) * plan.cells.count
  }
}

extension Cell.Status {
  /// How a contestant's error shows in its row.
  init(_ error: any Error) {
    switch (error as? WorkerError)?.kind {
    case .hung: self = .hung
    case .refused, .unwritableRequest: self = .skipped
    default: self = error is InvalidAnswer ? .rejected : error is CellFailure ? .skipped : .died
    }
  }
}
