extension Sequence<Profile.Entry> {
  /// One entry for each phase and layer, in the order in which they first come, with the sums of all of its kind.
  public func summed() -> [Profile.Entry] {
    var sums: [Profile.Entry] = []
    var places: [Profile.Place: Int] = [:]
    for entry in self {
      let place = Profile.Place(phase: entry.phase, layer: entry.layer)
      if let index = places[place] {
        sums[index].add(entry)
      } else {
        places[place] = sums.count
        sums.append(entry)
      }
    }
    return sums
  }
}

extension Profile {
  /// Where in a pass: a phase, and its layer where it is in one.
  public struct Place: Hashable, Sendable {
    public let phase: ProfilePhase
    public let layer: Int?

    public init(phase: ProfilePhase, layer: Int?) {
      self.phase = phase
      self.layer = layer
    }
  }
}

extension Profile.Entry {
  fileprivate mutating func add(_ other: Profile.Entry) {
    calls += other.calls
    nanoseconds += other.nanoseconds
    waitNanoseconds += other.waitNanoseconds
    flops += other.flops
    streamedBytes += other.streamedBytes
    activationBytes += other.activationBytes
  }
}

extension Profile.ThreadTime {
  public mutating func add(_ other: Profile.ThreadTime) {
    busyNanoseconds += other.busyNanoseconds
    waitNanoseconds += other.waitNanoseconds
  }
}
