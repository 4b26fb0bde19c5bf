/// What it costs the thread pool to begin a job on all its threads and to end it, measured on this machine.
public struct ForkJoin: Codable, Sendable, Equatable, CustomStringConvertible {
  public var threads: Int
  /// Median where the threads still watch for the next job, in µs.
  public var hotMicroseconds: Double
  /// Median where they have parked and must be woken, in µs.
  public var wokenMicroseconds: Double

  public init(threads: Int, hotMicroseconds: Double, wokenMicroseconds: Double) {
    self.threads = threads
    self.hotMicroseconds = hotMicroseconds
    self.wokenMicroseconds = wokenMicroseconds
  }

  /// `2 threads: 0.91 µs hot, 12 µs woken`
  public var description: String {
    "\(counted(threads, "thread")): \(NumberText.significant(hotMicroseconds, 3)) µs hot, "
      + "\(NumberText.significant(wokenMicroseconds, 3)) µs woken"
  }
}
