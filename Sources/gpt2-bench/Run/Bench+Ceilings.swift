import Measurement
import Reporting

/// The machine's ceilings, measured before the rounds, between them and after them: where others use the machine too,
/// what it can do changes from minute to minute.
extension Bench {
  func measureCeilings() {
    progress.step("measuring the machine's ceilings")
    let probe = ceilings ?? CeilingProbe(threads: ceilingThreads)
    ceilings = probe
    probe.measure()
    keep(probe)
    progress.end()
  }

  /// At the start of a round, where enough time has passed.
  func refreshCeilings() {
    guard let ceilings else { return }
    ceilings.refreshIfDue()
    keep(ceilings)
  }

  private func keep(_ probe: CeilingProbe) {
    record.ceilings = probe.ceilings.compactMap(Ceiling.init)
    record.ceilingSeconds = probe.seconds
  }

  /// One thread, all, and as many as each contestant has.
  private var ceilingThreads: [Int] {
    Set(plan.contestants.map(\.threads)).union([1, Threads.available]).sorted()
  }
}

extension Ceiling {
  /// Nil where there was no memory to read.
  init?(_ measured: MachineCeiling) {
    guard let dram = measured.memory.first(where: { $0.level == .dram }) else { return nil }
    self.init(
      threads: measured.threads, fmaGFLOPS: measured.fmaGFLOPS.best, dramGBPerSecond: dram.gbPerSecond.best,
      fmaTrials: measured.fmaGFLOPS.all, memory: measured.memory.map(MemoryRoof.init))
  }
}

extension MemoryRoof {
  init(_ measured: MemoryCeiling) {
    self.init(
      level: measured.level.rawValue, capacityBytes: measured.capacityBytes,
      workingSetBytes: measured.workingSetBytes, streams: measured.pattern.streams,
      prefetchBytes: measured.pattern.prefetchBytes, trials: measured.gbPerSecond.all, remark: measured.remark
    )
  }
}
