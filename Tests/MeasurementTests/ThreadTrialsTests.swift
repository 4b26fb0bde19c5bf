import GPT2Kernels
import Record
import Synchronization
import TestSupport
import Testing

@testable import Measurement

/// One after the other: each wants the machine's cores for itself.
@Suite(.serialized) struct ForkJoinTests {
  /// That this ends at all says that every thread of the pool came to every job.
  @Test(.timeLimit(.minutes(1)), arguments: [2, 3])
  func poolUnderItsYardstick(_ threads: Int) throws {
    let pool = ThreadPool(threads: threads)
    let cost = try #require(ForkJoin.measure(threads: threads, fork: pool.forEach))
    expectEqual(cost.threads, threads)
    for figure in [cost.hotMicroseconds, cost.wokenMicroseconds] {
      #expect(figure.isFinite && figure > 0)
    }
  }

  @Test func oneThreadForksNothing() {
    expectNil(ForkJoin.measure(threads: 1) { _, _ in Issue.record("forked") })
  }

  @Test func eachIsTheMedianOfItsForks() throws {
    let clock = FakeClock()
    // One to begin with, three woken ones, two to settle, four hot ones.
    var times: [UInt64] = [700_000, 90_000, 40_000, 50_000, 9_000, 9_000, 3_000, 1_000, 2_000, 1_500]
    let pool = ThreadPool(threads: 2)
    let effort = ForkJoin.Effort(
      wokenForks: 3, pause: .nanoseconds(1), settling: 10_000, hotForks: 4, nanosecondsEach: .max)
    let cost = try #require(
      ForkJoin.measure(threads: 2, effort: effort, clock: clock) { count, body in
        clock.advance(by: times.removeFirst())
        pool.forEach(count, body)
      })
    #expect(times.isEmpty)
    expectEqual(cost, ForkJoin(threads: 2, hotMicroseconds: 1.75, wokenMicroseconds: 50))
  }

  @Test func slowForksAreMadeOnceOfEachKind() throws {
    let clock = FakeClock()
    var forks = 0
    let pool = ThreadPool(threads: 3)
    let effort = ForkJoin.Effort(
      pause: .nanoseconds(1), settling: 1, nanosecondsEach: 1_000_000)
    let cost = try #require(
      ForkJoin.measure(threads: 3, effort: effort, clock: clock) { count, body in
        clock.advance(by: 2_000_000)
        forks += 1
        pool.forEach(count, body)
      })
    expectEqual(forks, 4)
    expectEqual(cost.hotMicroseconds, 2000)
    expectEqual(cost.wokenMicroseconds, 2000)
  }
}

/// A clock that stands still until a test moves it.
final class FakeClock: MonotonicClock {
  private let nanoseconds = Mutex<UInt64>(1_000)

  func now() -> UInt64 { nanoseconds.withLock { $0 } }

  func advance(by duration: UInt64) {
    nanoseconds.withLock { $0 += duration }
  }
}
