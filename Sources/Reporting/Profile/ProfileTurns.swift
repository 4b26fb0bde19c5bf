import Record
import Statistics

/// Profiles of one contestant and stage, taken in turns with another's.
public struct ProfileTurns: Sendable {
  public private(set) var turns: [Profile] = []

  public init() {}
  public init(_ profile: Profile) { turns = [profile] }
  public mutating func append(_ profile: Profile) { turns.append(profile) }

  /// By what share the slowest turn's median pass lies above the fastest's; nil for less than two turns.
  public var spread: Double? {
    let medians = turns.compactMap { median($0.passNanoseconds) }
    guard medians.count > 1, let least = medians.min(), let most = medians.max(), least > 0
    else { return nil }
    return most / least - 1
  }

  /// All turns as one: the passes one after another, and sums over the kept passes of each. Nil for no turn.
  public var whole: Profile? {
    guard var whole = turns.first else { return nil }
    for turn in turns.dropFirst() { whole.add(turn) }
    return whole
  }
}

extension Profile {
  fileprivate mutating func add(_ other: Profile) {
    passNanoseconds += other.passNanoseconds
    keptPasses += other.keptPasses
    wallNanoseconds += other.wallNanoseconds
    entries = (entries + other.entries).summed()
    if let own = overhead, let its = other.overhead {
      overhead = Overhead(
        withNanoseconds: own.withNanoseconds + its.withNanoseconds,
        withoutNanoseconds: own.withoutNanoseconds + its.withoutNanoseconds)
    } else {
      overhead = overhead ?? other.overhead
    }
    for (index, time) in other.threadTimes.enumerated() {
      if index < threadTimes.count { threadTimes[index].add(time) } else { threadTimes.append(time) }
    }
  }
}
