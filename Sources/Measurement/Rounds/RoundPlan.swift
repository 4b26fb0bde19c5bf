/// What is to be measured, and how much of it.
public struct RoundPlan: Sendable {
  /// One cell of one contestant; both are indices whose meaning is the caller's.
  public struct Entry: Sendable, Hashable {
    public let contestant: Int
    public let cell: Int

    public init(contestant: Int, cell: Int) {
      self.contestant = contestant
      self.cell = cell
    }
  }

  /// Each at most once. Warm-ups are run in this order.
  public var entries: [Entry]
  /// Samples wanted of each entry, at least 1.
  public var repetitions: Int
  /// Fewest samples that the budget leaves an entry.
  public var minimumRepetitions: Int
  /// Wall time that the samples of one entry may take; slow entries get fewer samples.
  public var cellBudget: Duration
  /// Wall time beyond which an entry gets no further sample even where it has fewer than the minimum. The first
  /// sample is always taken.
  public var cellCap: Duration
  /// Seed of the order of every round.
  public var seed: UInt64

  public init(
    entries: [Entry], repetitions: Int, minimumRepetitions: Int = 3, cellBudget: Duration,
    cellCap: Duration, seed: UInt64
  ) {
    var seen = Set<Entry>()
    self.entries = entries.filter { seen.insert($0).inserted }
    self.repetitions = max(1, repetitions)
    self.minimumRepetitions = minimumRepetitions
    self.cellBudget = cellBudget
    self.cellCap = cellCap
    self.seed = seed
  }
}

/// What an execution is for.
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

/// Why an entry got no further sample.
public enum CellEnding: Sendable {
  /// It has all its repetitions.
  case complete
  /// The next sample was expected to exceed the budget.
  case budget
  /// The next sample was expected to exceed the cap, and there are fewer than the minimum.
  case cap
  /// This cell failed.
  case failed(any Error)
  /// Its contestant failed, here or in another cell.
  case contestantFailed(any Error)
  case cancelled
}

/// One measured execution.
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

/// What became of one entry.
public struct CellResult<Outcome> {
  /// In the order in which they were taken. What was measured before a failure or a cancellation is kept.
  public let samples: [RoundSample<Outcome>]
  public let ending: CellEnding
}

extension CellResult: Sendable where Outcome: Sendable {}
