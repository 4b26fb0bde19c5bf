import Synchronization

/// How long a cache line takes from one core to another: two threads add to one number in turns, and a way is half of a
/// round trip.
///
/// The cores are always the same two, so that the time changes only where a hypervisor moves them, next to each other or
/// onto different dies. What threads share gets slower by it, their signals and each other's activations, while what
/// each computes for itself does not.
public struct CoreToCoreLatency: Sendable {
  /// At a third of a microsecond each a sixth of a millisecond.
  static let roundTrips = 500
  /// Of several one is likely undisturbed.
  static let trials = 3

  private let trialNanoseconds: @Sendable () -> [UInt64]

  public init() {
    self.init { CPUTopology.availableCores > 1 ? Self.exchange() : [] }
  }

  /// - Parameter trialNanoseconds: of `roundTrips` each; none where there is no other core.
  init(trialNanoseconds: @escaping @Sendable () -> [UInt64]) {
    self.trialNanoseconds = trialNanoseconds
  }

  /// Nanoseconds of one way in the fastest of three trials; nil on a single core.
  public func measure() -> Double? {
    trialNanoseconds().min().flatMap { $0 > 0 ? Double($0) / Double(2 * Self.roundTrips) : nil }
  }

  private static func exchange() -> [UInt64] {
    let number = SharedNumber()
    return ThreadTrials.run(threads: 2, trials: trials) { thread, trial in
      for trip in 0..<roundTrips { number.raise(from: 2 * (trial * roundTrips + trip) + thread) }
    }
  }
}

/// A number that threads raise in turns.
private final class SharedNumber: Sendable {
  private let value = Atomic<Int>(0)

  /// Adds one when it has become `expected`. A plain store would lie in its core's buffer for a while, where the reads
  /// of the same core find it.
  func raise(from expected: Int) {
    while value.load(ordering: .acquiring) != expected {}
    _ = value.exchange(expected + 1, ordering: .acquiringAndReleasing)
  }
}
