import Foundation

/// Why a process has no counters, in a line.
public struct CountersUnavailable: Error, Equatable, CustomStringConvertible {
  public let description: String

  /// - Parameter paranoid: the text of `/proc/sys/kernel/perf_event_paranoid`.
  init(_ error: CounterError, paranoid: String?) {
    switch error.number {
    case ENOENT:
      description = "perf_event_open: no hardware counters (ENOENT): a virtual machine without a PMU"
    case ENODEV, EOPNOTSUPP:
      description = "perf_event_open: this CPU's counters are not supported here (\(Self.name(error.number)))"
    case EACCES, EPERM:
      let level = paranoid.map { "/proc/sys/kernel/perf_event_paranoid is \($0), 2 or less allows it" }
      description =
        "perf_event_open: not allowed (\(Self.name(error.number))): "
        + (level ?? "/proc/sys/kernel/perf_event_paranoid cannot be read")
    case ENOSYS:
      description = "no perf_event_open on this system"
    default:
      description = "perf_event_open: \(String(cString: strerror(error.number))) (\(error.number))"
    }
  }

  private static func name(_ number: Int32) -> String {
    switch number {
    case EACCES: "EACCES"
    case EPERM: "EPERM"
    case ENODEV: "ENODEV"
    default: "EOPNOTSUPP"
    }
  }
}
