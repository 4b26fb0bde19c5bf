import CSystem
import Foundation

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// The system calls behind the counters; a test puts its own in.
protocol CounterLayer {
  /// A descriptor, or the error's number.
  func open(_ event: CounterEvent, excludesHypervisor: Bool) -> Result<Int32, CounterError>
  /// Whether that was done.
  func enable(_ descriptor: Int32, _ enabled: Bool) -> Bool
  /// Nil where it cannot be read.
  func read(_ descriptor: Int32) -> CounterReading?
  func close(_ descriptor: Int32)
}

struct CounterError: Error, Equatable {
  /// `errno`.
  let number: Int32
}

/// What a counter has counted since it was opened, summed over its threads.
struct CounterReading: Sendable, Equatable {
  var count: UInt64
  /// Nanoseconds in which it was enabled and its threads ran.
  var enabled: UInt64
  /// Nanoseconds of them in which it really counted: where there are more counters than the CPU has registers for,
  /// they take turns.
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
  func open(_ event: CounterEvent, excludesHypervisor: Bool) -> Result<Int32, CounterError> {
    let descriptor = csystem_counter_open(event.number, excludesHypervisor ? 1 : 0)
    return descriptor >= 0 ? .success(descriptor) : .failure(CounterError(number: -descriptor))
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
