import TestSupport
import Testing

@testable import Measurement

struct ForecastTests {
  private typealias ID = Forecast.ID

  private static func rounds(_ repetitions: Int, budget: Duration = .seconds(1000)) -> RoundPlan {
    RoundPlan(units: [], repetitions: repetitions, cellBudget: budget, cellCap: .seconds(1000), seed: 1)
  }

  @Test func aRunOfKnownPartsCountsDown() {
    var forecast = Forecast([
      Forecast.Part(ID(.ceilings)) { _ in 4 }, Forecast.Part(ID(.ceilings, cell: 1)) { _ in 2 },
    ])
    expectEqual(forecast.left(at: 100), 6)
    forecast.begin(ID(.ceilings), at: 100)
    expectEqual(forecast.left(at: 103), 3)
    forecast.end(at: 104)
    expectEqual(forecast.left(at: 104), 2)
    forecast.begin(ID(.ceilings, cell: 1), at: 104)
    forecast.end(at: 106)
    expectEqual(forecast.left(at: 106), 0)
    expectEqual(forecast.elapsed(at: 106), 6)
  }

  /// The first of a kind took twice what was planned: so will the second.
  @Test func theFirstOfAKindCorrectsTheOthers() {
    var forecast = Forecast([
      Forecast.Part(ID(.check)) { _ in 4 }, Forecast.Part(ID(.check, contestant: 1)) { _ in 3 },
      Forecast.Part(ID(.start)) { _ in 1 },
    ])
    forecast.begin(ID(.check), at: 0)
    forecast.end(at: 8)
    expectEqual(forecast.left(at: 8), 7)
  }

  @Test func aFirstTokenPlansWhatFollows() {
    var forecast = Forecast([
      Forecast.Part(ID(.sample), in: Self.rounds(3)) { ($0 ?? 1) * 10 },
      Forecast.Part(ID(.sample, contestant: 1), in: Self.rounds(3)) { ($0 ?? 1) * 10 },
    ])
    expectEqual(forecast.left(at: 0), 60)
    forecast.know(firstToken: 0.5, of: 0)
    forecast.know(firstToken: 0.7, of: 0)
    expectEqual(forecast.left(at: 0), 45)
    forecast.promise(2, for: ID(.sample))
    expectEqual(forecast.left(at: 0), 36)
    forecast.finish(contestant: 1)
    expectEqual(forecast.left(at: 0), 6)
  }

  /// By the mean of what has been measured, and no more samples than the budget allows.
  @Test func samplesAreAsManyAsTheBudgetAllows() {
    var forecast = Forecast([Forecast.Part(ID(.sample), in: Self.rounds(10, budget: .seconds(40))) { _ in 1 }]
    )
    expectEqual(forecast.left(at: 0), 10)
    forecast.begin(ID(.sample), at: 0)
    forecast.end(at: 10)
    expectEqual(forecast.left(at: 10), 30)
    // At least three, whatever the budget.
    forecast.begin(ID(.sample), at: 10)
    expectEqual(forecast.left(at: 15), 25)
    forecast.end(at: 50)
    expectEqual(forecast.left(at: 50), 25)
    forecast.finish(ID(.sample))
    expectEqual(forecast.left(at: 50), 0)
  }

  @Test func whatOverrunsTakesAsLongAsItDoes() {
    var forecast = Forecast([Forecast.Part(ID(.sample), in: Self.rounds(3)) { _ in 2 }])
    forecast.begin(ID(.sample), at: 0)
    expectEqual(forecast.left(at: 1), 5)
    expectEqual(forecast.left(at: 5), 10)
  }

  /// Half of the time so far passed between parts: of what is left it will be the same.
  @Test func whatPassesBetweenPartsCounts() {
    var forecast = Forecast([Forecast.Part(ID(.load), in: Self.rounds(4)) { _ in 1 }])
    for begin in [0.0, 2] {
      forecast.begin(ID(.load), at: begin)
      forecast.end(at: begin + 1)
    }
    expectEqual(forecast.left(at: 4), 4)
  }

  /// A sample that ends its cell is over when the record is written: that time is not the sample's.
  @Test func aPartThatBeginsEndsTheOneBeforeIt() {
    var forecast = Forecast([
      Forecast.Part(ID(.sample), in: Self.rounds(2)) { _ in 1 },
      Forecast.Part(ID(.sample, contestant: 1), in: Self.rounds(1)) { _ in 1 },
      Forecast.Part(ID(.keeping)) { _ in 1 }, Forecast.Part(ID(.keeping, contestant: 1)) { _ in 1 },
    ])
    forecast.begin(ID(.sample, contestant: 1), at: 0)
    forecast.finish(ID(.sample, contestant: 1))
    forecast.begin(ID(.keeping, contestant: 1), at: 2)
    forecast.end(at: 5)
    forecast.end(at: 5)
    // Two samples of two seconds, and a record of three.
    expectEqual(forecast.left(at: 5), 7)
  }

  @Test func aPartMayComeLater() {
    var forecast = Forecast()
    #expect(forecast.isEmpty && forecast.left(at: 3) == 0)
    forecast.add(Forecast.Part(ID(.confirmation)) { _ in 7 })
    expectEqual(forecast.left(at: 3), 7)
  }

  @Test func theTimeLeftFallsOrSaysWhyNot() {
    var left = TimeLeft()
    left.expect(100, cause: "begin", at: 0)
    left.expect(90, cause: "a", at: 5)
    expectEqual(left.seconds, 90)
    expectNil(left.rise)
    // A little more than before is not worth a word.
    left.expect(95, cause: "b", at: 6)
    expectEqual(left.seconds, 90)
    expectNil(left.rise)
    left.expect(130, cause: "c", at: 7)
    expectEqual(left.seconds, 130)
    expectEqual(left.rise?.cause, "c")
    expectEqual(left.rise?.seconds, 40)
    left.expect(120, cause: "d", at: 10)
    expectEqual(left.seconds, 120)
    expectEqual(left.rise?.cause, "c")
    left.expect(100, cause: "e", at: 30)
    expectNil(left.rise)
  }

  @Test func samplesOfAUnitFollowTheRuleThatEndsIt() {
    let plan = RoundPlan(units: [], repetitions: 10, cellBudget: .seconds(5), cellCap: .seconds(50), seed: 1)
    expectEqual(plan.samples(ofSeconds: 0), 10)
    expectEqual(plan.samples(ofSeconds: 0.1), 10)
    expectEqual(plan.samples(ofSeconds: 0.8), 6)
    expectEqual(plan.samples(ofSeconds: 4), 3)
    expectEqual(plan.samples(ofSeconds: 18), 2)
    expectEqual(plan.samples(ofSeconds: 60), 1)
  }
}
