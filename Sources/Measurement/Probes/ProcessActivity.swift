import Foundation

/// Whether this process's threads are at work.
public enum ProcessActivity {
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
      usleep(3000)
      let now = cpuNanoseconds()
      if now - used < 300_000 { return true }
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
