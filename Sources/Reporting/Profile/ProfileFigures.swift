import Record
import Statistics

/// Every figure of a profile, for one pass. What cannot be derived is nil, never zero.
struct ProfileFigures: Sendable {
  let profile: Profile
  /// The phases that a pass came to, in the order in which it did; attention's parts and GELU among them.
  let phases: [PhaseFigures]
  /// The same summed by layer; what stands before and after the layers is not in it.
  let layers: [(layer: Int, work: PassWork)]
  /// Nanoseconds of one pass: the mean of those that were kept.
  let wallNanoseconds: Double
  /// Weights and cached keys and values that a pass reads.
  let streamedBytes: Double
  let roofline: Roofline?
  /// Of one pass, spent waiting for the pool's other threads, in all phases together.
  let waitNanoseconds: Double
  /// What the phases and the wait do not explain of a pass.
  let unexplainedNanoseconds: Double
  /// With probes ÷ without, minus one: the median of the pairs; nil where it was not measured.
  let overhead: Figure?

  /// - Parameter ceiling: of as many threads; without it there is no roofline.
  init(_ profile: Profile, ceiling: Ceiling?) {
    self.profile = profile
    let passes = Double(profile.keptPasses)
    wallNanoseconds = profile.wallNanoseconds / passes
    let streamed = profile.entries.reduce(0) { $0 + $1.streamedBytes } / passes
    let roofline = ceiling.map { profile.roofline($0, streamedBytes: streamed) }
    (streamedBytes, self.roofline) = (streamed, roofline)
    func phases(of entries: [Profile.Entry]) -> [PhaseFigures] {
      entries.map(\.phase).uniqued().map { phase in
        (phase, PassWork(entries.filter { $0.phase == phase }, of: profile, roofline: roofline))
      }
    }
    self.phases = phases(of: profile.entries)
    layers = profile.entries.compactMap(\.layer).uniqued().map { layer in
      (layer, PassWork(phases(of: profile.entries.filter { $0.layer == layer }).map(\.work)))
    }
    waitNanoseconds = self.phases.reduce(0) { $0 + $1.work.waitNanoseconds }
    unexplainedNanoseconds =
      wallNanoseconds - waitNanoseconds - self.phases.reduce(0) { $0 + $1.work.nanoseconds }
    overhead = profile.overhead.flatMap { cost in
      Figure(medianOf: zip(cost.withNanoseconds, cost.withoutNanoseconds).map { $0 / $1 - 1 })
    }
  }

  /// Of every profile in the record, each against the ceilings of as many threads.
  static func all(_ record: Record) -> [ProfileFigures] {
    (record.profiles ?? []).map { profile in
      ProfileFigures(profile, ceiling: profile.ceiling(among: record.ceilings))
    }
  }

  var contestant: MeasuredVariant { profile.contestant }

  /// All work of a pass in all its time.
  var pass: PassWork {
    var pass = PassWork(phases.map(\.work))
    (pass.nanoseconds, pass.waitNanoseconds, pass.streamedBytes) = (wallNanoseconds, 0, streamedBytes)
    return pass
  }

  /// The least time that the ceilings allow for all of a pass; nil without ceilings.
  var leastNanoseconds: Double? { pass.leastNanoseconds }

  func share(_ nanoseconds: Double) -> Double { nanoseconds / wallNanoseconds }

  /// Share of the wall time with a name: all phases and the wait, but not what lies between operations and in probes.
  var coverage: Double {
    let named = phases.filter { $0.phase != .other }.reduce(0) { $0 + $1.work.nanoseconds }
    return (named + waitNanoseconds) / wallNanoseconds
  }

  var longestPhase: PhaseFigures? {
    phases.filter { $0.phase != .other && $0.work.nanoseconds > 0 }
      .max { $0.work.nanoseconds < $1.work.nanoseconds }
  }

  var tokensPerSecond: Double { Double(profile.tokensPerPass) * 1e9 / wallNanoseconds }
  var millisecondsPerToken: Double { wallNanoseconds / Double(profile.tokensPerPass) / 1e6 }
}

/// One phase in all layers, for one pass.
typealias PhaseFigures = (phase: ProfilePhase, work: PassWork)

/// A part of a pass: what it computed and moved, and the time that took, for one pass. Times are in nanoseconds.
struct PassWork: Sendable {
  var nanoseconds = 0.0
  /// Waiting for the pool's other threads within it.
  var waitNanoseconds = 0.0
  var calls = 0.0
  var flops = 0.0
  /// Weights, cached keys and values, and activations.
  var bytes = 0.0
  /// All but the activations.
  var streamedBytes = 0.0
  /// The least time that the ceilings allow; nil without ceilings, and where there is nothing to compute or move.
  var leastNanoseconds: Double?
  /// What bounds it; nil also for several phases together.
  var roof: Roof?

  /// What sums up over several parts.
  private static var amounts: [WritableKeyPath<PassWork, Double>] {
    [\.nanoseconds, \.waitNanoseconds, \.calls, \.flops, \.bytes, \.streamedBytes]
  }

  /// - Parameter entries: of one phase.
  init(_ entries: [Profile.Entry], of profile: Profile, roofline: Roofline?) {
    let passes = Double(profile.keptPasses)
    func perPass(_ value: (Profile.Entry) -> Double) -> Double {
      entries.reduce(0) { $0 + value($1) } / passes
    }
    nanoseconds = perPass(\.nanoseconds)
    waitNanoseconds = perPass(\.waitNanoseconds)
    calls = perPass { Double($0.calls) }
    flops = perPass(\.flops)
    bytes = perPass { $0.streamedBytes + $0.activationBytes }
    streamedBytes = perPass(\.streamedBytes)
    let bound = roofline?.bound(Roofline.Work(entries, queries: profile.tokensPerPass))
    leastNanoseconds = bound.map { $0.nanoseconds / passes }
    roof = bound?.roof
  }

  init(_ parts: [PassWork]) {
    for amount in Self.amounts { self[keyPath: amount] = parts.reduce(0) { $0 + $1[keyPath: amount] } }
    let least = parts.compactMap(\.leastNanoseconds)
    leastNanoseconds = least.isEmpty ? nil : least.reduce(0, +)
  }

  /// The mean of several parts that are alike.
  init(meanOf parts: [PassWork]) {
    self.init(parts)
    let count = Double(parts.count)
    for amount in Self.amounts { self[keyPath: amount] /= count }
    leastNanoseconds = leastNanoseconds.map { $0 / count }
  }

  /// Both together: what an operation timed alone would take.
  var wholeNanoseconds: Double { nanoseconds + waitNanoseconds }
  var gflops: Double? { flops > 0 && wholeNanoseconds > 0 ? flops / wholeNanoseconds : nil }
  var gbPerSecond: Double? { bytes > 0 && wholeNanoseconds > 0 ? bytes / wholeNanoseconds : nil }
  /// FLOP per byte.
  var intensity: Double? { flops > 0 && bytes > 0 ? flops / bytes : nil }
  /// The least time ÷ the time it took, in per cent.
  var rooflinePercent: Double? {
    guard let leastNanoseconds, wholeNanoseconds > 0 else { return nil }
    return Roofline.percent(least: leastNanoseconds, of: wholeNanoseconds)
  }
}

extension Roofline.Work {
  /// Parts of one phase of a pass with so many `queries`. What a pass streams comes from the memory that holds all of
  /// it; activations come from the nearest that holds one call's, of a softmax the scores of one query of one head.
  init(_ entries: [Profile.Entry], queries: Int) {
    let activations = entries.reduce(0) { $0 + $1.activationBytes }
    let turns = entries.reduce(0) { $0 + $1.calls * ($1.phase == .attentionSoftmax ? queries : 1) }
    self.init(
      flops: entries.reduce(0) { $0 + $1.flops }, streamed: entries.reduce(0) { $0 + $1.streamedBytes },
      others: activations, held: activations / Double(max(turns, 1)),
      isOfWeights: entries.first?.phase.isProductWithWeights ?? false)
  }
}

/// Profiles of the same stage and length: what can stand side by side.
struct ProfiledStage: Sendable {
  let stage: Profile.Stage
  let tokens: Int
  let profiles: [ProfileFigures]

  /// Decode first; apart from that in the order of `profiles`.
  static func all(_ profiles: [ProfileFigures]) -> [ProfiledStage] {
    let stages: [Profile.Stage] = [.decode, .prefill, .training]
    return stages.flatMap { stage in
      let own = profiles.filter { $0.profile.stage == stage }
      return own.map(\.profile.tokens).uniqued().map { tokens in
        ProfiledStage(stage: stage, tokens: tokens, profiles: own.filter { $0.profile.tokens == tokens })
      }
    }
  }

  /// `decode after 16 tokens`, `prefill of 64 tokens`
  var words: String { profiles.first?.profile.stageWords ?? stage.rawValue }
  var id: String { "\(stage.rawValue)-\(tokens)" }
}

extension Profile {
  var contestant: MeasuredVariant { MeasuredVariant(variant: variant, weights: weights, threads: threads) }
  /// `decode after 512 tokens`, `prefill of 512 tokens`, `training on 4 windows of 64 tokens`
  public var stageWords: String {
    switch stage {
    case .prefill: "prefill of \(counted(tokens, "token"))"
    case .decode: "decode after \(counted(tokens, "token"))"
    case .training: "training on \(counted(batch ?? 1, "window")) of \(counted(tokens, "token"))"
    }
  }

  var passWord: String {
    switch stage {
    case .prefill: "prompt"
    case .decode: "token"
    case .training: "step"
    }
  }

  var tokensPerPass: Int { stage == .decode ? 1 : max(tokens, 1) * (batch ?? 1) }

  /// Under this ceiling, which may be another run's.
  func roofline(_ ceiling: Ceiling, streamedBytes: Double) -> Roofline {
    Roofline(
      ceiling, products: ceiling.products(weights: weights, instructions: instructions),
      streamedBytes: streamedBytes)
  }

  /// Of as many threads; nil where the record has none.
  func ceiling(among ceilings: [Ceiling]) -> Ceiling? { ceilings.first { $0.threads == threads } }
}

extension ProfilePhase {
  fileprivate var isProductWithWeights: Bool {
    switch self {
    case .qkv, .projection, .up, .down, .logits, .qkvGradient, .projectionGradient, .upGradient,
      .downGradient, .logitsGradient:
      true
    default: false
    }
  }

  /// What a reader who compares variants has to know.
  static let fusion =
    "Some variants fuse work into a matrix product. A fused addition to the residual stream counts in the product's "
    + "time. The time of a fused GELU includes the product's bias and stores."
}
