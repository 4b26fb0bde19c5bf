import GPT2Engine
import Reporting

extension Profile {
  /// What several passes of one stage come to.
  ///
  /// - Parameters:
  ///   - passes: at least one, under probes.
  ///   - without: the wall times of the same passes without probes; empty where they were not run.
  init(
    of engine: Engine, stage: Stage, tokens: Int, passes: [PassProfile], without: [Double]
  ) {
    let kept = Self.middle(passes)
    self.init(
      variant: engine.variant.name, weights: engine.variant.weights, threads: engine.threads, stage: stage,
      tokens: tokens, passNanoseconds: passes.map(\.wallNanoseconds), keptPasses: kept.count,
      wallNanoseconds: kept.reduce(0) { $0 + $1.wallNanoseconds }, entries: Self.sum(kept.map(\.entries)),
      overhead: without.isEmpty
        ? nil : Overhead(withNanoseconds: passes.map(\.wallNanoseconds), withoutNanoseconds: without),
      threadTimes: Self.threadTimes(kept))
  }

  /// Without the fastest quarter and the slowest.
  private static func middle(_ passes: [PassProfile]) -> [PassProfile] {
    let quarter = passes.count / 4
    let order = passes.indices.sorted { passes[$0].wallNanoseconds < passes[$1].wallNanoseconds }
    return order[quarter..<passes.count - quarter].sorted().map { passes[$0] }
  }

  private static func sum(_ passes: [[Entry]]) -> [Entry] {
    var sums: [Entry] = []
    var places: [PassProfile.Place: Int] = [:]
    for entry in passes.joined() {
      let place = PassProfile.Place(phase: entry.phase, layer: entry.layer)
      guard let index = places[place] else {
        places[place] = sums.count
        sums.append(entry)
        continue
      }
      sums[index].calls += entry.calls
      sums[index].nanoseconds += entry.nanoseconds
      sums[index].waitNanoseconds += entry.waitNanoseconds
      sums[index].flops += entry.flops
      sums[index].streamedBytes += entry.streamedBytes
      sums[index].activationBytes += entry.activationBytes
    }
    return sums
  }

  /// The driving thread's first.
  private static func threadTimes(_ passes: [PassProfile]) -> [ThreadTime] {
    guard let driving = passes.compactMap(\.drivingThread).first else { return [] }
    let pool = Set(passes.flatMap(\.threadTimes.keys)).subtracting([driving]).sorted()
    return ([driving] + pool).map { thread in
      passes.reduce(into: ThreadTime(busyNanoseconds: 0, waitNanoseconds: 0)) { sum, pass in
        sum.busyNanoseconds += pass.threadTimes[thread]?.busyNanoseconds ?? 0
        sum.waitNanoseconds += pass.threadTimes[thread]?.waitNanoseconds ?? pass.wallNanoseconds
      }
    }
  }
}
