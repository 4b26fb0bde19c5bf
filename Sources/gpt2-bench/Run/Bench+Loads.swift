import Foundation
import Measurement
import Record
import Statistics

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
  /// The warm-up is a variant's cold load: its file's pages are dropped first. After it all of a contestant's
  /// files are in the page cache.
  func measureLoads() throws {
    guard let request = plan.firstToken?.request else { return }
    var observers = Rounds<Void>.Observers()
    observers.onCellEnd = { [self] unit, _ in
      driver.progress.finish(Forecast.ID(.load, contestant: unit.contestant))
    }
    let failures = try driver.run(loadRounds, observers) { [self] unit, phase, keep in
      let contestant = plan.contestants[unit.contestant]
      let isWarmup = phase == .warmup
      return Turn(
        contestant: contestant, step: "timing loads: \(contestant.name)", isLine: isWarmup,
        part: Forecast.ID(isWarmup ? .coldLoad : .load, contestant: unit.contestant), stays: false,
        cold: isWarmup && contestant.variant != nil, usedBytes: 2 * (plan.model?.weightBytes ?? 0),
        ask: { [self] in
          self.keep(try $0.run(request), of: unit.contestant, phase, $0.loaded, try $0.peakMemory())
          keep(.success(()))
        }, failed: { keep(.failure($0)) })
    }
    for index in loads.indices {
      guard let samples = loads[index]?.samples else { continue }
      loads[index]?.warmNanoseconds = median(samples.map { Double($0.loadNanoseconds) }).map { Int($0) }
    }
    for (index, error) in failures.sorted(by: { $0.key < $1.key }) { drop(index, error) }
  }

  var loadRounds: RoundPlan {
    RoundPlan(
      units: plan.contestants.indices.filter { !isOut($0) }.map { RoundPlan.Unit(contestant: $0, cell: 0) },
      repetitions: Loads.repetitions,
      cellBudget: .seconds(min(Loads.budgetSeconds, plan.settings.cellBudgetSeconds)),
      cellCap: .seconds(min(Loads.capSeconds, plan.cellCapSeconds)), seed: plan.settings.seed)
  }

  /// What one process has shown; nothing where the contestant does not tell how long it took to load.
  private func keep(
    _ answer: RunAnswer, of index: Int, _ phase: RoundPhase, _ loaded: LoadAnswer?, _ peakMemory: Int?
  ) {
    driver.progress.know(firstToken: answer.seconds, of: index)
    if let load = loaded?.loadNanoseconds {
      driver.progress.promise(Double(load) / 1e9, for: Forecast.ID(.start, contestant: index))
    }
    guard case .measured(let round, _) = phase else {
      let cold = loaded?.wasCold == true ? loaded?.loadNanoseconds : nil
      loads[index] = LoadTimes(coldNanoseconds: cold, warmNanoseconds: nil)
      return
    }
    guard let load = loaded?.loadNanoseconds, let token = answer.tokenNanoseconds.first else { return }
    let kept = loads[index]?.samples ?? []
    let sample = LoadSample(
      round: round, loadNanoseconds: load, firstTokenNanoseconds: load + token, peakMemoryBytes: peakMemory)
    loads[index]?.samples = kept + [sample]
  }
}
