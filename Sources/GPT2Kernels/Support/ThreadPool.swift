import CSystem
import Dispatch
import Foundation
import Synchronization

/// A persistent team of threads that splits ranges, the calling thread among them.
///
/// A fork publishes one job and bumps a counter that the workers watch; while they are watching it costs them a
/// cache line, not a system call. A worker that has watched in vain for a while parks until it is woken, so an
/// idle pool takes no time from anybody. Parts are handed out on demand: a thread that the system delays holds
/// back one part, not its whole share. One thread at a time may fork.
public final class ThreadPool: @unchecked Sendable {
  public let threads: Int

  private let shared: Shared

  public init(threads: Int) {
    self.threads = max(threads, 1)
    let shared = Shared(workers: self.threads - 1)
    self.shared = shared
    for index in 0..<self.threads - 1 {
      let thread = Thread { shared.work(as: index) }
      thread.name = "gpt2-bench worker \(index + 1)"
      thread.start()
    }
  }

  deinit { shared.publish(nil) }

  /// Calls `body` with parts that cover `range` once, from all threads, and returns when all are done.
  ///
  /// - Parameter grain: parts are multiples of this, except the last.
  public func split(_ range: Range<Int>, grain: Int, _ body: (Range<Int>) -> Void) {
    let grains = (range.count + grain - 1) / grain
    guard threads > 1, grains > 1 else {
      if !range.isEmpty { body(range) }
      return
    }
    // Several parts for each thread level out delays; each takes one atomic addition.
    let part = max(grains / (threads * 4), 1) * grain
    withoutActuallyEscaping(body) { body in
      shared.publish(Job(body: body, range: range, part: part))
      shared.takeParts()
      shared.join()
    }
  }
}

private struct Job {
  let body: (Range<Int>) -> Void
  let range: Range<Int>
  let part: Int
}

/// What the pool's threads share. It outlives the pool until the last worker has ended.
private final class Shared: @unchecked Sendable {
  /// Pauses that a worker watches for before it parks: some tens of microseconds, longer than the time
  /// between two operations of a forward pass.
  private static let patience = 20_000

  /// Written by the forking thread while every worker watches or is parked; published as nil it ends them.
  private var job: Job?
  private let generation = Atomic<Int>(0)
  private let next = Atomic<Int>(0)
  private let running = Atomic<Int>(0)
  private let workers: [Parking]

  init(workers: Int) { self.workers = (0..<workers).map { _ in Parking() } }

  func publish(_ job: Job?) {
    self.job = job
    next.store(job?.range.lowerBound ?? 0, ordering: .relaxed)
    running.store(workers.count, ordering: .relaxed)
    generation.add(1, ordering: .sequentiallyConsistent)
    for worker in workers { worker.wake() }
  }

  /// Takes parts of the current job until none are left.
  func takeParts() {
    guard let job else { return }
    while true {
      let start = next.add(job.part, ordering: .relaxed).oldValue
      guard start < job.range.upperBound else { return }
      job.body(start..<min(start + job.part, job.range.upperBound))
    }
  }

  /// Waits until every worker is through with the current job, then forgets it.
  func join() {
    var spins = 0
    while running.load(ordering: .acquiring) > 0 {
      csystem_pause()
      spins += 1
      if spins % Self.patience == 0 { sched_yield() }
    }
    job = nil
  }

  func work(as index: Int) {
    var seen = 0
    while true {
      var spins = 0
      while generation.load(ordering: .acquiring) == seen {
        csystem_pause()
        spins += 1
        if spins == Self.patience {
          workers[index].park { generation.load(ordering: .sequentiallyConsistent) == seen }
          spins = 0
        }
      }
      seen += 1
      if job == nil { return }
      takeParts()
      running.subtract(1, ordering: .releasing)
    }
  }
}

/// Where one worker sleeps. A wake that comes between the decision to park and the parking is not lost: whoever
/// takes the flag down, worker or waker, decides whether the semaphore is used.
private final class Parking: Sendable {
  private let isParked = Atomic<Bool>(false)
  private let semaphore = DispatchSemaphore(value: 0)

  /// Sleeps until woken, unless `isIdle` says that there is work after all.
  func park(while isIdle: () -> Bool) {
    isParked.store(true, ordering: .sequentiallyConsistent)
    if isIdle() || !isParked.exchange(false, ordering: .sequentiallyConsistent) { semaphore.wait() }
  }

  func wake() {
    guard isParked.load(ordering: .sequentiallyConsistent) else { return }
    if isParked.exchange(false, ordering: .sequentiallyConsistent) { semaphore.signal() }
  }
}
