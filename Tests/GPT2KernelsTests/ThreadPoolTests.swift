import Foundation
import Synchronization
import TestSupport
import Testing

@testable import GPT2Kernels

/// One after the other: each of these wants the machine's cores for itself.
@Suite(.serialized) struct ThreadPoolTests {
  /// The parts of one split, in the order they were taken.
  private func parts(of pool: ThreadPool, _ range: Range<Int>, grain: Int) -> [Range<Int>] {
    let taken = Mutex<[Range<Int>]>([])
    pool.split(range, grain: grain) { part in taken.withLock { $0.append(part) } }
    return taken.withLock { $0 }
  }

  @Test(arguments: [1, 2, 3, 5, 8])
  func partsCoverTheRangeOnceAndAreMultiplesOfTheGrain(_ threads: Int) {
    let pool = ThreadPool(threads: threads)
    expectEqual(pool.threads, threads)
    for range in [0..<0, 5..<5, 0..<1, 3..<4, 0..<2, 0..<17, 7..<64, 0..<64, -5..<60, 100..<1003] {
      for grain in [1, 3, 16, 1000, 5000] {
        let parts = parts(of: pool, range, grain: grain).sorted { $0.lowerBound < $1.lowerBound }
        #expect(parts.allSatisfy { !$0.isEmpty })
        expectEqual(parts.flatMap(Array.init), Array(range))
        #expect(parts.dropLast().allSatisfy { $0.count % grain == 0 })
        #expect(parts.allSatisfy { ($0.lowerBound - range.lowerBound) % grain == 0 })
      }
    }
  }

  @Test func fewerThanOneThreadIsOne() {
    for threads in [0, -1, Int.min] { expectEqual(ThreadPool(threads: threads).threads, 1) }
  }

  @Test(arguments: [2, 3])
  func manyForksInARowLoseNothing(_ threads: Int) {
    let pool = ThreadPool(threads: threads)
    let total = Atomic<Int>(0)
    var wrong = 0
    for fork in 1...20_000 {
      pool.split(0..<8, grain: 1) { total.add($0.count, ordering: .relaxed) }
      if total.load(ordering: .relaxed) != 8 * fork { wrong += 1 }
    }
    expectEqual(wrong, 0)
  }

  /// Plain writes: what the workers have written is there when `split` returns.
  @Test(arguments: [2, 5])
  func resultsAreThereWhenTheForkReturns(_ threads: Int) {
    let pool = ThreadPool(threads: threads)
    let memory = UnsafeMutableBufferPointer<Int>.allocate(capacity: 1000)
    memory.initialize(repeating: 0)
    defer { memory.deallocate() }
    nonisolated(unsafe) let values = memory
    for fork in 1...200 {
      pool.split(0..<1000, grain: 8) { part in for i in part { values[i] += i } }
      expectEqual(values[999], 999 * fork)
      expectEqual(values[1], fork)
    }
    #expect((0..<1000).allSatisfy { values[$0] == 200 * $0 })
  }

  @Test(arguments: [2, 5])
  func forksAfterAPauseWakeParkedWorkers(_ threads: Int) {
    let pool = ThreadPool(threads: threads)
    for _ in 0..<6 {
      usleep(60_000)
      expectEqual(parts(of: pool, 0..<100, grain: 1).flatMap(Array.init).sorted(), Array(0..<100))
    }
  }

  /// A pause about as long as a worker's patience: wakes meet workers on their way to park.
  @Test func noWakeIsLostAtTheMomentOfParking() {
    let pool = ThreadPool(threads: 3)
    let total = Atomic<Int>(0)
    for fork in 0..<300 {
      usleep(UInt32(fork % 30) * 40)
      pool.split(0..<3, grain: 1) { total.add($0.count, ordering: .relaxed) }
    }
    expectEqual(total.load(ordering: .relaxed), 900)
  }

  #if os(Linux)
    @Test(.timeLimit(.minutes(1)))
    func threadsEndWithTheirPool() {
      var seen: Set<Int> = []
      for _ in 0..<20 {
        let pool = ThreadPool(threads: 4)
        seen.formUnion(threadIDs(of: pool))
      }
      #expect(seen.count >= 60)
      let deadline = ContinuousClock.now + .seconds(20)
      while !living(seen).isEmpty && ContinuousClock.now < deadline { usleep(2000) }
      #expect(living(seen).isEmpty)
    }

    /// The pool's workers by the system's numbers: parts are held up until every thread has taken one.
    private func threadIDs(of pool: ThreadPool) -> Set<Int> {
      let found = Mutex<Set<Int>>([])
      let own = currentThreadID()
      while found.withLock(\.count) < pool.threads {
        pool.split(0..<pool.threads, grain: 1) { _ in
          _ = found.withLock { $0.insert(currentThreadID()) }
          usleep(500)
        }
      }
      return found.withLock { $0.subtracting([own]) }
    }

    private func currentThreadID() -> Int {
      let link = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/thread-self")
      return link?.split(separator: "/").last.flatMap { Int($0) } ?? 0
    }

    private func living(_ threads: Set<Int>) -> Set<Int> {
      let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/task")) ?? []
      return threads.intersection(names.compactMap { Int($0) })
    }
  #endif
}

struct GuidedScheduleTests {
  private func parts(_ schedule: GuidedSchedule) -> [Range<Int>] {
    (0...).lazy.map(schedule.part).prefix { $0 != nil }.map { $0! }
  }

  @Test(arguments: [2, 3, 5, 16, 64], [1, 2, 3, 7, 8, 48, 64, 100, 1047, 50_257])
  func partsFollowEachOtherAndShrinkToSingleGrains(_ threads: Int, _ grains: Int) {
    let parts = parts(GuidedSchedule(count: grains * 3 - 2, grain: 3, threads: threads))
    expectEqual(parts.flatMap(Array.init), Array(0..<grains))
    #expect(zip(parts, parts.dropFirst()).allSatisfy { $0.count >= $1.count })
    expectEqual(parts.last?.count, 1)
    // Nobody is handed more than its share of half the work, so one slow thread holds up no more than that.
    #expect(parts.allSatisfy { $0.count <= max(grains / (2 * threads), 1) })
  }

  @Test func aPartIsKnownByItsNumberInAFewSteps() {
    let schedule = GuidedSchedule(count: 1 << 40, grain: 1, threads: 16)
    let count = parts(schedule).count
    #expect(count < 16 * 64)
    expectNil(schedule.part(count))
    expectNil(schedule.part(.max))
  }

  @Test func noWorkHasNoParts() {
    expectNil(GuidedSchedule(count: 0, grain: 4, threads: 3).part(0))
  }
}
