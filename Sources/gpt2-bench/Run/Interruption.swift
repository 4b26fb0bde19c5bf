import Dispatch
import Foundation
import Measurement
import Synchronization

/// Whether the user wants to end: Ctrl-C or SIGTERM once asks the run to stop and keep what it has; a second
/// one, half a second later or more, ends the process at once.
final class Interruption: Sendable {
  static let shared = Interruption()

  /// Tools such as `timeout` signal a process and its group, which brings one wish twice.
  private static let repeatNanoseconds: UInt64 = 500_000_000

  /// When it was first asked, on the monotonic clock; 0 before.
  private let requested = Atomic<UInt64>(0)
  private nonisolated(unsafe) let sources: [any DispatchSourceSignal]

  private init() {
    sources = [SIGINT, SIGTERM].map { number in
      signal(number, SIG_IGN)
      return DispatchSource.makeSignalSource(signal: number, queue: .global())
    }
    for source in sources {
      source.setEventHandler { Self.shared.raise() }
      source.resume()
    }
  }

  static func watch() { _ = shared }

  var isCancelled: Bool { requested.load(ordering: .relaxed) != 0 }

  private func raise() {
    let now = SystemClock().now()
    let (isFirst, first) = requested.compareExchange(expected: 0, desired: now, ordering: .relaxed)
    if !isFirst, now > first + Self.repeatNanoseconds { _exit(ExitCode.interrupted.rawValue) }
  }
}
