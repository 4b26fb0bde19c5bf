/// Where the time of one stage of a generation went: one contestant, one batch of one sequence. Or where that of a step of
/// training went.
///
/// Times are of the thread that drives the passes; what it computes itself and what it waits for the rest of its pool
/// stand apart. Times, calls, operations and bytes are sums over `keptPasses` passes.
public struct Profile: Codable, Sendable, Equatable {
  public enum Stage: String, NamedChoice {
    /// A pass takes in a whole prompt.
    case prefill
    /// A pass takes in one token, and what it has to compute for it depends on the variant.
    case decode
    /// A pass is a step: forward, backward, and the update of all parameters.
    case training
  }

  public var variant: String
  /// Precision of the weights, `f32`.
  public var weights: String
  /// What products of such weights ran on, as a cell has it.
  public var instructions: String?
  /// Precision of the cached keys and values, as a cell has it.
  public var cache: String?
  public var threads: Int
  public var stage: Stage
  /// Prefill: the prompt's length. Decode: tokens before the first pass. Training: those that a window predicts.
  public var tokens: Int
  /// Training: the windows of a step; nil of a generation.
  public var batch: Int?
  /// Wall time of every pass that was run under probes, in order, from a clock outside of them. One pass is one prompt,
  /// or one new token.
  public var passNanoseconds: [Double]
  /// How many of them the sums are of: those around the median, so that a pass that the system interrupted has no say.
  public var keptPasses: Int
  /// Wall time of the kept passes.
  public var wallNanoseconds: Double
  /// By phase and layer, in the order in which a pass first comes to them.
  public var entries: [Entry]
  /// What the probes cost; nil where it was not measured.
  public var overhead: Overhead?
  /// What each thread of the pool did during the kept passes, the driving one first.
  public var threadTimes: [ThreadTime]

  /// One phase in one layer.
  public struct Entry: Codable, Sendable, Equatable {
    public var phase: ProfilePhase
    /// From 0; nil for what stands before and after the layers.
    public var layer: Int?
    /// Operations; the three parts of attention are parts of one, and GELU counts as one however it is computed.
    public var calls: Int
    /// Spent in the phase itself.
    public var nanoseconds: Double
    /// Spent waiting for the pool's other threads to finish theirs.
    public var waitNanoseconds: Double
    public var flops: Double
    /// Weights and cached keys and values, each once a pass: they come from whatever memory holds all of a pass's.
    public var streamedBytes: Double
    /// Activations read and written, which the operation before left in the caches.
    public var activationBytes: Double

    public init(
      phase: ProfilePhase, layer: Int?, calls: Int, nanoseconds: Double, waitNanoseconds: Double,
      flops: Double, streamedBytes: Double, activationBytes: Double
    ) {
      (self.phase, self.layer, self.calls, self.nanoseconds) = (phase, layer, calls, nanoseconds)
      (self.waitNanoseconds, self.flops, self.streamedBytes) = (waitNanoseconds, flops, streamedBytes)
      self.activationBytes = activationBytes
    }
  }

  /// The same passes with probes and without, in turns.
  public struct Overhead: Codable, Sendable, Equatable {
    public var withNanoseconds: [Double]
    public var withoutNanoseconds: [Double]

    public init(withNanoseconds: [Double], withoutNanoseconds: [Double]) {
      (self.withNanoseconds, self.withoutNanoseconds) = (withNanoseconds, withoutNanoseconds)
    }
  }

  public struct ThreadTime: Codable, Sendable, Equatable {
    public var busyNanoseconds: Double
    public var waitNanoseconds: Double

    public init(busyNanoseconds: Double, waitNanoseconds: Double) {
      (self.busyNanoseconds, self.waitNanoseconds) = (busyNanoseconds, waitNanoseconds)
    }
  }

  public init(
    variant: String, weights: String, threads: Int, stage: Stage, tokens: Int, passNanoseconds: [Double],
    keptPasses: Int, wallNanoseconds: Double, entries: [Entry], overhead: Overhead?,
    threadTimes: [ThreadTime]
  ) {
    (self.variant, self.weights, self.threads, self.stage) = (variant, weights, threads, stage)
    (self.tokens, self.passNanoseconds, self.keptPasses) = (tokens, passNanoseconds, keptPasses)
    (self.wallNanoseconds, self.entries, self.overhead) = (wallNanoseconds, entries, overhead)
    self.threadTimes = threadTimes
  }
}

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

    public init(phase: ProfilePhase, layer: Int?) { (self.phase, self.layer) = (phase, layer) }
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

/// A part of the work on a token. In every instant of a pass the thread that drives it is in exactly one of them.
public enum ProfilePhase: String, NamedChoice {
  case embedding
  case layerNorm = "layernorm"
  case qkv
  /// New keys and values on their way into the cache.
  case cacheStore = "kv-store"
  case attentionScores = "attention-scores"
  case attentionSoftmax = "attention-softmax"
  case attentionValues = "attention-values"
  /// What attention does beside its three parts.
  case attentionOther = "attention-other"
  case projection
  /// The addition to the residual stream after the projection, where it is not fused into the product.
  case projectionResidual = "projection-residual"
  case up = "mlp-up"
  case gelu
  case down = "mlp-down"
  /// Likewise after the MLP.
  case mlpResidual = "mlp-residual"
  case logits
  case sampling
  // Of a step of training.
  case attention
  case loss
  case logitsGradient = "logits-backward"
  case layerNormGradient = "layernorm-backward"
  case downGradient = "mlp-down-backward"
  case geluGradient = "gelu-backward"
  case upGradient = "mlp-up-backward"
  case projectionGradient = "projection-backward"
  case attentionGradient = "attention-backward"
  case qkvGradient = "qkv-backward"
  case embeddingGradient = "embedding-backward"
  case optimizer
  /// Outside all of them: the engine's own steps from one operation to the next, and what noting the marks takes.
  case other

  /// What people read.
  public var title: String {
    switch self {
    case .embedding: "embedding"
    case .layerNorm: "layer norm"
    case .qkv: "QKV"
    case .cacheStore: "KV store"
    case .attentionScores: "scores"
    case .attentionSoftmax: "softmax"
    case .attentionValues: "values"
    case .attentionOther: "attention, rest"
    case .projection: "projection"
    case .projectionResidual: "projection residual"
    case .up: "MLP up"
    case .gelu: "GELU"
    case .down: "MLP down"
    case .mlpResidual: "MLP residual"
    case .logits: "logits"
    case .sampling: "sampling"
    case .attention: "attention"
    case .loss: "loss"
    case .logitsGradient: "logits backward"
    case .layerNormGradient: "layer norm backward"
    case .downGradient: "MLP down backward"
    case .geluGradient: "GELU backward"
    case .upGradient: "MLP up backward"
    case .projectionGradient: "projection backward"
    case .attentionGradient: "attention backward"
    case .qkvGradient: "QKV backward"
    case .embeddingGradient: "embedding backward"
    case .optimizer: "optimizer"
    case .other: "between operations"
    }
  }

  public var group: ProfileGroup {
    switch self {
    case .embedding: .embedding
    case .layerNorm: .layerNorm
    case .qkv, .cacheStore, .attention, .attentionScores, .attentionSoftmax, .attentionValues,
      .attentionOther, .projection, .projectionResidual:
      .attention
    case .up, .gelu, .down, .mlpResidual: .mlp
    case .logits, .loss: .logits
    case .sampling: .sampling
    case .logitsGradient, .layerNormGradient, .downGradient, .geluGradient, .upGradient, .projectionGradient,
      .attentionGradient, .qkvGradient, .embeddingGradient:
      .backward
    case .optimizer: .optimizer
    case .other: .other
    }
  }
}

/// Phases that belong together, in the order in which a pass goes through them.
public enum ProfileGroup: String, Sendable, CaseIterable {
  case embedding
  case layerNorm = "layer norm"
  case attention
  case mlp = "MLP"
  case logits
  case sampling
  case backward
  case optimizer
  case other = "between operations"
}
