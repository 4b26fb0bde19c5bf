import Testing

@testable import GPT2Kernels

@Suite struct GuidedScheduleTests {
  private func parts(_ schedule: GuidedSchedule) -> [Range<Int>] {
    (0...).lazy.map(schedule.part).prefix { $0 != nil }.map { $0! }
  }

  @Test(arguments: [2, 3, 5, 16, 64], [1, 2, 3, 7, 8, 48, 64, 100, 1047, 50_257])
  func partsFollowEachOtherAndShrinkToSingleGrains(_ threads: Int, _ grains: Int) {
    let parts = parts(GuidedSchedule(count: grains * 3 - 2, grain: 3, threads: threads))
    #expect(parts.flatMap(Array.init) == Array(0..<grains))
    #expect(zip(parts, parts.dropFirst()).allSatisfy { $0.count >= $1.count })
    #expect(parts.last?.count == 1)
    // Nobody is handed more than its share of half the work, so one slow thread holds up no more than that.
    #expect(parts.allSatisfy { $0.count <= max(grains / (2 * threads), 1) })
  }

  @Test func aPartIsKnownByItsNumberInAFewSteps() {
    let schedule = GuidedSchedule(count: 1 << 40, grain: 1, threads: 16)
    let count = parts(schedule).count
    #expect(count < 16 * 64)
    #expect(schedule.part(count) == nil && schedule.part(.max) == nil)
  }

  @Test func noWorkHasNoParts() {
    #expect(GuidedSchedule(count: 0, grain: 4, threads: 3).part(0) == nil)
  }
}
