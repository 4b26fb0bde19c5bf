import Record
import Statistics

extension Record {
  /// The head's part of an interleaved comparison, as if it had been a run of its own: what services that follow
  /// figures over time are given.
  public init(headOf paired: PairedRecord) {
    let build =
      paired.head.build
      ?? Build(
        version: paired.head.version ?? "unknown", compiler: "unknown", configuration: "unknown",
        cpuFlag: "unknown", vectorBits: 0, commit: nil)
    let search = paired.blocks.filter { $0.stage == .search }
    self.init(
      kind: paired.model == nil ? .matmul : .endToEnd, command: paired.command, started: paired.started,
      model: paired.model, machine: paired.machine, build: build,
      settings: Settings(
        suite: paired.settings.suite, repetitions: search.count,
        cellBudgetSeconds: paired.settings.budgetSeconds, seed: paired.settings.seed,
        warmup: paired.settings.warmup))
    finished = paired.finished
    isComplete = paired.isComplete
    warnings = paired.warnings
    conditions = paired.conditions
    correctness = paired.correctness.filter { $0.side == .head }.map(\.outcome)
    cells = paired.units.indices.map { Cell(headOf: paired, unit: $0, search) }
  }
}

extension Cell {
  fileprivate init(headOf paired: PairedRecord, unit: Int, _ blocks: [PairedBlock]) {
    let place = paired.units[unit].contestant
    let contestant = paired.contestants[place]
    self.init(
      variant: contestant.variant, weights: contestant.weights, threads: contestant.threads,
      test: paired.units[unit].test, status: .measured)
    let processes = blocks.flatMap(\.processes).filter { $0.side == .head && $0.contestant == place }
    samples = blocks.flatMap(\.samples).filter { $0.side == .head && $0.unit == unit }.map(\.sample)
    peakMemoryBytes = processes.compactMap(\.peakMemoryBytes).max()
    load = median(processes.compactMap(\.loadNanoseconds).map(Double.init)).map {
      LoadTimes(coldNanoseconds: nil, warmNanoseconds: Int($0))
    }
    guard let lost = paired.lost.first(where: { $0.contestant == place && $0.side == .head }) else { return }
    status = lost.failedCheck ? .failedCheck : .died
    message = lost.reason
    samples = []
  }
}
