import CSystem
import Foundation
import Record
import Statistics
import Synchronization

/// Runs the same work on several threads at once, several times, and times each trial from the first thread's start
/// to the last one's end. Where there is a core for each thread, each keeps to its own: a scheduler with other work
/// in hand may leave new threads together on one core for longer than all trials last.
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
    // A place for each, so that no thread waits for another one between two trials.
    nonisolated(unsafe) let spans = UnsafeMutableBufferPointer<(start: UInt64, end: UInt64)>.allocate(
      capacity: threads * trials)
    defer { spans.deallocate() }
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
          spans.initializeElement(at: trial * threads + index, to: (start, end))
        }
        done.leave()
      }
    }
    done.wait()
    return (0..<trials).map { trial in
      let ofAll = spans[trial * threads..<(trial + 1) * threads]
      return ofAll.reduce(0) { max($0, $1.end) } - ofAll.reduce(.max) { min($0, $1.start) }
    }
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

extension ForkJoin {
  /// How many forks are made.
  public struct Effort {
    var wokenForks = 21
    /// Several times what a thread of a pool watches for.
    var pause: Duration = .milliseconds(5)
    /// Forks that do not count go on for that long: a system may leave woken threads on one core for a while.
    var settling: UInt64 = 50_000_000
    var hotForks = 2_000
    /// No fork of either kind begins after so many ns; at least one of each is made.
    var nanosecondsEach: UInt64 = 200_000_000

    /// Enough for a figure to be kept; a few forks where the environment has ceilings cut short.
    public static func chosen(
      environment: [String: String] = ProcessInfo.processInfo.environment
    ) -> Effort {
      CeilingSettings.areBrief(environment)
        ? Effort(wokenForks: 1, settling: 0, hotForks: 20) : Effort()
    }
  }

  /// What it costs a team of threads to begin a job together and to end it, without the job's work. The job is a
  /// meeting: each thread waits inside until all have come, so that none can do another's part and the last one's
  /// arrival is in the figure, as the meeting itself is. Hot forks come in a row, and the team still watches for them;
  /// woken ones come after pauses long enough for the team to have parked.
  /// - Parameters:
  ///   - threads: the team's size, the forking thread among them.
  ///   - fork: calls the body once for each index below the count, all at once, and returns when all calls have.
  /// - Returns: nil for fewer than two threads, which need no fork.
  public static func measure(
    threads: Int, effort: Effort = .chosen(), clock: any MonotonicClock = SystemClock(),
    fork: (_ count: Int, _ body: (Int) -> Void) -> Void
  ) -> ForkJoin? {
    guard threads > 1 else { return nil }
    let meeting = SpinBarrier(count: threads)
    func microseconds() -> Double {
      let start = clock.now()
      fork(threads) { _ in meeting.wait() }
      return Double(clock.now() - start) / 1e3
    }
    func samples(_ forks: Int, after pause: Duration, for limit: UInt64) -> [Double] {
      let begin = clock.now()
      var samples: [Double] = []
      repeat {
        if pause > .zero { Thread.sleep(forTimeInterval: Double(pause.nanoseconds) / 1e9) }
        samples.append(microseconds())
      } while samples.count < forks && clock.now() - begin < limit
      return samples
    }
    // The first fork meets threads that have not started yet.
    _ = microseconds()
    let woken = samples(effort.wokenForks, after: effort.pause, for: effort.nanosecondsEach)
    _ = samples(.max, after: .zero, for: effort.settling)
    let hot = samples(effort.hotForks, after: .zero, for: effort.nanosecondsEach)
    guard let hot = median(hot), let woken = median(woken) else { return nil }
    return ForkJoin(threads: threads, hotMicroseconds: hot, wokenMicroseconds: woken)
  }
}

/// How long a cache line takes from one core to another: two threads add to one number in turns, and a way is half of
/// a round trip. The cores are always the same two, so that the time changes only where a hypervisor moves them. It
/// slows what threads share, their signals and each other's activations.
struct CoreToCoreLatency: Sendable {
  /// At a third of a microsecond each a sixth of a millisecond.
  static let roundTrips = 500
  /// Of several one is likely undisturbed.
  static let trials = 3

  /// Of `roundTrips` each; none where there is no other core.
  var trialNanoseconds: @Sendable () -> [UInt64] = { CPUTopology.availableCores > 1 ? Self.exchange() : [] }

  /// Nanoseconds of one way in the fastest of three trials; nil on a single core.
  func measure() -> Double? {
    trialNanoseconds().min().flatMap { $0 > 0 ? Double($0) / Double(2 * Self.roundTrips) : nil }
  }

  private static func exchange() -> [UInt64] {
    let number = SharedNumber()
    return ThreadTrials.run(threads: 2, trials: trials) { thread, trial in
      for trip in 0..<roundTrips { number.raise(from: 2 * (trial * roundTrips + trip) + thread) }
    }
  }
}

/// A number that threads raise in turns.
private final class SharedNumber: Sendable {
  private let value = Atomic<Int>(0)

  /// Adds one when it has become `expected`. A plain store would lie in its core's buffer for a while.
  func raise(from expected: Int) {
    while value.load(ordering: .acquiring) != expected {}
    _ = value.exchange(expected + 1, ordering: .acquiringAndReleasing)
  }
}
