import Foundation
import GPT2Kernels
import Measurement
import Record
import Reporting

/// Carries out a plan: starts the contestants, has them checked, times them in rounds, and keeps the record that
/// comes of it.
final class Bench {
  let plan: BenchPlan
  let driver: Driver
  var record: Record
  /// By contestant; nil where it told nothing.
  var loads: [LoadTimes?]
  /// The tokens of the last sample, by cell and contestant.
  private(set) var ids: [Int: [Int: [[Int]]]] = [:]

  /// Contestants of a run that is resumed whose cells are all there.
  var kept: [Int] = []
  /// Round and sequence of the first sample that is taken now.
  var firstPlace = (round: 0, sequence: 0)

  /// Called with the record whenever a cell has ended; an error ends the run.
  private let onChange: (Record) throws -> Void
  /// Why the record could not be kept; ends the run.
  private var changeError: (any Error)?

  init(
    _ plan: BenchPlan, project: Project, console: Console, started: Date,
    onChange: @escaping (Record) throws -> Void = { _ in }
  ) {
    self.plan = plan
    self.onChange = onChange
    driver = Driver(
      model: plan.model?.name, vocabulary: plan.model?.vocabulary, timeoutSeconds: plan.timeoutSeconds,
      console)
    loads = plan.contestants.map { _ in nil }
    record = Record(
      kind: plan.kind, command: plan.command, started: started.formatted(.iso8601),
      model: plan.model, machine: .current(), build: .current(project),
      settings: plan.settings)
    if plan.contestants.contains(where: { $0.label == LookedUpVariant.blas.name }) {
      record.machine.blas = try? BLASLibrary.found.get().description
    }
    record.cells = plan.contestants.indices.flatMap { contestant in
      plan.cells(of: contestant).map { plan.cells[$0].row(of: plan.contestants[contestant]) }
    }
    for peer in plan.contestants.compactMap(\.peer)
    where record.peers?.contains(where: { $0.name == peer.name }) != true {
      record.peers = (record.peers ?? []) + [PeerDescription(name: peer.name, command: peer.command)]
    }
  }

  var console: Console { driver.console }
  var isCancelled: Bool { driver.isCancelled }

  /// - Parameter check: holds a contestant against what it must compute, before it is timed.
  func run(check: @escaping (Worker) throws -> [Correctness]) throws {
    defer { driver.stopAll() }
    Interruption.watch()
    driver.conditions.begin()
    record.warnings += plan.warnings
    record.machine.forkJoin = ForkJoin.ofPool(threads: Threads.available)
    for warning in record.warnings { console.remark(warning) }
    let expected = Validity(record).findings
    for finding in expected { console.remark(finding.text) }
    try onChange(record)
    driver.progress.plan(parts)
    measureCeilings(session: 0)
    try measureLoads()
    try driver.run(turns("loading", .start) { [self] in describe($0, $1) })
    try driver.run(turns("checking", .check) { [self] in hold($0, to: try check($1)) })
    try onChange(record)
    try measureRounds()
    try measureProfiles()
    if !isCancelled {
      measureCeilings(session: 1)
      rejectImpossible()
      compareTokens()
      record.isComplete = true
    }
    record.stop(Interruption.shared.reason)
    judgeConditions(known: expected)
    record.finished = Date().formatted(.iso8601)
    driver.progress.begin(lastKeeping, nil, isLine: false)
    defer { driver.progress.end(lastKeeping) }
    try onChange(record)
  }

  /// One for each contestant that is still in the run. Whatever goes wrong leaves the contestant without a figure.
  private func turns(
    _ step: String, _ kind: Forecast.Kind, _ ask: @escaping (Int, Worker) throws -> Void
  ) -> [Turn] {
    plan.contestants.indices.filter { !isOut($0) }.map { index in
      Turn(
        contestant: plan.contestants[index], step: "\(step): \(plan.contestants[index].name)",
        part: Forecast.ID(kind, contestant: index),
        ask: { try ask(index, $0) }, failed: { [self] in drop(index, $0) })
    }
  }

  /// What another program says of itself when it loads.
  private func describe(_ index: Int, _ worker: Worker) {
    guard let answer = worker.loaded else { return }
    if plan.contestants[index].variant != nil {
      record.countersUnavailable = record.countersUnavailable ?? answer.countersUnavailable
    }
    for (row, cell) in zip(rows(of: index), plan.cells(of: index).map { plan.cells[$0] }) {
      record.cells[row].baselineMemoryBytes = answer.baselineBytes
      record.cells[row].instructions = answer.instructions
      guard let peer = plan.contestants[index].peer else { continue }
      record.cells[row].weights = answer.weights ?? ""
      (record.cells[row].flops, record.cells[row].bytes) = answer.work(of: cell, worker.decoding)
      guard let entry = record.peers?.firstIndex(where: { $0.name == peer.name }) else { continue }
      record.peers?[entry].version = answer.version
    }
  }

  private func hold(_ index: Int, to found: [Correctness]) {
    record.correctness += found
    guard let failure = found.first(where: { !$0.passed }) else { return }
    let name = plan.contestants[index].name
    console.finished("\(name): failed the check: \(failure.failure ?? "")")
    for cell in rows(of: index) {
      record.cells[cell].fail(.failedCheck, "\(failure.reference): \(failure.failure ?? "failed")")
    }
    driver.progress.finish(contestant: index)
    driver.stop(name)
  }

  /// Takes a contestant out of the run; its cells say why.
  func drop(_ index: Int, _ error: any Error) {
    driver.stop(plan.contestants[index].name)
    driver.progress.finish(contestant: index)
    guard !isCancelled else { return }
    console.finished("\(error)")
    for cell in rows(of: index) where record.cells[cell].status == .pending {
      record.cells[cell].fail(Cell.Status(error), "\(error)")
    }
  }

  func isOut(_ contestant: Int) -> Bool {
    record.cells[rows(of: contestant)].allSatisfy { $0.status != .pending }
  }

  func rows(of contestant: Int) -> Range<Int> { plan.rows(of: contestant) }

  private func row(of unit: RoundPlan.Unit) -> Int {
    plan.row(contestant: unit.contestant, cell: unit.cell)
  }
}

extension Bench {
  private func measureRounds() throws {
    var observers = Rounds<RunAnswer?>.Observers()
    observers.onRound = { [self] _ in
      driver.ceilings?.refreshIfDue()
      keepCeilings()
      driver.conditions.betweenRounds()
      record.conditions = driver.conditions.observed
    }
    observers.onSample = { [self] in keep($1, of: $0) }
    observers.onCellEnd = { [self] in end($0, $1) }
    _ = try driver.run(rounds, observers) { [self] unit, phase, keep in
      if let changeError { throw changeError }
      let kind = phase == .warmup ? Forecast.Kind.warmup : .sample
      return Turn(
        contestant: plan.contestants[unit.contestant], step: name(unit), isLine: false,
        part: Forecast.ID(kind, contestant: unit.contestant, cell: unit.cell),
        ask: { [self] in keep(.success(try perform(unit, phase, $0))) }, failed: { keep(.failure($0)) })
    }
    if let changeError { throw changeError }
  }

  /// Of every cell that has no figure yet.
  var rounds: RoundPlan {
    let units = plan.contestants.indices.filter { !isOut($0) }
      .flatMap { contestant in
        zip(rows(of: contestant), plan.cells(of: contestant)).filter { record.cells[$0.0].status == .pending }
          .map { RoundPlan.Unit(contestant: contestant, cell: $0.1) }
      }
    return RoundPlan(
      units: units, repetitions: plan.settings.repetitions,
      cellBudget: .seconds(plan.settings.cellBudgetSeconds), cellCap: .seconds(plan.cellCapSeconds),
      seed: plan.settings.seed)
  }

  private func name(_ unit: RoundPlan.Unit) -> String {
    "\(plan.contestants[unit.contestant].name) \(plan.cells[unit.cell].test.name)"
  }

  /// Nil of a warm-up.
  private func perform(_ unit: RoundPlan.Unit, _ phase: RoundPhase, _ worker: Worker) throws -> RunAnswer? {
    let cell = plan.cells[unit.cell]
    do {
      guard phase == .warmup else { return try worker.run(cell.request) }
      var seconds = 0.0
      if let warmups = plan.warmups {
        for _ in 0..<warmups { seconds = try worker.run(cell.request).seconds }
      } else {
        seconds = try driver.warmUp(worker, cell)
      }
      driver.progress.promise(
        seconds, for: Forecast.ID(.sample, contestant: unit.contestant, cell: unit.cell))
      if let flops = plan.firstToken?.flops {
        let whole = cell.arithmetic(worker.decoding).whole * Double(cell.test.batch)
        driver.progress.know(firstToken: seconds * flops / whole, of: unit.contestant)
      }
      return nil
    } catch let error as WorkerError where !error.isFinal { throw CellFailure("\(error)") }
  }

  private func keep(_ sample: RoundSample<RunAnswer?>, of unit: RoundPlan.Unit) {
    guard let answer = sample.outcome else { return }
    record.cells[row(of: unit)].samples.append(
      answer.sample(round: firstPlace.round + sample.round, sequence: firstPlace.sequence + sample.sequence))
    if !answer.ids.isEmpty { ids[unit.cell, default: [:]][unit.contestant] = answer.ids }
  }

  private func end(_ unit: RoundPlan.Unit, _ result: CellResult<RunAnswer?>) {
    let row = row(of: unit)
    for kind in [Forecast.Kind.warmup, .sample] {
      driver.progress.finish(Forecast.ID(kind, contestant: unit.contestant, cell: unit.cell))
    }
    let keeping = Forecast.ID(.keeping, contestant: unit.contestant, cell: unit.cell)
    driver.progress.begin(keeping, nil, isLine: false)
    defer { driver.progress.end(keeping) }
    switch result.ending {
    case .complete: record.cells[row].status = .measured
    case .budget, .cap:
      record.cells[row].status = .measured
      record.cells[row].message = "stopped at n = \(result.samples.count) by the time budget"
    case .failed(let error), .contestantFailed(let error):
      record.cells[row].fail(Cell.Status(error), "\(error)")
    case .cancelled:
      guard !result.samples.isEmpty else { break }
      record.cells[row].status = .measured
      record.cells[row].message = Cell.interruptedWords + "\(result.samples.count)"
    }
    record.cells[row].load = loads[unit.contestant]
    if !isCancelled { keepPeakMemory(of: unit.contestant) }
    if record.cells[row].status != .pending {
      console.finished("\(name(unit)): \(record.cells[row].status.rawValue), n = \(result.samples.count)")
    }
    guard changeError == nil else { return }
    do { try onChange(record) } catch { changeError = error }
  }

  /// One whose answer cannot be true has said nothing that can be believed.
  private func keepPeakMemory(of contestant: Int) {
    // Those of a run that was resumed were another process's.
    let measured = rows(of: contestant).filter { row in
      record.cells[row].status == .measured
        && record.cells[row].samples.last?.sequence ?? .max >= firstPlace.sequence
    }
    do {
      guard let peak = try driver.workers[plan.contestants[contestant].name]?.peakMemory() else { return }
      for row in measured { record.cells[row].peakMemoryBytes = peak }
    } catch {
      for row in measured { record.cells[row].fail(.rejected, "\(error)") }
    }
  }

  /// The machine's ceilings with one thread, all, and as many as each contestant has, before the rounds, between them and
  /// after them: where others use the machine too, what it can do changes from minute to minute.
  private func measureCeilings(session: Int) {
    driver.measureCeilings(
      threads: plan.contestants.map(\.threads) + [1, Threads.available], weights: record.cells.map(\.weights),
      part: Forecast.ID(.ceilings, cell: session))
    keepCeilings()
    console.endProgressLine()
  }

  private func keepCeilings() {
    driver.ceilings.map { record.keep($0) }
  }

  /// Where the time of each variant goes, asked when everything has been measured: probes have no say in a figure. A
  /// contestant that does not tell is named among what is missing; its figures stand.
  private func measureProfiles() throws {
    guard let request = plan.profile else { return }
    let wanted = plan.contestants.enumerated().filter { index, contestant in
      guard contestant.variant != nil else { return false }
      return driver.workers[contestant.name] != nil || isKept(index)
    }
    let turns = wanted.map { index, contestant in
      Turn(
        contestant: contestant, step: "profiling: \(contestant.name)",
        part: Forecast.ID(.profile, contestant: index),
        ask: { [self] in record.profiles = (record.profiles ?? []) + (try $0.profile(request).profiles) },
        failed: { [self] error in
          guard !isCancelled else { return }
          let line = "no profile of \(contestant.name): \(error)"
          record.missing = (record.missing ?? []) + [line]
          console.warn(line)
        })
    }
    try driver.run(turns)
  }
}

extension Bench {
  /// Whether it has figures from before this run, and no profile.
  func isKept(_ index: Int) -> Bool {
    let contestant = plan.contestants[index]
    let isProfiled = record.profiles?.contains {
      $0.variant == contestant.label && $0.threads == contestant.threads
    }
    return kept.contains(index) && isProfiled != true
      && record.cells[rows(of: index)].contains { $0.status == .measured }
  }
}

extension Cell {
  /// Takes its figures away, and says why.
  mutating func fail(_ status: Status, _ reason: String?) {
    (self.status, message, samples) = (status, reason, [])
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
