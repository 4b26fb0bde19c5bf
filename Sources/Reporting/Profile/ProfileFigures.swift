import Record
import Statistics

/// Every figure of a profile, for one pass. What cannot be derived is nil, never zero.
struct ProfileFigures: Sendable {
  let profile: Profile
  /// The phases that a pass came to, in the order in which it did; attention's parts and GELU among them.
  let phases: [PhaseFigures]
  /// The same summed by layer; what stands before and behind the layers is not in it.
  let layers: [LayerFigures]
  /// Nanoseconds of one pass: the mean of those that were kept.
  let wallNanoseconds: Double
  /// Weights and cached keys and values that a pass reads.
  let streamedBytes: Double
  /// What a pass's parts are held against; nil without ceilings.
  let roofs: ProfileRoofs?
  /// Of one pass, spent waiting for the pool's other threads, in all phases together.
  let waitNanoseconds: Double
  /// What the phases and the wait do not explain of a pass.
  let unexplainedNanoseconds: Double
  /// The least time that the ceilings allow for all of a pass; nil without ceilings.
  let leastNanoseconds: Double?
  /// With probes ÷ without, minus one: the median of the pairs; nil where it was not measured.
  let overhead: Figure?

  /// A share of the wall time, 0 to 1.
  func share(_ nanoseconds: Double) -> Double { nanoseconds / wallNanoseconds }

  /// How much of the wall time has a name, 0 to 1: all phases and the wait, without what lies between operations
  /// and the probes' own time.
  var coverage: Double {
    let named = phases.filter { $0.phase != .other }.reduce(0) { $0 + $1.nanoseconds }
    return (named + waitNanoseconds) / wallNanoseconds
  }

  /// - Parameter ceiling: of as many threads; without it there is no roofline.
  init(_ profile: Profile, ceiling: Ceiling?) {
    self.profile = profile
    let passes = Double(profile.keptPasses)
    wallNanoseconds = profile.wallNanoseconds / passes
    let streamed = profile.entries.reduce(0) { $0 + $1.streamedBytes } / passes
    let roofs = ceiling.map {
      ProfileRoofs($0, streamedBytesOfPass: streamed, queries: profile.tokensPerPass)
    }
    (streamedBytes, self.roofs) = (streamed, roofs)
    func phases(of entries: [Profile.Entry]) -> [PhaseFigures] {
      entries.map(\.phase).uniqued().map { phase in
        PhaseFigures(phase, entries.filter { $0.phase == phase }, passes: passes, roofs: roofs)
      }
    }
    self.phases = phases(of: profile.entries)
    layers = profile.entries.compactMap(\.layer).uniqued().map { layer in
      LayerFigures(layer: layer, work: WorkSum(phases(of: profile.entries.filter { $0.layer == layer })))
    }
    waitNanoseconds = self.phases.reduce(0) { $0 + $1.waitNanoseconds }
    unexplainedNanoseconds = wallNanoseconds - waitNanoseconds - self.phases.reduce(0) { $0 + $1.nanoseconds }
    let least = self.phases.compactMap(\.leastNanoseconds)
    leastNanoseconds = least.isEmpty ? nil : least.reduce(0, +)
    overhead = profile.overhead.flatMap { cost in
      Figure(medianOf: zip(cost.withNanoseconds, cost.withoutNanoseconds).map { $0 / $1 - 1 })
    }
  }
}

/// One phase in all layers, for one pass.
struct PhaseFigures: Sendable {
  let phase: ProfilePhase
  let calls: Double
  /// In the phase itself.
  let nanoseconds: Double
  /// Waiting for the pool's other threads within it.
  let waitNanoseconds: Double
  let flops: Double
  let bytes: Double
  /// The least time that the ceilings allow; nil without ceilings, and where there is nothing to compute or move.
  let leastNanoseconds: Double?
  let roof: Roof?

  init(_ phase: ProfilePhase, _ entries: [Profile.Entry], passes: Double, roofs: ProfileRoofs?) {
    self.phase = phase
    func perPass(_ value: (Profile.Entry) -> Double) -> Double {
      entries.reduce(0) { $0 + value($1) } / passes
    }
    calls = perPass { Double($0.calls) }
    nanoseconds = perPass(\.nanoseconds)
    waitNanoseconds = perPass(\.waitNanoseconds)
    flops = perPass(\.flops)
    bytes = perPass { $0.streamedBytes + $0.activationBytes }
    let bound = roofs?.bound(entries)
    leastNanoseconds = bound.map { $0.nanoseconds / passes }
    roof = bound?.roof
  }
}

/// All phases of one layer, for one pass.
struct LayerFigures: Sendable {
  let layer: Int
  let work: WorkSum
}
