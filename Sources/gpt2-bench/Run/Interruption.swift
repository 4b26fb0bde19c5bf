import Dispatch
import Foundation
import Synchronization

/// Whether the user wants to end: Ctrl-C or SIGTERM once asks the run to stop and keep what it has; a second
/// one ends the process at once.
final class Interruption: Sendable {
  static let shared = Interruption()

  private let isRequested = Atomic<Bool>(false)
  private nonisolated(unsafe) let sources: [any DispatchSourceSignal]

  private init() {
    sources = [SIGINT, SIGTERM].map { number in
      signal(number, SIG_IGN)
      return DispatchSource.makeSignalSource(signal: number, queue: .global())
    }
    for source in sources {
      source.setEventHandler { [isRequested = UnsafeFlag(self)] in isRequested.raise() }
      source.resume()
    }
  }

  /// Takes over the signals from here on.
  static func watch() { _ = shared }

  var isCancelled: Bool { isRequested.load(ordering: .relaxed) }

  fileprivate func raise() {
    if isRequested.exchange(true, ordering: .relaxed) { _exit(ExitCode.interrupted.rawValue) }
  }
}

/// The handler's way back; the object it points to lives as long as the process.
private struct UnsafeFlag: Sendable {
  private unowned let interruption: Interruption

  init(_ interruption: Interruption) { self.interruption = interruption }

  func raise() { interruption.raise() }
}
