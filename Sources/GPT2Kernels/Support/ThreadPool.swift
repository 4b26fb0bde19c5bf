import CSystem
import Dispatch
import Foundation
import Synchronization

/// A persistent team of threads that splits ranges, the calling thread among them. A fork publishes one job and bumps
/// a counter that the workers watch, which costs them a cache line, not a system call. A worker that has watched in
/// vain for a while parks, so an idle pool takes no time from anybody. Parts are handed out on demand: a thread that
/// the system delays holds back one part, not its whole share. One thread at a time may fork.
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
      Probe.enter(.waiting)
      shared.join()
      Probe.enter(.operation)
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

  /// Takes parts, whose numbers `next` counts, until none are left. Not inlined: a job that is lent to it is not
  /// retained and released with every part, which would have all threads write one reference count.
  @inline(never)
  borrowing func takeParts(_ next: UnsafeMutablePointer<Atomic<Int>>) {
    while let part = part(next.pointee.wrappingAdd(1, ordering: .relaxed).oldValue) { body(part) }
  }

  /// The part of that number; nil after the last.
  func part(_ number: Int) -> Range<Int>? {
    guard let grains = schedule.part(number) else { return nil }
    let start = range.lowerBound + grains.lowerBound * grain
    return start..<min(range.lowerBound + grains.upperBound * grain, range.upperBound)
  }
}

/// What the pool's threads share. It outlives the pool until the last worker has ended. A job can be entered while its
/// gate is open. The forking thread closes it when no parts are left and waits for those inside only, so a worker that
/// the system has not let run yet holds nobody up. Both numbers change by single instructions that cannot fail, so
/// that many threads at the gate wait for a cache line each and not for each other's attempts; checked ones loop.
private final class Shared: @unchecked Sendable {
  /// Pauses after which a thread that waits offers its core to whoever else wants it: another process, or the
  /// very worker it waits for. Where nobody does, the offer costs next to nothing.
  private static let courtesy = 1_000

  /// Pauses that a worker watches for before it parks: longer than the time between two operations of a forward pass;
  /// at once where the team is larger than the machine, because then it watches on a core that somebody works on.
  private let patience: Int

  /// Whether every thread of the team can have a core of its own.
  private let hasCores: Bool

  /// Workers inside in the low bits, then two flags, then the job's number.
  private static let inside: UInt64 = 0xFFFF
  private static let open: UInt64 = 1 << 16
  private static let ended: UInt64 = 1 << 17
  private static let oneJob: UInt64 = 1 << 18

  /// Written by the forking thread while the gate is closed and nobody is inside.
  private var job: Job?
  private let gateLine = LoneAtomic<UInt64>(0)
  private let nextLine = LoneAtomic<Int>(0)
  private let workers: [Parking]

  init(workers: Int) {
    self.workers = (0..<workers).map { _ in Parking() }
    hasCores = workers < ProcessInfo.processInfo.activeProcessorCount
    patience = hasCores ? 20 * Self.courtesy : 1
  }

  private var gate: UnsafeMutablePointer<Atomic<UInt64>> { gateLine.number }

  func publish(_ job: Job) {
    self.job = job
    nextLine.number.pointee.store(0, ordering: .relaxed)
    gate.pointee.wrappingAdd(Self.oneJob | Self.open, ordering: .sequentiallyConsistent)
    for worker in workers { worker.wake(elsewhere: hasCores) }
  }

  func end() {
    gate.pointee.bitwiseOr(Self.ended, ordering: .sequentiallyConsistent)
    for worker in workers { worker.wake(elsewhere: false) }
  }

  /// Takes parts of the current job until none are left. Not inlined, so that no reference to the job is alive
  /// when a worker says that it has left.
  @inline(never)
  func takeParts() {
    guard let job else { return }
    job.takeParts(nextLine.number)
  }

  /// Closes the job, whose parts have all been taken, waits for the workers inside, and forgets it.
  func join() {
    gate.pointee.bitwiseAnd(~Self.open, ordering: .acquiringAndReleasing)
    var spins = 0
    while gate.pointee.load(ordering: .acquiring) & Self.inside > 0 {
      csystem_pause()
      spins += 1
      if spins % Self.courtesy == 0 { sched_yield() }
    }
    job = nil
  }

  func work(as index: Int) {
    workers[index].settle()
    var done: UInt64 = 0
    while let number = enter(after: done, as: index) {
      Probe.enter(.operation)
      takeParts()
      // Before it leaves: after the gate nothing of a job may be touched, and a listener belongs to the job.
      Probe.enter(.waiting)
      gate.pointee.wrappingSubtract(1, ordering: .releasing)
      done = number
    }
  }

  /// Waits for an open job other than number `done` and enters it; nil when the pool has ended.
  private func enter(after done: UInt64, as index: Int) -> UInt64? {
    var spins = 0
    while true {
      if Self.isNews(gate.pointee.load(ordering: .acquiring), after: done) {
        let found = gate.pointee.wrappingAdd(1, ordering: .acquiringAndReleasing).oldValue
        if found & Self.ended == 0 && Self.isNews(found, after: done) { return found / Self.oneJob }
        // Closed in between: out again, and nothing after the gate has been touched.
        gate.pointee.wrappingSubtract(1, ordering: .releasing)
        if found & Self.ended != 0 { return nil }
        continue
      }
      csystem_pause()
      spins += 1
      if spins % Self.courtesy == 0 { sched_yield() }
      if spins == patience {
        workers[index].park {
          !Self.isNews(gate.pointee.load(ordering: .sequentiallyConsistent), after: done)
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
  private let thread = Atomic<Int>(0)

  /// The calling thread is the one that sleeps here.
  func settle() { thread.store(Int(csystem_thread_id()), ordering: .relaxed) }

  /// Sleeps until woken, unless `isIdle` says that there is work after all.
  func park(while isIdle: () -> Bool) {
    isParked.store(true, ordering: .sequentiallyConsistent)
    if isIdle() || !isParked.exchange(false, ordering: .sequentiallyConsistent) { semaphore.wait() }
  }

  /// - Parameter elsewhere: not on the core that the caller is on. A system tends to wake a thread where its waker
  ///   runs, and was seen to leave both there for many milliseconds while another core idled.
  func wake(elsewhere: Bool) {
    guard isParked.load(ordering: .sequentiallyConsistent) else { return }
    guard isParked.exchange(false, ordering: .sequentiallyConsistent) else { return }
    if elsewhere { csystem_keep_thread_off_this_cpu(Int32(thread.load(ordering: .relaxed))) }
    semaphore.signal()
  }
}

/// Cuts work into parts that shrink towards the end: each round hands every thread an equal share of half of what is
/// left, down to single grains. Early parts are large, so that neighbouring work stays on one thread; late ones are
/// small, so that threads of unequal speed end together (guided self-scheduling: Polychronopoulos and Kuck, 1987). A
/// part follows from its number alone, so taking one costs an atomic addition.
struct GuidedSchedule {
  let grains: Int
  let threads: Int

  init(count: Int, grain: Int, threads: Int) {
    grains = (count + grain - 1) / grain
    self.threads = threads
  }

  /// The grains of part `number`; nil after the last.
  func part(_ number: Int) -> Range<Int>? {
    var (start, index) = (0, number)
    while start < grains {
      let left = grains - start
      let size = max(left / (2 * threads), 1)
      if index < threads {
        let first = start + index * size
        return first < grains ? first..<min(first + size, grains) : nil
      }
      index -= threads
      start += threads * size
    }
    return nil
  }
}

/// A number that several threads change, alone on its cache lines: a change takes nothing else out of others' caches.
struct LoneAtomic<Value: AtomicRepresentable>: ~Copyable {
  /// Two lines of 64 bytes, which x86-64 fetches in pairs, or one of Apple's arm64.
  private static var span: Int { 128 }

  private let memory: UnsafeMutableRawPointer
  let number: UnsafeMutablePointer<Atomic<Value>>

  init(_ value: consuming Value) {
    memory = .allocate(byteCount: Self.span, alignment: Self.span)
    number = memory.bindMemory(to: Atomic<Value>.self, capacity: 1)
    number.initialize(to: Atomic(value))
  }

  deinit {
    number.deinitialize(count: 1)
    memory.deallocate()
  }
}
