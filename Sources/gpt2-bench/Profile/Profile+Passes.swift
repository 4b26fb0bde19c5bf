import GPT2Engine
import Record

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
      wallNanoseconds: kept.reduce(0) { $0 + $1.wallNanoseconds }, entries: kept.flatMap(\.entries).summed(),
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

  /// The driving thread's first.
  private static func threadTimes(_ passes: [PassProfile]) -> [ThreadTime] {
    guard let driving = passes.compactMap(\.drivingThread).first else { return [] }
    let pool = Set(passes.flatMap(\.threadTimes.keys)).subtracting([driving]).sorted()
    return ([driving] + pool).map { thread in
      passes.reduce(into: ThreadTime(busyNanoseconds: 0, waitNanoseconds: 0)) { sum, pass in
        let isIdle = ThreadTime(busyNanoseconds: 0, waitNanoseconds: pass.wallNanoseconds)
        sum.add(pass.threadTimes[thread] ?? isIdle)
      }
    }
  }
}
