import Foundation

/// Resident memory of this process, in bytes; nil where the system does not tell.
public enum ProcessMemory {
  /// The most that was resident at once since the process began, or since `resetPeak`. `VmHWM` on Linux; elsewhere
  /// `ru_maxrss`, which macOS counts in bytes and which never falls.
  public static func peakResidentBytes() -> Int? {
    #if os(Linux)
      return SystemFiles.text("/proc/self/status").flatMap { kibibytes(of: "VmHWM", in: $0) }
    #else
      var usage = rusage()
      guard getrusage(RUSAGE_SELF, &usage) == 0 else { return nil }
      return Int(usage.ru_maxrss)
    #endif
  }

  /// What is resident now. Pages of mapped files that are in memory and have been touched count.
  public static func residentBytes() -> Int? {
    SystemFiles.text("/proc/self/status").flatMap { kibibytes(of: "VmRSS", in: $0) }
  }

  /// Makes what is resident now the peak. False where the system does not allow it.
  public static func resetPeak() -> Bool {
    guard let file = fopen("/proc/self/clear_refs", "w") else { return false }
    let written = fputs("5", file)
    return fclose(file) == 0 && written >= 0
  }

  /// Bytes of a line such as `VmHWM:     13656 kB`.
  static func kibibytes(of field: String, in status: String) -> Int? {
    let words = SystemFiles.value(of: field, ":", in: status)?.split(separator: " ") ?? []
    return words.count == 2 && words[1] == "kB" ? Int(words[0]).map { $0 * 1024 } : nil
  }
}

/// Whether this process's threads are at work.
public enum ProcessActivity {
  /// Microseconds between two looks: longer than a tick of any usual kernel, because the time of a thread that runs
  /// on another core is only known up to its last tick.
  private static let pause: UInt32 = 25_000

  /// Waits until the process has used next to no CPU time for a moment: a library's threads may go on spinning for
  /// a while after its call has returned, on cores that the next contestant is timed on.
  /// - Returns: whether they came to rest within `limit`.
  @discardableResult
  public static func waitForRest(limit: Duration = .seconds(1)) -> Bool {
    waitForRest(limit: limit, used: cpuNanoseconds)
  }

  /// - Parameter used: CPU time so far, in nanoseconds.
  static func waitForRest(limit: Duration, used: () -> UInt64) -> Bool {
    let clock = ContinuousClock()
    let end = clock.now + limit
    var before = used()
    while clock.now < end {
      usleep(pause)
      let now = used()
      if now - before < UInt64(pause) * 100 { return true }
      before = now
    }
    return false
  }

  /// CPU time of all threads so far.
  static func cpuNanoseconds() -> UInt64 { nanoseconds(of: CLOCK_PROCESS_CPUTIME_ID) }
}
