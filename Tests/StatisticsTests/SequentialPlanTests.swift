import Statistics
import Testing

@Suite struct SequentialPlanTests {
  @Test func looksGrowByHalvesAndThirds() {
    let plan = SequentialPlan()
    #expect((0..<10).map { plan.count(look: $0) } == [10, 15, 20, 30, 40, 60, 80, 120, 160, 240])
    let odd = SequentialPlan(firstLook: 5)
    #expect((0..<6).map { odd.count(look: $0) } == [5, 8, 10, 15, 20, 30])
    let smallest = SequentialPlan(firstLook: 2)
    #expect((0..<6).map { smallest.count(look: $0) } == [2, 3, 4, 6, 8, 12])
  }

  @Test func looksAreFoundByTheirCount() {
    let plan = SequentialPlan()
    #expect(plan.look(at: 10) == 0)
    #expect(plan.look(at: 20) == 2)
    #expect(plan.look(at: 240) == 9)
    for count in [-1, 0, 9, 11, 14, 16, 29, 239] { #expect(plan.look(at: count) == nil) }
  }

  @Test(arguments: [2, 3, 7, 10])
  func everyCountLiesBetweenTwoLooks(firstLook: Int) {
    let plan = SequentialPlan(firstLook: firstLook)
    #expect(plan.lookReached(by: firstLook - 1) == nil)
    for count in firstLook...500 {
      guard let look = plan.lookReached(by: count) else {
        Issue.record("no look reached by \(count)")
        return
      }
      #expect(plan.count(look: look) <= count && count < plan.count(look: look + 1))
    }
  }

  @Test func theLooksSpendAlphaAndNoMore() {
    let plan = SequentialPlan(alpha: 0.05)
    #expect(plan.alpha(look: 0) == 0.025)
    #expect(plan.alpha(look: 1) == 0.0125)
    var spent = 0.0
    for look in 0..<40 {
      spent += plan.alpha(look: look)
      #expect(spent < 0.05)
    }
    #expect(isClose(spent, 0.05))
  }
}
