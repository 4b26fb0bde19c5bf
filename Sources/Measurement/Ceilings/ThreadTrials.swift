import CSystem
import Foundation
import Synchronization

/// Runs the same work on several threads at once, several times, and times each trial from the first thread's
/// start to the last one's end.
///
/// Where there is a core for each thread, each keeps to its own: a scheduler with other work in hand may leave
/// new threads together on one core for longer than all trials last.
enum ThreadTrials {
  /// - Parameters:
  ///   - threads: at least 1.
  ///   - trials: timed executions of `work` on each thread.
  ///   - work: gets the thread's number and the trial's, both from 0.
  /// - Returns: nanoseconds of each trial.
  static func run(
    threads: Int, trials: Int, clock: any MonotonicClock = SystemClock(),
    work: @escaping @Sendable (_ thread: Int, _ trial: Int) -> Void
  ) -> [UInt64] {
    let barrier = SpinBarrier(count: threads)
    let spans = Mutex([(start: UInt64, end: UInt64)](repeating: (.max, 0), count: trials))
    let done = DispatchGroup()
    let cores = CPUTopology.allowedCPUs()
    for index in 0..<threads {
      done.enter()
      Thread.detachNewThread {
        if threads <= cores.count { _ = csystem_pin_thread(Int32(cores[index])) }
        for trial in 0..<trials {
          barrier.wait()
          let start = clock.now()
          work(index, trial)
          let end = clock.now()
          spans.withLock {
            $0[trial].start = min($0[trial].start, start)
            $0[trial].end = max($0[trial].end, end)
          }
        }
        done.leave()
      }
    }
    done.wait()
    return spans.withLock { $0.map { $0.end - $0.start } }
  }
}

/// Lets threads go on together, within the time of a cache line's way from core to core.
final class SpinBarrier: Sendable {
  private let count: Int
  private let arrived = Atomic<Int>(0)
  private let generation = Atomic<Int>(0)

  init(count: Int) { self.count = count }

  /// Returns when `count` threads have called it; then it is ready for the next meeting.
  func wait() {
    let current = generation.load(ordering: .acquiring)
    if arrived.add(1, ordering: .acquiringAndReleasing).newValue == count {
      arrived.store(0, ordering: .relaxed)
      generation.add(1, ordering: .releasing)
      return
    }
    var spins = 0
    while generation.load(ordering: .acquiring) == current {
      spins += 1
      // More threads than cores: the one that is missing needs this core.
      if spins % 10_000 == 0 { sched_yield() }
    }
  }
}
