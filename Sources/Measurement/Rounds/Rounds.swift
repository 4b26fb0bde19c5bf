import Statistics

/// The turns of a plan, one after the other: every unit's warm-up first, then rounds, in each of which every unit
/// that still wants samples has one turn, in an order drawn afresh. So what drifts on the machine while it measures
/// (its clock rate, its neighbours) meets all contestants alike, and none always follows the same other. A contestant
/// that fails is dropped and the others go on.
public struct Rounds<Outcome> {
  public typealias Unit = RoundPlan.Unit

  /// What the caller is told while it runs; nothing here is inside a measured time.
  public struct Observers {
    /// A round is about to begin, counted from 0.
    public var onRound: (Int) -> Void = { _ in }
    public var onSample: (Unit, RoundSample<Outcome>) -> Void = { _, _ in }
    /// A unit is over. Called once for each unit of the plan.
    public var onCellEnd: (Unit, CellResult<Outcome>) -> Void = { _, _ in }

    public init() {}
  }

  /// Of each unit that is over.
  public private(set) var cells: [Unit: CellResult<Outcome>] = [:]
  /// The contestants that failed, and how.
  public private(set) var failures: [Int: any Error] = [:]

  private let plan: RoundPlan
  private let clock: any MonotonicClock
  private let observers: Observers
  private var generator: SeededGenerator
  private var timings: [Unit: UnitTiming]
  private var samples: [Unit: [RoundSample<Outcome>]] = [:]
  private var sequence = 0
  /// Nil while units warm up.
  private var round: Int?
  /// Those whose turn comes in this round.
  private var waiting: ArraySlice<Unit>
  private var current: (unit: Unit, phase: RoundPhase, begin: UInt64)?

  public init(_ plan: RoundPlan, clock: any MonotonicClock = SystemClock(), observers: Observers = .init()) {
    (self.plan, self.clock, self.observers) = (plan, clock, observers)
    generator = SeededGenerator(seed: plan.seed)
    timings = Dictionary(uniqueKeysWithValues: plan.units.map { ($0, UnitTiming()) })
    waiting = plan.units[...]
  }

  /// What is to be executed now; `end` says what came of it. Nil where nothing wants more.
  public mutating func next() -> (unit: Unit, phase: RoundPhase)? {
    while true {
      while let unit = waiting.popFirst() {
        guard cells[unit] == nil else { continue }
        let phase = round.map { RoundPhase.measured(round: $0, sequence: sequence) } ?? .warmup
        current = (unit, phase, clock.now())
        return (unit, phase)
      }
      var order = plan.units.filter { cells[$0] == nil }
      guard !order.isEmpty else { return nil }
      let next = round.map { $0 + 1 } ?? 0
      observers.onRound(next)
      generator.shuffle(&order)
      (round, waiting) = (next, order[...])
    }
  }

  /// What came of the last turn, whose wall time budgets count: a `CellFailure` ends it, another error its contestant.
  public mutating func end(_ result: Result<Outcome, any Error>) {
    guard let (unit, phase, begin) = current else { return }
    current = nil
    switch result {
    case .success(let outcome): book(unit, phase, outcome, elapsed: clock.now() - begin)
    case .failure(let error as CellFailure): end(unit, .failed(error))
    case .failure(let error):
      failures[unit.contestant] = error
      for other in plan.units where other.contestant == unit.contestant && cells[other] == nil {
        end(other, .contestantFailed(error))
      }
    }
  }

  public mutating func cancel() {
    for unit in plan.units where cells[unit] == nil { end(unit, .cancelled) }
  }

  private mutating func book(_ unit: Unit, _ phase: RoundPhase, _ outcome: Outcome, elapsed: UInt64) {
    guard case .measured(let round, let sequence) = phase else { return }
    let sample = RoundSample(round: round, sequence: sequence, elapsedNanoseconds: elapsed, outcome: outcome)
    samples[unit, default: []].append(sample)
    timings[unit]?.measured += Double(elapsed)
    timings[unit]?.count += 1
    self.sequence = sequence + 1
    observers.onSample(unit, sample)
    if let ending = timings[unit]?.ending(plan) { end(unit, ending) }
  }

  private mutating func end(_ unit: Unit, _ ending: CellEnding) {
    let cell = CellResult(samples: samples[unit] ?? [], ending: ending)
    cells[unit] = cell
    observers.onCellEnd(unit, cell)
  }
}

public struct RoundPlan: Sendable {
  /// One cell of one contestant; both are indices whose meaning is the caller's.
  public struct Unit: Sendable, Hashable {
    public let contestant: Int
    public let cell: Int

    public init(contestant: Int, cell: Int) { (self.contestant, self.cell) = (contestant, cell) }
  }

  /// Each at most once. Warm-ups are run in this order.
  public var units: [Unit]
  /// Samples wanted of each unit, at least 1.
  public var repetitions: Int
  /// Fewest samples that the budget leaves a unit.
  public var minimumRepetitions: Int
  /// Wall time that the samples of one unit may take; slow units get fewer samples.
  public var cellBudget: Duration
  /// Wall time beyond which a unit gets no second or further sample, even below the minimum.
  public var cellCap: Duration
  public var seed: UInt64

  public init(
    units: [Unit], repetitions: Int, minimumRepetitions: Int = 3, cellBudget: Duration,
    cellCap: Duration, seed: UInt64
  ) {
    var seen = Set<Unit>()
    self.units = units.filter { seen.insert($0).inserted }
    (self.repetitions, self.minimumRepetitions) = (max(1, repetitions), minimumRepetitions)
    (self.cellBudget, self.cellCap, self.seed) = (cellBudget, cellCap, seed)
  }

  /// How many samples a unit gets whose samples take so long, by the same rule as ends it.
  func samples(ofSeconds seconds: Double) -> Int {
    guard seconds > 0 else { return repetitions }
    func count(within limit: Duration) -> Double {
      (Double(limit.nanoseconds) / 1e9 / seconds).rounded(.down)
    }
    let budgeted = max(Double(minimumRepetitions), count(within: cellBudget))
    return Int(min(Double(repetitions), budgeted, max(1, count(within: cellCap))))
  }
}

public enum RoundPhase: Sendable, Equatable {
  /// Its outcome is thrown away. It may be a shorter execution than a measured one.
  case warmup
  /// Both count from 0: the round, and the place among all samples of the run.
  case measured(round: Int, sequence: Int)
}

/// Thrown by an execution where only this cell has failed and the contestant can go on with its others.
/// Any other error ends the contestant.
public struct CellFailure: Error, Sendable, Equatable, CustomStringConvertible {
  public let description: String

  public init(_ description: String) { self.description = description }
}

/// Why a unit got no further sample.
public enum CellEnding: Sendable {
  case complete
  /// The next sample was expected to exceed the budget.
  case budget
  /// The next sample was expected to exceed the cap, and there are fewer than the minimum.
  case cap
  case failed(any Error)
  /// Its contestant failed, here or in another cell.
  case contestantFailed(any Error)
  case cancelled
}

public struct RoundSample<Outcome> {
  public let round: Int
  /// Its place among all samples of the run, from 0.
  public let sequence: Int
  /// Wall time of the execution as the scheduler saw it, which is what budgets count.
  public let elapsedNanoseconds: UInt64
  public let outcome: Outcome
}

extension RoundSample: Sendable where Outcome: Sendable {}
extension RoundSample: Equatable where Outcome: Equatable {}

public struct CellResult<Outcome> {
  /// In the order in which they were taken. What was measured before a failure or a cancellation is kept.
  public let samples: [RoundSample<Outcome>]
  public let ending: CellEnding
}

extension CellResult: Sendable where Outcome: Sendable {}

/// One unit's use of time. Nanoseconds as `Double`, as they are sums and means.
struct UnitTiming {
  var measured = 0.0
  var count = 0

  /// Why the unit gets no further sample, or nil where it gets one. The next sample is expected to take the mean of
  /// those taken.
  func ending(_ plan: RoundPlan) -> CellEnding? {
    if count >= plan.repetitions { return .complete }
    guard count > 0 else { return nil }
    let expected = measured + measured / Double(count)
    if count >= plan.minimumRepetitions, expected > Double(plan.cellBudget.nanoseconds) { return .budget }
    return expected > Double(plan.cellCap.nanoseconds) ? .cap : nil
  }
}
