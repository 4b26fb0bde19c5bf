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

  /// - Parameter threads: the team's size with the calling thread, taken into 1 to 65,536.
  public init(threads: Int) {
    self.threads = min(max(threads, 1), 1 << 16)
    let shared = Shared(workers: self.threads - 1)
    self.shared = shared
    for index in 0..<self.threads - 1 {
      let thread = Thread { shared.work(as: index) }
      thread.name = "gpt2-bench worker \(index + 1)"
      thread.start()
    }
  }

  deinit { shared.end() }

  /// Calls `body` with parts that cover `range` once, from all threads, and returns when all are done.
  ///
  /// - Parameter grain: parts are multiples of this, except the last.
  public func split(_ range: Range<Int>, grain: Int, _ body: (Range<Int>) -> Void) {
    guard threads > 1, range.count > grain else {
      if !range.isEmpty { body(range) }
      return
    }
    withoutActuallyEscaping(body) { body in
      shared.publish(
        Job(
          body: body, range: range, grain: grain,
          schedule: GuidedSchedule(count: range.count, grain: grain, threads: threads)))
      shared.takeParts()
      shared.join()
    }
  }

  /// Calls `body` with each index below `count` once and returns when all are done.
  public func forEach(_ count: Int, _ body: (Int) -> Void) {
    split(0..<count, grain: 1) { part in
      for index in part { body(index) }
    }
  }
}

private struct Job {
  let body: (Range<Int>) -> Void
  let range: Range<Int>
  let grain: Int
  let schedule: GuidedSchedule

  /// The part of that number; nil behind the last.
  func part(_ number: Int) -> Range<Int>? {
    guard let grains = schedule.part(number) else { return nil }
    let start = range.lowerBound + grains.lowerBound * grain
    return start..<min(range.lowerBound + grains.upperBound * grain, range.upperBound)
  }
}

/// What the pool's threads share. It outlives the pool until the last worker has ended.
///
/// A job can be entered while its gate is open. The forking thread closes it when no parts are left and waits for
/// those inside only, so a worker that the system has not let run yet holds nobody up: it finds the gate closed.
private final class Shared: @unchecked Sendable {
  /// Pauses after which a thread that waits offers its core to whoever else wants it: another process, or the
  /// very worker it waits for. Where nobody does, the offer costs next to nothing.
  private static let courtesy = 1_000

  /// Pauses that a worker watches for before it parks: longer than the time between two operations of a
  /// forward pass; at once where the team is larger than the machine, because then it watches on a core that
  /// somebody works on.
  private let patience: Int

  /// Workers inside in the low bits, then two flags, then the job's number.
  private static let inside: UInt64 = 0xFFFF
  private static let open: UInt64 = 1 << 16
  private static let ended: UInt64 = 1 << 17
  private static let oneJob: UInt64 = 1 << 18

  /// Written by the forking thread while the gate is closed and nobody is inside.
  private var job: Job?
  private let gate = Atomic<UInt64>(0)
  private let next = Atomic<Int>(0)
  private let workers: [Parking]

  init(workers: Int) {
    self.workers = (0..<workers).map { _ in Parking() }
    patience = workers < ProcessInfo.processInfo.activeProcessorCount ? 20 * Self.courtesy : 1
  }

  func publish(_ job: Job) {
    self.job = job
    next.store(0, ordering: .relaxed)
    let number = gate.load(ordering: .relaxed) / Self.oneJob &+ 1
    gate.store(number &* Self.oneJob | Self.open, ordering: .sequentiallyConsistent)
    for worker in workers { worker.wake() }
  }

  /// Sends the workers home.
  func end() {
    gate.bitwiseOr(Self.ended, ordering: .sequentiallyConsistent)
    for worker in workers { worker.wake() }
  }

  /// Takes parts of the current job until none are left. Not inlined, so that no reference to the job is alive
  /// when a worker says that it has left.
  @inline(never)
  func takeParts() {
    guard let job else { return }
    while let part = job.part(next.add(1, ordering: .relaxed).oldValue) { job.body(part) }
  }

  /// Closes the job, whose parts have all been taken, waits for the workers inside, and forgets it.
  func join() {
    gate.bitwiseAnd(~Self.open, ordering: .acquiringAndReleasing)
    var spins = 0
    while gate.load(ordering: .acquiring) & Self.inside > 0 {
      csystem_pause()
      spins += 1
      if spins % Self.courtesy == 0 { sched_yield() }
    }
    job = nil
  }

  func work(as index: Int) {
    var done: UInt64 = 0
    while let number = enter(after: done, as: index) {
      takeParts()
      gate.subtract(1, ordering: .releasing)
      done = number
    }
  }

  /// Waits for an open job other than number `done` and enters it; nil when the pool has ended.
  private func enter(after done: UInt64, as index: Int) -> UInt64? {
    var spins = 0
    while true {
      let seen = gate.load(ordering: .acquiring)
      if seen & Self.ended != 0 { return nil }
      if Self.isNews(seen, after: done) {
        let (entered, _) = gate.compareExchange(
          expected: seen, desired: seen + 1, ordering: .acquiringAndReleasing)
        if entered { return seen / Self.oneJob }
        continue
      }
      csystem_pause()
      spins += 1
      if spins % Self.courtesy == 0 { sched_yield() }
      if spins == patience {
        workers[index].park {
          !Self.isNews(gate.load(ordering: .sequentiallyConsistent), after: done)
        }
        spins = 0
      }
    }
  }

  private static func isNews(_ gate: UInt64, after done: UInt64) -> Bool {
    gate & ended != 0 || (gate & open != 0 && gate / oneJob != done)
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
