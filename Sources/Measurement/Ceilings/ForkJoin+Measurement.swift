import Foundation
import Record
import Statistics

extension ForkJoin {
  /// How many forks are made.
  struct Effort {
    var wokenForks = 21
    /// Several times what a thread of a pool watches for.
    var pause: Duration = .milliseconds(5)
    /// Forks that do not count go on for that long: a system may leave threads that it has just woken together on one
    /// core, until it looks again.
    var settling: UInt64 = 50_000_000
    var hotForks = 2_000
    /// No fork of either kind begins after so many ns; at least one of each is made.
    var nanosecondsEach: UInt64 = 200_000_000
  }

  /// What it costs a team of threads to begin a job together and to end it, without the job's work.
  ///
  /// The job is a meeting: each thread waits inside until all have come, so that none can do another's part and the
  /// cost of the last one's arrival is in the figure. The meeting itself is in it too. Hot forks come in a row, and the
  /// team still watches for them; woken ones come after pauses long enough for the team to have parked.
  ///
  /// - Parameters:
  ///   - threads: the team's size, the forking thread among them.
  ///   - fork: calls the body once for each index below the count and returns when all calls have; the calls
  ///     wait for each other, so as many must run at once.
  /// - Returns: nil for fewer than two threads, which need no fork.
  public static func measure(
    threads: Int, fork: (_ count: Int, _ body: (Int) -> Void) -> Void
  ) -> ForkJoin? {
    measure(threads: threads, effort: Effort(), clock: SystemClock(), fork: fork)
  }

  static func measure(
    threads: Int, effort: Effort, clock: any MonotonicClock,
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
