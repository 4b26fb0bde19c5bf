import Measurement

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
    record.ceilings = probe.ceilings
    record.ceilingSeconds = probe.seconds
  }

  /// One thread, all, and as many as each contestant has.
  private var ceilingThreads: [Int] {
    Set(plan.contestants.map(\.threads)).union([1, Threads.available]).sorted()
  }
}
