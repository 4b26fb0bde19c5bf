import Foundation
import Measurement
import Record
import Statistics

/// Loading, timed before the contestants that are measured are there.
extension Bench {
  private enum Loads {
    static let repetitions = 5
    /// Wall time, starts of processes included, that a contestant may spend before it stops short of them.
    static let budgetSeconds = 8.0
    /// Wall time beyond which it gets no further one, however few it has.
    static let capSeconds = 20.0
  }

  /// Loads and first tokens in rounds like those of the cells, each in a process of its own, which is gone before
  /// the next one starts. What the system takes to find memory is no load time: a virtual machine gives what lies
  /// idle back to its host, and getting it again costs seconds a gigabyte. So each gets memory that was just in use.
  /// The warm-up is a variant's cold load: its file's pages are dropped first. Behind it all of a contestant's
  /// files are in the page cache.
  func measureLoads() {
    guard let request = plan.firstToken else { return }
    let settings = plan.settings
    let rounds = RoundPlan(
      units: plan.contestants.indices.map { RoundPlan.Unit(contestant: $0, cell: 0) },
      repetitions: Loads.repetitions,
      cellBudget: .seconds(min(Loads.budgetSeconds, settings.cellBudgetSeconds)),
      cellCap: .seconds(min(Loads.capSeconds, plan.cellCapSeconds)), seed: settings.seed)
    var observers = Rounds<LoadOutcome>.Observers()
    observers.onProgress = { [self] in
      let label = $0.next.map { "timing loads: \(plan.contestants[$0.contestant].name)" }
      progress.draw($0, label: label ?? "")
    }
    observers.onSample = { [self] in keep($1, of: $0.contestant) }
    let result = Rounds<LoadOutcome>(rounds).run(
      observers: observers, isCancelled: { [self] in isCancelled },
      perform: { [self] in try load($0.contestant, $1, request) })
    progress.end()
    for index in loads.indices {
      guard let samples = loads[index]?.samples else { continue }
      loads[index]?.warmNanoseconds = median(samples.map { Double($0.loadNanoseconds) }).map { Int($0) }
    }
    for (index, error) in result.failures.sorted(by: { $0.key < $1.key }) { drop(index, error) }
  }

  /// What one process has shown; nil where the contestant does not tell how long it took to load.
  private struct LoadOutcome {
    let loadNanoseconds: Int?
    let firstTokenNanoseconds: Int?
  }

  private func load(_ index: Int, _ phase: RoundPhase, _ request: RunRequest) throws -> LoadOutcome {
    let contestant = plan.contestants[index]
    let usedBytes = 2 * (plan.modelDescription?.weightBytes ?? 0)
    guard case .measured = phase else {
      progress.step("timing loads: \(contestant.name)")
      let isVariant = if case .variant = contestant.kind { true } else { false }
      let (worker, first) = try driver.start(contestant, cold: isVariant, usedBytes: usedBytes)
      defer { worker.stop() }
      loads[index] = LoadTimes(
        coldNanoseconds: first.wasCold == true ? first.loadNanoseconds : nil, warmNanoseconds: nil)
      _ = try worker.run(request)
      return LoadOutcome(loadNanoseconds: nil, firstTokenNanoseconds: nil)
    }
    let (worker, loaded) = try driver.start(contestant, usedBytes: usedBytes)
    defer { worker.stop() }
    return LoadOutcome(
      loadNanoseconds: loaded.loadNanoseconds,
      firstTokenNanoseconds: try worker.run(request).tokenNanoseconds.first)
  }

  private func keep(_ sample: RoundSample<LoadOutcome>, of index: Int) {
    guard let load = sample.outcome.loadNanoseconds, let token = sample.outcome.firstTokenNanoseconds
    else { return }
    let kept = loads[index]?.samples ?? []
    loads[index]?.samples =
      kept + [LoadSample(round: sample.round, loadNanoseconds: load, firstTokenNanoseconds: load + token)]
  }
}
