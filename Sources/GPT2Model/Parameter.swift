/// One named tensor of a GPT-2, with the name and the shape it has in Hugging Face's files.
///
/// Weights of linear layers are stored there as `Conv1D` does: (in, out), the transpose of a `Linear`.
public struct Parameter: Equatable, Sendable {
  public enum Role: Equatable, Sendable {
    case tokenEmbedding
    case positionEmbedding
    case normWeight
    /// A `Conv1D` weight, shape (in, out).
    case linearWeight
    case bias
    /// The logits' own matrix (vocabulary, channels), where it is not the token embedding.
    case outputEmbedding
  }

  public let name: String
  public let shape: [Int]
  public let role: Role

  public var count: Int { shape.reduce(1, *) }
}

/// The twelve tensors of a layer, in the order of the file.
public enum LayerParameter: Int, CaseIterable, Sendable {
  case norm1Weight, norm1Bias, qkvWeight, qkvBias, projectionWeight, projectionBias
  case norm2Weight, norm2Bias, upWeight, upBias, downWeight, downBias

  public func parameter(layer: Int, of configuration: Configuration) -> Parameter {
    let c = configuration.channels
    let hidden = configuration.hidden
    let (suffix, shape, role): (String, [Int], Parameter.Role) =
      switch self {
      case .norm1Weight: ("ln_1.weight", [c], .normWeight)
      case .norm1Bias: ("ln_1.bias", [c], .bias)
      case .qkvWeight: ("attn.c_attn.weight", [c, 3 * c], .linearWeight)
      case .qkvBias: ("attn.c_attn.bias", [3 * c], .bias)
      case .projectionWeight: ("attn.c_proj.weight", [c, c], .linearWeight)
      case .projectionBias: ("attn.c_proj.bias", [c], .bias)
      case .norm2Weight: ("ln_2.weight", [c], .normWeight)
      case .norm2Bias: ("ln_2.bias", [c], .bias)
      case .upWeight: ("mlp.c_fc.weight", [c, hidden], .linearWeight)
      case .upBias: ("mlp.c_fc.bias", [hidden], .bias)
      case .downWeight: ("mlp.c_proj.weight", [hidden, c], .linearWeight)
      case .downBias: ("mlp.c_proj.bias", [c], .bias)
      }
    return Parameter(name: "h.\(layer).\(suffix)", shape: shape, role: role)
  }
}

extension Configuration {
  /// Every parameter, in the canonical order: embeddings, layers, final layer norm, and the logits' matrix
  /// where it is not tied. A parameter's place here is its number in the synthetic generator.
  public var parameters: [Parameter] {
    var all = [
      Parameter(name: "wte.weight", shape: [vocabulary, channels], role: .tokenEmbedding),
      Parameter(name: "wpe.weight", shape: [context, channels], role: .positionEmbedding),
    ]
    for layer in 0..<layers {
      all += LayerParameter.allCases.map { $0.parameter(layer: layer, of: self) }
    }
    all.append(Parameter(name: "ln_f.weight", shape: [channels], role: .normWeight))
    all.append(Parameter(name: "ln_f.bias", shape: [channels], role: .bias))
    if !tiesEmbeddings {
      all.append(
        Parameter(name: "lm_head.weight", shape: [vocabulary, channels], role: .outputEmbedding))
    }
    return all
  }

  /// The number, in `parameters`, of a layer's tensor.
  public static func index(of parameter: LayerParameter, layer: Int) -> Int {
    2 + layer * LayerParameter.allCases.count + parameter.rawValue
  }

  /// The number, in `parameters`, of the final layer norm's weight; its bias follows.
  var finalNormIndex: Int { 2 + layers * LayerParameter.allCases.count }

  /// The number, in `parameters`, of the logits' matrix.
  public var outputEmbeddingIndex: Int { tiesEmbeddings ? 0 : finalNormIndex + 2 }
}
