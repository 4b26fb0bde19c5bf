import Measurement
import Record

/// The measuring itself.
extension Bench {
  func measureRounds() {
    let entries = plan.contestants.indices.filter { contestants[$0] != nil }
      .flatMap { contestant in
        plan.cells.indices.map { RoundPlan.Unit(contestant: contestant, cell: $0) }
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
    observers.onRound = { [self] _ in
      refreshCeilings()
      conditions.betweenRounds()
      record.conditions = conditions.observed
    }
    observers.onSample = { [self] in keep($1, of: $0) }
    observers.onCellEnd = { [self] in end($0, $1) }
    _ = Rounds<RunAnswer>(rounds).run(
      observers: observers, isCancelled: { [self] in isCancelled || changeError != nil },
      perform: { [self] in try perform($0, $1) })
    progress.end()
  }

  private func perform(_ entry: RoundPlan.Unit, _ phase: RoundPhase) throws -> RunAnswer {
    guard let contestant = contestants[entry.contestant] else { throw CellFailure("the worker is gone") }
    let cell = plan.cells[entry.cell]
    do {
      guard phase == .warmup, let warmup = cell.warmup else { return try contestant.run(cell.request) }
      let short = try contestant.run(warmup)
      let expected = short.elapsedNanoseconds * cell.warmupRatio(contestant.decoding)
      // A whole pass warms up better, where it is cheap.
      return expected < 1e9 ? try contestant.run(cell.request) : short
    } catch let error as WorkerError where !error.isFinal {
      throw CellFailure("\(error)")
    }
  }

  private func keep(_ sample: RoundSample<RunAnswer>, of entry: RoundPlan.Unit) {
    let answer = sample.outcome
    let row = rows(of: entry.contestant).lowerBound + entry.cell
    record.cells[row].samples.append(
      answer.sample(round: sample.round, sequence: sample.sequence))
    if !answer.ids.isEmpty { ids[entry.cell, default: [:]][entry.contestant] = answer.ids }
  }

  private func end(_ entry: RoundPlan.Unit, _ result: CellResult<RunAnswer>) {
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
    if record.cells[row].status != .pending {
      let name = "\(plan.contestants[entry.contestant].name) \(plan.cells[entry.cell].test.name)"
      progress.finished("\(name): \(record.cells[row].status.rawValue), n = \(result.samples.count)")
    }
    do { try onChange(record) } catch { changeError = error }
  }
}
