import Measurement
import Synchronization

/// A clock that stands still until a test moves it.
final class FakeClock: MonotonicClock {
  private let nanoseconds = Mutex<UInt64>(1_000)

  func now() -> UInt64 { nanoseconds.withLock { $0 } }

  func advance(by duration: UInt64) {
    nanoseconds.withLock { $0 += duration }
  }
}
