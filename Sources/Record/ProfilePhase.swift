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
    case .other: "between operations"
    }
  }

  public var group: ProfileGroup {
    switch self {
    case .embedding: .embedding
    case .layerNorm: .layerNorm
    case .qkv, .cacheStore, .attentionScores, .attentionSoftmax, .attentionValues, .attentionOther,
      .projection, .projectionResidual:
      .attention
    case .up, .gelu, .down, .mlpResidual: .mlp
    case .logits: .logits
    case .sampling: .sampling
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
  case other = "between operations"
}
