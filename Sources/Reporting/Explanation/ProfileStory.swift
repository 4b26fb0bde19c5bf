import Record

/// Phases that are told together: what changes in one of them usually changes in all.
enum ProfileStory: String, Sendable, CaseIterable {
  case embedding
  case layerNorm = "layer norm"
  case attentionLinear = "QKV/projection"
  case cacheStore = "KV store"
  case attention
  case mlp = "MLP"
  case logits
  case sampling
  case other = "between operations"

  init(_ phase: ProfilePhase) {
    self =
      switch phase {
      case .embedding: .embedding
      case .layerNorm: .layerNorm
      case .qkv, .projection, .projectionResidual: .attentionLinear
      case .cacheStore: .cacheStore
      case .attentionScores, .attentionSoftmax, .attentionValues, .attentionOther: .attention
      case .up, .gelu, .down, .mlpResidual: .mlp
      case .logits: .logits
      case .sampling: .sampling
      case .other: .other
      }
  }

  private static let linear: [ProfileStory] = [.attentionLinear, .mlp, .logits]

  /// `the linear layers and attention`
  static func words(_ stories: [ProfileStory]) -> String {
    let isLinear = linear.allSatisfy(stories.contains)
    let names =
      isLinear
      ? ["the linear layers"] + stories.filter { !linear.contains($0) }.map(\.rawValue)
      : stories.map(\.rawValue)
    return names.list
  }
}

extension [String] {
  /// `a, b and c`
  var list: String {
    guard count > 1, let last else { return first ?? "" }
    return dropLast().joined(separator: ", ") + " and " + last
  }
}
