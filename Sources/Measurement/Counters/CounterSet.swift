import Foundation

/// What was counted over a stretch.
public struct Counted: Sendable, Equatable {
  /// By event; an event that could not be counted is not in it.
  public let counts: [CounterEvent: Int]
  /// The least share of the time in which a counter really counted, above 0 and at most 1; below 1 the counters took
  /// turns, and the counts are extrapolated.
  public let share: Double
}

/// Counters of a thread and of all threads that are started by it, and by those, after this object was made. What the
/// kernel does for them is left out.
///
/// To be used on one thread. Between `start` and `stop` every thread counts; outside nothing does.
public final class CounterSet {
  private let layer: any CounterLayer
  private let descriptors: [(event: CounterEvent, descriptor: Int32)]
  private var before: [CounterEvent: CounterReading] = [:]

  /// Opens as many of the events as there are counters for.
  ///
  /// - Throws: where there are none.
  public convenience init(_ events: [CounterEvent] = CounterEvent.hardware) throws(CountersUnavailable) {
    try self.init(
      events, layer: PerfEvents(), paranoid: { SystemFiles.text("/proc/sys/kernel/perf_event_paranoid") })
  }

  init(
    _ events: [CounterEvent], layer: any CounterLayer, paranoid: () -> String?
  ) throws(CountersUnavailable) {
    var descriptors: [(event: CounterEvent, descriptor: Int32)] = []
    var firstError: CounterError?
    for event in events {
      switch Self.open(event, layer) {
      case .success(let descriptor): descriptors.append((event, descriptor))
      case .failure(let error): firstError = firstError ?? error
      }
    }
    if descriptors.isEmpty {
      throw CountersUnavailable(firstError ?? CounterError(number: ENOENT), paranoid: paranoid())
    }
    self.layer = layer
    self.descriptors = descriptors
  }

  deinit { for (_, descriptor) in descriptors { layer.close(descriptor) } }

  /// Some CPUs refuse to leave a hypervisor out, because they could not count it in.
  private static func open(_ event: CounterEvent, _ layer: any CounterLayer) -> Result<Int32, CounterError> {
    let first = layer.open(event, excludesHypervisor: true)
    guard case .failure(let error) = first, [EINVAL, EOPNOTSUPP].contains(error.number) else { return first }
    return layer.open(event, excludesHypervisor: false)
  }

  /// Counts from here on.
  public func start() {
    before = [:]
    for (event, descriptor) in descriptors { before[event] = layer.read(descriptor) }
    for (event, descriptor) in descriptors where !layer.enable(descriptor, true) { before[event] = nil }
  }

  /// Stops counting.
  ///
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
