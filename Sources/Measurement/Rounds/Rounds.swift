import Statistics

/// Runs a plan: every entry's warm-up first, then rounds, in each of which every entry that still wants samples
/// is executed once, one at a time, in an order drawn afresh.
///
/// So what drifts on the machine while it measures (its clock rate, its neighbours) meets all contestants
/// alike, and none always follows the same other. A contestant that fails is dropped and the others go on.
public struct Rounds<Outcome> {
  public typealias Entry = RoundPlan.Entry

  /// What the caller is told while it runs; nothing here is inside a measured time.
  public struct Observers {
    /// A round is about to begin, counted from 0.
    public var onRound: (Int) -> Void = { _ in }
    /// A sample has been taken.
    public var onSample: (Entry, RoundSample<Outcome>) -> Void = { _, _ in }
    /// An entry is over. Called once for each entry of the plan.
    public var onCellEnd: (Entry, CellResult<Outcome>) -> Void = { _, _ in }
    /// Called before each execution, and at the end.
    public var onProgress: (RoundProgress) -> Void = { _ in }

    public init() {}
  }

  public struct Result {
    /// One for each entry of the plan.
    public let cells: [Entry: CellResult<Outcome>]
    /// The contestants that failed, and how.
    public let failures: [Int: any Error]
    public let wasCancelled: Bool
  }

  private let plan: RoundPlan
  private let clock: any MonotonicClock

  public init(_ plan: RoundPlan, clock: any MonotonicClock = SystemClock()) {
    self.plan = plan
    self.clock = clock
  }

  /// - Parameters:
  ///   - isCancelled: asked before each execution, and after one that threw.
  ///   - perform: executes one entry once. Its wall time is what budgets count.
  public func run(
    observers: Observers = Observers(), isCancelled: () -> Bool = { false },
    perform: (Entry, RoundPhase) throws -> Outcome
  ) -> Result {
    var state = RoundState<Outcome>(plan: plan, clock: clock, observers: observers)
    for entry in plan.entries where state.isOpen(entry) {
      guard state.execute(entry, .warmup, isCancelled, perform) else { return state.cancelled() }
    }
    var generator = SeededGenerator(seed: plan.seed)
    var round = 0
    while true {
      var order = plan.entries.filter { state.isOpen($0) }
      if order.isEmpty { break }
      observers.onRound(round)
      generator.shuffle(&order)
      for entry in order where state.isOpen(entry) {
        let phase = RoundPhase.measured(round: round, sequence: state.sequence)
        guard state.execute(entry, phase, isCancelled, perform) else { return state.cancelled() }
      }
      round += 1
    }
    state.report(next: nil, phase: nil)
    return state.result(wasCancelled: false)
  }
}

/// What a run knows while it runs.
struct RoundState<Outcome> {
  typealias Entry = RoundPlan.Entry

  private let plan: RoundPlan
  private let clock: any MonotonicClock
  private let observers: Rounds<Outcome>.Observers
  private let start: UInt64
  private var timings: [Entry: EntryTiming]
  private var samples: [Entry: [RoundSample<Outcome>]] = [:]
  private var cells: [Entry: CellResult<Outcome>] = [:]
  private var failures: [Int: any Error] = [:]
  private(set) var sequence = 0

  init(plan: RoundPlan, clock: any MonotonicClock, observers: Rounds<Outcome>.Observers) {
    self.plan = plan
    self.clock = clock
    self.observers = observers
    start = clock.now()
    timings = Dictionary(uniqueKeysWithValues: plan.entries.map { ($0, EntryTiming()) })
  }

  func isOpen(_ entry: Entry) -> Bool { cells[entry] == nil }

  /// Executes an entry once and books it. False where the run has been cancelled.
  mutating func execute(
    _ entry: Entry, _ phase: RoundPhase, _ isCancelled: () -> Bool,
    _ perform: (Entry, RoundPhase) throws -> Outcome
  ) -> Bool {
    if isCancelled() { return false }
    report(next: entry, phase: phase)
    let begin = clock.now()
    do {
      let outcome = try perform(entry, phase)
      book(entry, phase, outcome, elapsed: clock.now() - begin)
    } catch {
      // A contestant that was stopped because the user wants to end has not failed.
      if isCancelled() { return false }
      fail(entry, error)
    }
    return true
  }

  /// Ends whatever is still open.
  mutating func cancelled() -> Rounds<Outcome>.Result {
    for entry in plan.entries where isOpen(entry) { end(entry, .cancelled) }
    report(next: nil, phase: nil)
    return result(wasCancelled: true)
  }

  func result(wasCancelled: Bool) -> Rounds<Outcome>.Result {
    Rounds.Result(cells: cells, failures: failures, wasCancelled: wasCancelled)
  }

  func report(next: Entry?, phase: RoundPhase?) {
    observers.onProgress(
      RoundProgress(
        next: next, phase: phase, elapsedSeconds: Double(clock.now() - start) / 1e9,
        remainingSeconds: EntryTiming.remaining(timings.values, plan).map { $0 / 1e9 }))
  }

  private mutating func book(_ entry: Entry, _ phase: RoundPhase, _ outcome: Outcome, elapsed: UInt64) {
    guard case .measured(let round, let sequence) = phase else {
      timings[entry]?.warmup = Double(elapsed)
      return
    }
    let sample = RoundSample(
      round: round, sequence: sequence, elapsedNanoseconds: elapsed, outcome: outcome)
    samples[entry, default: []].append(sample)
    timings[entry]?.measured += Double(elapsed)
    timings[entry]?.count += 1
    self.sequence = sequence + 1
    observers.onSample(entry, sample)
    if let ending = timings[entry]?.ending(plan) { end(entry, ending) }
  }

  private mutating func fail(_ entry: Entry, _ error: any Error) {
    if error is CellFailure {
      end(entry, .failed(error))
      return
    }
    failures[entry.contestant] = error
    for other in plan.entries where other.contestant == entry.contestant && isOpen(other) {
      end(other, .contestantFailed(error))
    }
  }

  private mutating func end(_ entry: Entry, _ ending: CellEnding) {
    let cell = CellResult(samples: samples[entry] ?? [], ending: ending)
    cells[entry] = cell
    timings[entry]?.isOver = true
    observers.onCellEnd(entry, cell)
  }
}
