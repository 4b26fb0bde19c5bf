import Foundation

/// Whether this process's threads are at work.
public enum ProcessActivity {
  /// Microseconds between two looks: longer than a tick of any usual kernel, because the time of a thread that runs
  /// on another core is only known up to its last tick.
  private static let pause: UInt32 = 25_000

  /// Waits until the process has used next to no CPU time for a moment: a library's threads may go on spinning for
  /// a while after its call has returned, on cores that the next contestant is timed on.
  ///
  /// - Returns: whether they came to rest within `limit`.
  @discardableResult
  public static func waitForRest(limit: Duration = .seconds(1)) -> Bool {
    let clock = ContinuousClock()
    let end = clock.now + limit
    var used = cpuNanoseconds()
    while clock.now < end {
      usleep(pause)
      let now = cpuNanoseconds()
      if now - used < UInt64(pause) * 100 { return true }
      used = now
    }
    return false
  }

  /// CPU time of all threads so far.
  static func cpuNanoseconds() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }
}
