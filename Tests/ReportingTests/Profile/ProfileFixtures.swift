import TestSupport

@testable import Record
@testable import Reporting

/// Time and work of a phase in each of its layers, for one pass.
struct PhaseTime {
  var phase: ProfilePhase
  var microseconds: Double
  var wait = 0.0
  var flops = 0.0
  var streamed = 0.0
  var activations = 0.0
}

extension Fixture {
  /// A token with a cache of 64 others: two layers, 1000 µs, of which 950 are phases' and 40 the pool's.
  static let cachedToken: [PhaseTime] = [
    PhaseTime(phase: .embedding, microseconds: 10, flops: 1e3, activations: 1e3),
    PhaseTime(phase: .layerNorm, microseconds: 10, flops: 2e3, activations: 2e3),
    PhaseTime(phase: .qkv, microseconds: 50, flops: 2e5, streamed: 4e5, activations: 4e3),
    PhaseTime(phase: .cacheStore, microseconds: 2, activations: 2e3),
    PhaseTime(phase: .attentionScores, microseconds: 15, flops: 2e4, streamed: 5e4),
    PhaseTime(phase: .attentionSoftmax, microseconds: 5, flops: 1e3, activations: 1e3),
    PhaseTime(phase: .attentionValues, microseconds: 15, flops: 2e4, streamed: 5e4),
    PhaseTime(phase: .projection, microseconds: 20, flops: 7e4, streamed: 15e4, activations: 2e3),
    PhaseTime(phase: .up, microseconds: 100, wait: 20, flops: 4e5, streamed: 8e5, activations: 5e3),
    PhaseTime(phase: .gelu, microseconds: 15, flops: 1e4, activations: 4e3),
    PhaseTime(phase: .down, microseconds: 100, flops: 4e5, streamed: 8e5, activations: 5e3),
    PhaseTime(phase: .logits, microseconds: 250, flops: 1e6, streamed: 2e6, activations: 1e4),
    PhaseTime(phase: .sampling, microseconds: 20, activations: 8e3),
    PhaseTime(phase: .other, microseconds: 3),
  ]

  /// The same token without a cache: 64 positions once more in everything but the logits.
  static let recomputedToken = cachedToken.filter { $0.phase != .cacheStore }.map { token in
    var token = token
    guard ![.logits, .sampling, .other].contains(token.phase) else { return token }
    token.flops *= 64
    token.activations *= 64
    token.microseconds *= 40
    token.wait *= 40
    if [.attentionScores, .attentionValues].contains(token.phase) { token.streamed = 0 }
    return token
  }

  private static let outside: [ProfilePhase] = [.embedding, .logits, .sampling]

  /// - Parameters:
  ///   - unexplained: microseconds of a pass.
  ///   - spread: share by which the passes differ.
  static func profile(
    _ variant: String, _ stage: Profile.Stage = .decode, threads: Int = 2, tokens: Int = 64, layers: Int = 2,
    _ times: [PhaseTime] = cachedToken, unexplained: Double = 10, passes: Int = 5, spread: Double = 0.01
  ) -> Profile {
    let kept = 3
    let entries = times.flatMap { time -> [Profile.Entry] in
      let places: [Int?] = outside.contains(time.phase) ? [nil] : (0..<layers).map { $0 }
      return places.map { layer in
        Profile.Entry(
          phase: time.phase, layer: layer, calls: kept, nanoseconds: 3e3 * time.microseconds,
          waitNanoseconds: 3e3 * time.wait, flops: 3 * time.flops, streamedBytes: 3 * time.streamed,
          activationBytes: 3 * time.activations)
      }
    }
    let own = entries.reduce(0) { $0 + $1.nanoseconds }
    let wait = entries.reduce(0) { $0 + $1.waitNanoseconds }
    let wall = own + wait + 3e3 * unexplained
    let each = (0..<passes).map {
      wall / 3 * (1 + spread * (Double($0) - Double(passes - 1) / 2) / Double(passes))
    }
    return Profile(
      variant: variant, weights: "f32", threads: threads, stage: stage, tokens: tokens, passNanoseconds: each,
      keptPasses: kept, wallNanoseconds: wall, entries: entries,
      overhead: .init(withNanoseconds: each, withoutNanoseconds: each.map { $0 / 1.005 }),
      threadTimes: (0..<threads).map { thread in
        .init(
          busyNanoseconds: thread == 0 ? own : own - 6e4, waitNanoseconds: thread == 0 ? wait : wait + 6e4)
      })
  }

  /// `small()` with a decode and a prefill profile of a cache, a decode profile without one, and ceilings of two
  /// threads.
  static func profiled() -> Record {
    var record = small()
    record.ceilings.append(Ceiling(threads: 2, fmaGFLOPS: 100, dramGBPerSecond: 10))
    record.profiles = [
      profile("kv-cache", .prefill, recomputedToken), profile("kv-cache"),
      profile("threaded", .decode, recomputedToken),
    ]
    return record
  }
}
