import Testing

@testable import Record
@testable import Reporting

@Suite struct TimeSplitTests {
  private let recomputing = WorkAmount(nanoseconds: 1000, flops: 6400, bytes: 100, leastNanoseconds: 360)
  private let cached = WorkAmount(nanoseconds: 30, flops: 100, bytes: 90, leastNanoseconds: 20)

  /// 360 of 1000 ns are the roofline's, which becomes 20; 640 are lost, of which a 64th stays: 30 in all, as it is.
  @Test func workedOutByHand() throws {
    #expect(TimeSplit(from: recomputing, to: cached).map { [$0.work, $0.rate] } == [-970, 0])
    var slower = cached
    slower.nanoseconds = 40
    #expect(TimeSplit(from: recomputing, to: slower).map { [$0.work, $0.rate] } == [-970, 10])
  }

  @Test func theOtherWayRoundOnlyTheSignsChange() {
    var slower = cached
    slower.nanoseconds = 40
    #expect(TimeSplit(from: slower, to: recomputing).map { [$0.work, $0.rate] } == [970, -10])
  }

  @Test func theSameWorkIsAllRate() {
    var faster = recomputing
    faster.nanoseconds = 500
    #expect(TimeSplit(from: recomputing, to: faster).map { [$0.work, $0.rate] } == [0, -500])
    #expect(TimeSplit(from: faster, to: recomputing).map { [$0.work, $0.rate] } == [0, 500])
  }

  /// A kernel that memory bounds gains by fewer bytes; one that is far from that bound does not.
  @Test func fewerBytesCountAsFarAsTheyBound() {
    let quarter = WorkAmount(nanoseconds: 30, flops: 100, bytes: 25, leastNanoseconds: 22.5)
    let near = WorkAmount(nanoseconds: 100, flops: 100, bytes: 100, leastNanoseconds: 90)
    #expect(TimeSplit(from: near, to: quarter).map { [$0.work, $0.rate] } == [-67.5, -2.5])
    let far = WorkAmount(nanoseconds: 10_000, flops: 100, bytes: 100, leastNanoseconds: 90)
    #expect(TimeSplit(from: far, to: quarter).map { [$0.work, $0.rate] } == [-67.5, -9902.5])
  }

  @Test func withoutCeilingsTimeGoesWithTheOperations() {
    let from = WorkAmount(nanoseconds: 640, flops: 64, bytes: 1)
    let to = WorkAmount(nanoseconds: 30, flops: 1, bytes: 1)
    #expect(TimeSplit(from: from, to: to).map { [$0.work, $0.rate] } == [-630, 20])
    let copied = WorkAmount(nanoseconds: 8, bytes: 8)
    #expect(
      TimeSplit(from: copied, to: WorkAmount(nanoseconds: 3, bytes: 2)).map { [$0.work, $0.rate] } == [-6, 1])
  }

  @Test func whatOneSideDoesNotDoIsWork() {
    #expect(TimeSplit(from: WorkAmount(), to: cached).map { [$0.work, $0.rate] } == [30, 0])
    #expect(TimeSplit(from: cached, to: WorkAmount()).map { [$0.work, $0.rate] } == [-30, 0])
    #expect(TimeSplit(from: WorkAmount(nanoseconds: 1), to: WorkAmount(nanoseconds: 3)) == nil)
  }

  @Test func aCeilingThatWasTooLowLosesNothing() {
    let above = WorkAmount(nanoseconds: 80, flops: 10, bytes: 10, leastNanoseconds: 100)
    let half = WorkAmount(nanoseconds: 45, flops: 5, bytes: 5, leastNanoseconds: 50)
    #expect(TimeSplit(from: above, to: half).map { [$0.work, $0.rate] } == [-40, 5])
  }
}
