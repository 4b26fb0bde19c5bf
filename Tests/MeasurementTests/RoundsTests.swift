import TestSupport
import Testing

@testable import Measurement

private typealias Unit = RoundPlan.Unit

/// A run on a fake clock that notes what was executed.
private struct Recorded {
  var executions: [(unit: Unit, phase: RoundPhase)] = []
  var ended: [Unit] = []
  var sampled: [Unit] = []
  var cells: [Unit: CellResult<Int>] = [:]
  var failures: [Int: any Error] = [:]
  var wasCancelled = false

  var measured: [(unit: Unit, round: Int, sequence: Int)] {
    executions.compactMap {
      guard case .measured(let round, let sequence) = $0.phase else { return nil }
      return ($0.unit, round, sequence)
    }
  }

  func order(ofRound round: Int) -> [Unit] {
    measured.filter { $0.round == round }.map(\.unit)
  }

  func ending(_ contestant: Int, _ cell: Int) -> String {
    let unit = Unit(contestant: contestant, cell: cell)
    guard let ending = cells[unit]?.ending else { return "none" }
    switch ending {
    case .complete: return "complete"
    case .budget: return "budget"
    case .cap: return "cap"
    case .failed(let error): return "failed: \(error)"
    case .contestantFailed(let error): return "contestant: \(error)"
    case .cancelled: return "cancelled"
    }
  }

  func count(_ contestant: Int, _ cell: Int) -> Int {
    cells[Unit(contestant: contestant, cell: cell)]?.samples.count ?? -1
  }
}

private struct Broken: Error, CustomStringConvertible {
  var description: String { "broken" }
}

private let second: UInt64 = 1_000_000_000

extension RoundPlan {
  /// Every contestant with every cell.
  fileprivate static func allUnits(contestants: Int, cells: Int) -> [Unit] {
    (0..<contestants).flatMap { contestant in
      (0..<cells).map { Unit(contestant: contestant, cell: $0) }
    }
  }
}

private func plan(
  contestants: Int, cells: Int, repetitions: Int, minimum: Int = 3, budget: Duration = .seconds(1000),
  cap: Duration = .seconds(1000), seed: UInt64 = 1
) -> RoundPlan {
  RoundPlan(
    units: RoundPlan.allUnits(contestants: contestants, cells: cells), repetitions: repetitions,
    minimumRepetitions: minimum, cellBudget: budget, cellCap: cap, seed: seed)
}

/// `duration` gives an execution's nanoseconds, or throws in its place.
private func record(
  _ plan: RoundPlan, cancelAfter: Int = .max,
  duration: (Unit, RoundPhase) throws -> UInt64 = { _, _ in second }
) -> Recorded {
  let clock = FakeClock()
  var recorded = Recorded()
  var observers = Rounds<Int>.Observers()
  var ended: [Unit] = []
  var sampled: [Unit] = []
  observers.onCellEnd = { unit, _ in ended.append(unit) }
  observers.onSample = { unit, _ in sampled.append(unit) }
  var executions: [(unit: Unit, phase: RoundPhase)] = []
  var rounds = Rounds(plan, clock: clock, observers: observers)
  while executions.count < cancelAfter, let (unit, phase) = rounds.next() {
    executions.append((unit, phase))
    do {
      clock.advance(by: try duration(unit, phase))
      rounds.end(.success(executions.count))
    } catch {
      // As the driver does: what the cancellation caused is no failure.
      if executions.count < cancelAfter { rounds.end(.failure(error)) }
    }
  }
  recorded.wasCancelled = executions.count >= cancelAfter
  if recorded.wasCancelled { rounds.cancel() }
  (recorded.cells, recorded.failures) = (rounds.cells, rounds.failures)
  recorded.executions = executions
  recorded.ended = ended
  recorded.sampled = sampled
  return recorded
}

struct RoundsTests {
  @Test func everyRoundIsAPermutationOfAllEntries() {
    let run = record(plan(contestants: 3, cells: 2, repetitions: 20))
    let all = Set(RoundPlan.allUnits(contestants: 3, cells: 2))
    for round in 0..<20 {
      let order = run.order(ofRound: round)
      expectEqual(order.count, 6)
      expectEqual(Set(order), all)
    }
    #expect(run.order(ofRound: 20).isEmpty)
    expectEqual(run.measured.map(\.sequence), Array(0..<120))
    #expect(Set((0..<20).map { run.order(ofRound: $0) }).count > 15)
  }

  @Test func theSeedDecidesTheOrder() {
    let orders = (1...5).map { seed in
      record(plan(contestants: 4, cells: 2, repetitions: 4, seed: seed)).measured.map(\.unit)
    }
    expectEqual(Set(orders).count, 5)
    expectEqual(
      record(plan(contestants: 4, cells: 2, repetitions: 4, seed: 3)).measured.map(\.unit), orders[2])
  }

  @Test func everyEntryIsFirstAboutAsOften() {
    let run = record(plan(contestants: 4, cells: 1, repetitions: 400))
    var first = [Int](repeating: 0, count: 4)
    for round in 0..<400 { first[run.order(ofRound: round)[0].contestant] += 1 }
    // A share of 1/4 of 400 has a standard deviation of 8.7.
    #expect(first.allSatisfy { abs($0 - 100) < 35 })
  }

  @Test func warmupsComeFirstAndAreNoSamples() {
    let run = record(plan(contestants: 2, cells: 3, repetitions: 2))
    #expect(run.executions.prefix(6).allSatisfy { $0.phase == .warmup })
    expectEqual(run.executions.prefix(6).map(\.unit), RoundPlan.allUnits(contestants: 2, cells: 3))
    #expect(run.executions.dropFirst(6).allSatisfy { $0.phase != .warmup })
    let outcomes = run.cells.values.flatMap { $0.samples.map(\.outcome) }
    expectEqual(outcomes.sorted(), Array(7...18))
    expectEqual(run.sampled.count, 12)
  }

  @Test func samplesHoldTheirPlaceAndTime() throws {
    let run = record(plan(contestants: 2, cells: 1, repetitions: 3)) { unit, _ in
      UInt64(unit.contestant + 1) * second
    }
    let cell = try #require(run.cells[Unit(contestant: 1, cell: 0)])
    expectEqual(cell.samples.map(\.round), [0, 1, 2])
    expectEqual(cell.samples.map(\.elapsedNanoseconds), [2 * second, 2 * second, 2 * second])
    let mine = run.measured.filter { $0.unit.contestant == 1 }
    expectEqual(cell.samples.map(\.sequence), mine.map(\.sequence))
  }

  @Test func theBudgetEndsSlowCells() {
    let run = record(plan(contestants: 2, cells: 1, repetitions: 10, budget: .seconds(5))) { unit, _ in
      unit.contestant == 0 ? second : second / 10
    }
    expectEqual(run.ending(0, 0), "budget")
    expectEqual(run.count(0, 0), 5)
    expectEqual(run.ending(1, 0), "complete")
    expectEqual(run.count(1, 0), 10)
    expectEqual(run.order(ofRound: 7), [Unit(contestant: 1, cell: 0)])
  }

  @Test func theBudgetLeavesTheMinimum() {
    let run = record(plan(contestants: 1, cells: 1, repetitions: 10, budget: .seconds(5))) { _, _ in
      60 * second
    }
    expectEqual(run.ending(0, 0), "budget")
    expectEqual(run.count(0, 0), 3)
  }

  @Test func theCapEndsBelowTheMinimumButNotBeforeTheFirst() {
    let capped = plan(contestants: 1, cells: 1, repetitions: 10, budget: .seconds(5), cap: .seconds(130))
    let two = record(capped) { _, _ in 60 * second }
    expectEqual(two.ending(0, 0), "cap")
    expectEqual(two.count(0, 0), 2)
    let one = record(capped) { _, _ in 500 * second }
    expectEqual(one.ending(0, 0), "cap")
    expectEqual(one.count(0, 0), 1)
  }

  @Test func aLongWarmupCostsNoSample() {
    let run = record(plan(contestants: 1, cells: 1, repetitions: 4, budget: .seconds(5))) { _, phase in
      phase == .warmup ? 100 * second : second
    }
    expectEqual(run.ending(0, 0), "complete")
    expectEqual(run.count(0, 0), 4)
  }

  @Test func aFailingContestantIsDroppedAndTheOthersGoOn() {
    let run = record(plan(contestants: 3, cells: 2, repetitions: 4)) { unit, phase in
      if case .measured(let round, _) = phase, unit.contestant == 1, unit.cell == 0, round == 2 {
        throw Broken()
      }
      return second
    }
    expectEqual(run.failures.keys.sorted(), [1])
    expectEqual(run.ending(1, 0), "contestant: broken")
    expectEqual(run.ending(1, 1), "contestant: broken")
    expectEqual(run.count(1, 0), 2)
    #expect((2...3).contains(run.count(1, 1)))
    for contestant in [0, 2] {
      for cell in 0..<2 {
        expectEqual(run.ending(contestant, cell), "complete")
        expectEqual(run.count(contestant, cell), 4)
      }
    }
    expectEqual(Set(run.ended).count, 6)
    expectEqual(run.ended.count, 6)
    #expect(!run.wasCancelled)
  }

  @Test func aContestantThatFailsWarmingUpIsNotMeasured() {
    let run = record(plan(contestants: 2, cells: 2, repetitions: 2)) { unit, _ in
      if unit.contestant == 0 { throw Broken() }
      return second
    }
    expectEqual(run.executions.filter { $0.unit.contestant == 0 }.count, 1)
    expectEqual(run.ending(0, 1), "contestant: broken")
    expectEqual(run.ending(1, 1), "complete")
  }

  @Test func aCellFailureEndsThatCellAlone() {
    let run = record(plan(contestants: 2, cells: 2, repetitions: 2)) { unit, _ in
      if unit == Unit(contestant: 0, cell: 1) { throw CellFailure("no such shape") }
      return second
    }
    expectEqual(run.ending(0, 1), "failed: no such shape")
    expectEqual(run.ending(0, 0), "complete")
    #expect(run.failures.isEmpty)
  }

  @Test func cancellationKeepsTheSamples() {
    let run = record(plan(contestants: 2, cells: 1, repetitions: 5), cancelAfter: 7)
    expectEqual(run.executions.count, 7)
    #expect(run.wasCancelled)
    expectEqual(run.count(0, 0) + run.count(1, 0), 5)
    expectEqual(run.ending(0, 0), "cancelled")
    expectEqual(run.ending(1, 0), "cancelled")
    expectEqual(run.ended.count, 2)
  }

  @Test func anErrorThatTheCancellationCausedIsNoFailure() {
    let run = record(plan(contestants: 2, cells: 1, repetitions: 5), cancelAfter: 4) { _, phase in
      if case .measured(_, let sequence) = phase, sequence == 1 { throw Broken() }
      return second
    }
    #expect(run.wasCancelled)
    #expect(run.failures.isEmpty)
    expectEqual(run.ending(0, 0), "cancelled")
  }

  @Test func everyRoundIsAnnouncedBeforeItsFirstSample() {
    var events: [String] = []
    var observers = Rounds<Int>.Observers()
    observers.onRound = { events.append("round \($0)") }
    var rounds = Rounds<Int>(
      plan(contestants: 1, cells: 2, repetitions: 2), clock: FakeClock(), observers: observers)
    while let (_, phase) = rounds.next() {
      if case .measured(let round, _) = phase { events.append("sample \(round)") }
      rounds.end(.success(0))
    }
    expectEqual(events, ["round 0", "sample 0", "sample 0", "round 1", "sample 1", "sample 1"])
  }

  @Test func anEmptyPlanEnds() {
    let run = record(plan(contestants: 0, cells: 3, repetitions: 2))
    #expect(run.cells.isEmpty)
  }

  @Test func entriesNamedTwiceCountOnce() {
    let twice = RoundPlan(
      units: [Unit(contestant: 0, cell: 0), Unit(contestant: 0, cell: 0)], repetitions: 2,
      cellBudget: .seconds(9), cellCap: .seconds(9), seed: 1)
    expectEqual(record(twice).executions.count, 3)
  }
}
