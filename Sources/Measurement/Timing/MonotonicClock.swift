#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Where time comes from; a test puts its own in.
public protocol MonotonicClock: Sendable {
  /// Nanoseconds since a moment that does not change while the process runs; it never goes back.
  func now() -> UInt64
}

/// `CLOCK_MONOTONIC`: not moved when somebody sets the wall clock.
public struct SystemClock: MonotonicClock {
  public init() {}

  public func now() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }
}

extension Duration {
  /// Whole nanoseconds; what is below zero counts as zero, what is beyond 584 years as that.
  var nanoseconds: UInt64 {
    let (seconds, attoseconds) = components
    guard seconds >= 0, attoseconds >= 0 else { return 0 }
    let (product, overflow) = UInt64(seconds).multipliedReportingOverflow(by: 1_000_000_000)
    let (sum, carry) = product.addingReportingOverflow(UInt64(attoseconds / 1_000_000_000))
    return overflow || carry ? .max : sum
  }
}
