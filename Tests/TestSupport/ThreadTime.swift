import Foundation

/// Time that the calling thread has computed for: what else the machine does does not count.
public func threadTime(of body: () throws -> Void) rethrows -> Duration {
  func now() -> Duration {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
  }
  let before = now()
  try body()
  return now() - before
}
