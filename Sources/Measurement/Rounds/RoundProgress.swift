/// How far a run is.
public struct RoundProgress: Sendable, Equatable {
  /// What is about to run; nil at the end.
  public let next: RoundPlan.Entry?
  public let phase: RoundPhase?
  /// Wall time since the run began.
  public let elapsedSeconds: Double
  /// Time left as the executions so far suggest; nil before the first has ended.
  public let remainingSeconds: Double?

  /// Share of the expected time that has passed, 0...1.
  public var fraction: Double {
    guard let remainingSeconds else { return 0 }
    let total = elapsedSeconds + remainingSeconds
    return total > 0 ? elapsedSeconds / total : 1
  }
}

/// One entry's use of time. Nanoseconds as `Double`, as they are sums and means.
struct EntryTiming {
  var warmup: Double?
  var measured = 0.0
  var count = 0
  var isOver = false

  /// What the next sample is expected to take: the mean of those taken. The warm-up may have been shorter, so
  /// it serves for the display of the time left, never for a decision.
  var meanSample: Double? { count > 0 ? measured / Double(count) : nil }

  /// Why the entry gets no further sample, or nil where it gets one.
  func ending(_ plan: RoundPlan) -> CellEnding? {
    if count >= plan.repetitions { return .complete }
    guard let meanSample else { return nil }
    let expected = measured + meanSample
    if count >= plan.minimumRepetitions, expected > Double(plan.cellBudget.nanoseconds) { return .budget }
    return expected > Double(plan.cellCap.nanoseconds) ? .cap : nil
  }

  /// Time that the entry is still expected to take; nil where nothing of it has run.
  func remaining(_ plan: RoundPlan) -> Double? {
    if isOver { return 0 }
    guard let sample = meanSample ?? warmup else { return nil }
    func count(within limit: Duration) -> Double {
      sample > 0 ? (Double(limit.nanoseconds) / sample).rounded(.down) : .infinity
    }
    let budgeted = max(Double(plan.minimumRepetitions), count(within: plan.cellBudget))
    let capped = max(1, count(within: plan.cellCap))
    let samples = min(Double(plan.repetitions), budgeted, capped)
    return max(0, samples - Double(self.count)) * sample
  }

  /// Time left over all entries. One that has not run yet is taken for an average one, its warm-up as long as
  /// one of the others'.
  static func remaining(_ timings: some Collection<EntryTiming>, _ plan: RoundPlan) -> Double? {
    let known = timings.compactMap { $0.remaining(plan) }
    guard !known.isEmpty else { return nil }
    let unknown = timings.count - known.count
    guard unknown > 0 else { return known.reduce(0, +) }
    let warmups = timings.compactMap(\.warmup)
    let warmup = warmups.isEmpty ? 0 : warmups.reduce(0, +) / Double(warmups.count)
    let average = known.reduce(0, +) / Double(known.count) + warmup
    return known.reduce(0, +) + Double(unknown) * average
  }
}
