import CSystem

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
