import Foundation
import GPT2Kernels
import TestSupport
import Testing

/// Forks and joins of changing sizes, as many as `GPT2_BENCH_SOAK_FORKS` says: `scripts/sanitize.sh soak` asks for
/// 10 million.
@Suite(.serialized) struct PoolSoakTests {
  private static let forks =
    ProcessInfo.processInfo.environment["GPT2_BENCH_SOAK_FORKS"].flatMap { Int($0) } ?? 20_000
  /// Of one pool, before the next one takes over.
  private static let forksOfAPool = 100_000

  @Test(arguments: [2, 4])
  func everyPartOfEveryForkIsDoneOnce(_ threads: Int) {
    var random = RandomStream(seed: UInt64(threads))
    let memory = UnsafeMutableBufferPointer<UInt32>.allocate(capacity: 4096)
    defer { memory.deallocate() }
    memory.initialize(repeating: 0)
    nonisolated(unsafe) let counts = memory
    var expected = [UInt32](repeating: 0, count: memory.count)
    var wrong = 0
    var done = 0
    while done < Self.forks / 2 {
      let pool = ThreadPool(threads: threads)
      let end = min(done + Self.forksOfAPool, Self.forks / 2)
      while done < end {
        // Mostly small: what a pool gets wrong, it gets wrong between two forks.
        let size = Int(random.next() % (random.next() % 8 == 0 ? 4096 : 16))
        let grain = 1 + Int(random.next() % 8)
        pool.split(0..<size, grain: grain) { part in for i in part { counts[i] &+= 1 } }
        for i in 0..<size { expected[i] &+= 1 }
        if size > 0, counts[size - 1] != expected[size - 1] { wrong += 1 }
        done += 1
      }
    }
    expectEqual(wrong, 0)
    expectEqual(Array(counts), expected)
  }
}
