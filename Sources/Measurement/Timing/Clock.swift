import CSystem
import Foundation
import Synchronization

/// Where time comes from; a test puts its own in.
public protocol MonotonicClock: Sendable {
  /// Nanoseconds since a moment that does not change while the process runs; it never goes back.
  func now() -> UInt64
}

/// `CLOCK_MONOTONIC`: not moved when somebody sets the wall clock.
public struct SystemClock: MonotonicClock {
  public init() {}
  public func now() -> UInt64 { nanoseconds(of: CLOCK_MONOTONIC) }
}

/// What one of the system's clocks says.
func nanoseconds(of clock: clockid_t) -> UInt64 {
  var time = timespec()
  clock_gettime(clock, &time)
  return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
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

/// Turns the CPU's time counter into time of `SystemClock`, by the first and the latest moment at which both were
/// read.
struct TickScale: Sendable {
  private struct Moment {
    let ticks: UInt64
    let nanoseconds: UInt64

    /// Both at once: of several tries the one whose two reads of the counter lie closest.
    static func now() -> Moment {
      var best: (moment: Moment, spread: UInt64)?
      for _ in 0..<8 {
        let before = csystem_ticks()
        let time = SystemClock().now()
        let after = csystem_ticks()
        let spread = after &- before
        if best.map({ spread < $0.spread }) ?? true {
          best = (Moment(ticks: before &+ spread / 2, nanoseconds: time), spread)
        }
      }
      return best!.moment
    }
  }

  private static let first = Moment.now()

  private let anchor: Moment
  let nanosecondsPerTick: Double

  /// The scale by now. The first call waits for a hundredth of a second, so that there are two moments.
  static func now() -> TickScale {
    let first = Self.first
    var latest = Moment.now()
    while latest.nanoseconds &- first.nanoseconds < 10_000_000 { latest = .now() }
    return TickScale(
      anchor: latest,
      nanosecondsPerTick: Double(latest.nanoseconds - first.nanoseconds)
        / Double(max(latest.ticks &- first.ticks, 1)))
  }

  /// Nanoseconds of `SystemClock`.
  func time(of ticks: UInt64) -> UInt64 {
    let distance = Double(Int64(bitPattern: ticks &- anchor.ticks)) * nanosecondsPerTick
    return UInt64(Int64(anchor.nanoseconds) + Int64(distance))
  }
}
