import CSystem
import Foundation

/// Whether the user wants to end: Ctrl-C, SIGTERM or SIGHUP once asks the run to stop and keep what it has; a second
/// one, half a second later or more, ends the process at once. The process needs no further file or thread for it.
final class Interruption: Sendable {
  static let shared = Interruption()

  private init() { csystem_interruption_watch() }

  static func watch() { _ = shared }

  var isCancelled: Bool { csystem_interruption_signal() != 0 }

  /// What ended the run, for its record; nil where nobody did.
  var reason: String? {
    switch csystem_interruption_signal() {
    case 0: nil
    case SIGTERM: "ended by SIGTERM"
    case SIGHUP: "ended by SIGHUP, as its terminal was closed"
    default: "ended by Ctrl-C (SIGINT)"
    }
  }

  /// What a run that was ended ends with.
  var exitCode: ExitCode { ExitCode(rawValue: 128 + csystem_interruption_signal()) ?? .interrupted }
}
