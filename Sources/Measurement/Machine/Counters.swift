import CSystem
import Files
import Foundation

/// What was counted over a stretch.
public struct Counted: Sendable, Equatable {
  /// By event; an event that could not be counted is not in it.
  public let counts: [CounterEvent: Int]
  /// The least share of the time in which a counter really counted, above 0 and at most 1; below 1 the counters took
  /// turns, and the counts are extrapolated.
  public let share: Double
}

/// Counters of a thread and of all threads started by it, and by those, after this object was made, without the
/// kernel's work for them. To be used on one thread. They count between `start` and `stop`.
public final class CounterSet {
  private let layer: any CounterLayer
  private let descriptors: [(event: CounterEvent, descriptor: Int32)]
  private var before: [CounterEvent: CounterReading] = [:]

  /// Opens as many of the events as there are counters for. Throws where there are none.
  public convenience init(_ events: [CounterEvent] = CounterEvent.hardware) throws(CountersUnavailable) {
    try self.init(
      events, layer: PerfEvents(), paranoid: { SystemFiles.text("/proc/sys/kernel/perf_event_paranoid") })
  }

  init(
    _ events: [CounterEvent], layer: any CounterLayer, paranoid: () -> String?
  ) throws(CountersUnavailable) {
    let opened = events.map { (event: $0, descriptor: Self.open($0, layer)) }
    descriptors = opened.filter { $0.descriptor >= 0 }
    self.layer = layer
    guard descriptors.isEmpty else { return }
    throw CountersUnavailable(opened.first.map { -$0.descriptor } ?? ENOENT, paranoid: paranoid())
  }

  deinit { for (_, descriptor) in descriptors { layer.close(descriptor) } }

  /// Some CPUs refuse to leave a hypervisor out, because they could not count it in.
  private static func open(_ event: CounterEvent, _ layer: any CounterLayer) -> Int32 {
    let first = layer.open(event, excludesHypervisor: true)
    return [-EINVAL, -EOPNOTSUPP].contains(first) ? layer.open(event, excludesHypervisor: false) : first
  }

  public func start() {
    before = [:]
    for (event, descriptor) in descriptors { before[event] = layer.read(descriptor) }
    for (event, descriptor) in descriptors where !layer.enable(descriptor, true) { before[event] = nil }
  }

  /// - Returns: what was counted since `start`; nil where nothing was.
  public func stop() -> Counted? {
    let isStopped = descriptors.map { layer.enable($0.descriptor, false) }
    var counts: [CounterEvent: Int] = [:]
    var share = 1.0
    for (index, (event, descriptor)) in descriptors.enumerated() where isStopped[index] {
      guard let earlier = before[event],
        let counted = layer.read(descriptor).flatMap({ $0.since(earlier) })
      else { continue }
      counts[event] = counted.count
      share = min(share, counted.share)
    }
    return counts.isEmpty ? nil : Counted(counts: counts, share: share)
  }
}

/// What a process's counters can count. The raw values are its names in messages and records.
public enum CounterEvent: String, Sendable, CaseIterable {
  case instructions
  case cycles
  /// As a rule those that reach the last level of cache; which they are is the CPU's business.
  case cacheReferences
  case cacheMisses
  /// CPU time in nanoseconds; the kernel counts it.
  case taskClock
  /// The kernel counts them.
  case pageFaults

  /// Those that the CPU itself counts.
  public static let hardware: [CounterEvent] = [.instructions, .cycles, .cacheReferences, .cacheMisses]

  var number: csystem_counter {
    switch self {
    case .instructions: CSYSTEM_COUNTER_INSTRUCTIONS
    case .cycles: CSYSTEM_COUNTER_CYCLES
    case .cacheReferences: CSYSTEM_COUNTER_CACHE_REFERENCES
    case .cacheMisses: CSYSTEM_COUNTER_CACHE_MISSES
    case .taskClock: CSYSTEM_COUNTER_TASK_CLOCK
    case .pageFaults: CSYSTEM_COUNTER_PAGE_FAULTS
    }
  }
}

/// The system calls of the counters; a test puts its own in.
protocol CounterLayer {
  /// A descriptor, or less than 0: −`errno`.
  func open(_ event: CounterEvent, excludesHypervisor: Bool) -> Int32
  /// Whether that was done.
  func enable(_ descriptor: Int32, _ enabled: Bool) -> Bool
  /// Nil where it cannot be read.
  func read(_ descriptor: Int32) -> CounterReading?
  func close(_ descriptor: Int32)
}

/// What a counter has counted since it was opened, summed over its threads.
struct CounterReading: Sendable, Equatable {
  var count: UInt64
  /// Nanoseconds in which it was enabled and its threads ran.
  var enabled: UInt64
  /// Nanoseconds of them in which it really counted: more counters than the CPU has registers take turns.
  var running: UInt64

  /// What was counted since `earlier`, extrapolated to the time in which the counter was enabled, and the share of
  /// that time in which it counted, above 0 and at most 1. Nil where it never counted.
  func since(_ earlier: CounterReading) -> (count: Int, share: Double)? {
    guard let count = growth(earlier.count, self.count), let enabled = growth(earlier.enabled, enabled),
      let running = growth(earlier.running, running), running > 0
    else { return nil }
    let share = running < enabled ? Double(running) / Double(enabled) : 1
    return Int(exactly: (Double(count) / share).rounded()).map { ($0, share) }
  }
}

/// `perf_event_open(2)`.
struct PerfEvents: CounterLayer {
  func open(_ event: CounterEvent, excludesHypervisor: Bool) -> Int32 {
    csystem_counter_open(event.number, excludesHypervisor ? 1 : 0)
  }

  func enable(_ descriptor: Int32, _ enabled: Bool) -> Bool {
    csystem_counter_enable(descriptor, enabled ? 1 : 0) == 0
  }

  func read(_ descriptor: Int32) -> CounterReading? {
    var reading = CounterReading(count: 0, enabled: 0, running: 0)
    let status = csystem_counter_read(descriptor, &reading.count, &reading.enabled, &reading.running)
    return status == 0 ? reading : nil
  }

  func close(_ descriptor: Int32) { _ = Foundation.close(descriptor) }
}

/// Why a process has no counters, in a line.
public struct CountersUnavailable: Error, Equatable, CustomStringConvertible {
  public let description: String

  /// - Parameters:
  ///   - number: `errno`.
  ///   - paranoid: the text of `/proc/sys/kernel/perf_event_paranoid`.
  init(_ number: Int32, paranoid: String?) {
    switch number {
    case ENOENT:
      description = "perf_event_open: no hardware counters (ENOENT): a virtual machine without a PMU"
    case ENODEV, EOPNOTSUPP:
      description = "perf_event_open: this CPU's counters are not supported here (\(Self.name(number)))"
    case EACCES, EPERM:
      let level = paranoid.map { "/proc/sys/kernel/perf_event_paranoid is \($0), 2 or less allows it" }
      description =
        "perf_event_open: not allowed (\(Self.name(number))): "
        + (level ?? "/proc/sys/kernel/perf_event_paranoid cannot be read")
    case ENOSYS:
      description = "no perf_event_open on this system"
    default:
      description = "perf_event_open: \(systemReason(number)) (\(number))"
    }
  }

  private static func name(_ number: Int32) -> String {
    [EACCES: "EACCES", EPERM: "EPERM", ENODEV: "ENODEV"][number] ?? "EOPNOTSUPP"
  }
}
