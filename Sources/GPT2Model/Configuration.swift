/// The shape of a GPT-2: everything that sizes its weights and buffers.
public struct Configuration: Equatable, Hashable, Sendable {
  public let layers: Int
  public let heads: Int
  /// Width of the residual stream; a multiple of `heads`.
  public let channels: Int
  public let vocabulary: Int
  /// Positions that the model was built for: the longest prompt and continuation together.
  public let context: Int
  public let layerNormEpsilon: Float
  /// Whether the logits use the token embedding's own matrix, as every released GPT-2 does.
  public let tiesEmbeddings: Bool

  /// Of every released GPT-2.
  public static let defaultEpsilon: Float = 1e-5

  /// The largest sizes accepted. They keep the arithmetic of shapes far from overflow, whatever a file or a
  /// command line says, and leave room above the largest GPT-2 (48 layers, 1,600 channels).
  public static let largestDimensions = (layers: 1 << 12, any: 1 << 20)

  /// - Parameter source: the file the numbers came from, for errors.
  /// - Throws: `ModelError.field` (with a source) or `.configuration` where a dimension is out of range or
  ///   `heads` does not divide `channels`.
  public init(
    layers: Int, heads: Int, channels: Int, vocabulary: Int, context: Int,
    layerNormEpsilon: Float = Self.defaultEpsilon, tiesEmbeddings: Bool = true, source: String? = nil
  ) throws(ModelError) {
    func refuse(_ field: String, _ found: String, _ expected: String) -> ModelError {
      guard let source else { return .configuration(field: field, found: found, expected: expected) }
      return .field(path: source, field: field, found: found, expected: expected)
    }
    let limits = Self.largestDimensions
    let dimensions = [
      ("layers", layers, limits.layers), ("heads", heads, limits.any),
      ("channels", channels, limits.any), ("vocabulary", vocabulary, limits.any),
      ("context", context, limits.any),
    ]
    for (field, value, limit) in dimensions where value < 1 || value > limit {
      throw refuse(field, "\(value)", "a number from 1 to \(limit)")
    }
    guard channels % heads == 0 else {
      throw refuse("heads", "\(heads)", "a divisor of the \(channels) channels")
    }
    guard layerNormEpsilon > 0, layerNormEpsilon.isFinite else {
      throw refuse("layer norm epsilon", "\(layerNormEpsilon)", "a positive number")
    }
    (self.layers, self.heads, self.channels, self.vocabulary) = (layers, heads, channels, vocabulary)
    (self.context, self.layerNormEpsilon, self.tiesEmbeddings) = (context, layerNormEpsilon, tiesEmbeddings)
  }

  public var headSize: Int { channels / heads }

  /// Width of the MLP's hidden layer.
  public var hidden: Int { 4 * channels }

  public var parameterCount: Int { parameters.reduce(0) { $0 + $1.count } }
}

/// One named tensor of a GPT-2, with the name and the shape it has in Hugging Face's files. Weights of linear layers
/// are stored there as `Conv1D` does: (in, out), the transpose of a `Linear`.
public struct Parameter: Equatable, Sendable {
  public enum Role: Equatable, Sendable {
    case tokenEmbedding, positionEmbedding, normWeight, bias
    /// A `Conv1D` weight, shape (in, out).
    case linearWeight
    /// The logits' own matrix (vocabulary, channels), where it is not the token embedding.
    case outputEmbedding
  }

  public let name: String
  public let shape: [Int]
  public let role: Role

  public var count: Int { shape.reduce(1, *) }

  /// Whether it is a linear layer's weight, the token embedding or the logits' matrix.
  var isMatrix: Bool {
    switch role {
    case .linearWeight, .tokenEmbedding, .outputEmbedding: true
    case .positionEmbedding, .normWeight, .bias: false
    }
  }

  /// The sizes of a matrix: a linear layer's, or an embedding's of (tokens, channels).
  var matrix: (outputs: Int, inputs: Int) {
    role == .linearWeight ? (shape[1], shape[0]) : (shape[0], shape[1])
  }
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
    for layer in 0..<layers { all += LayerParameter.allCases.map { $0.parameter(layer: layer, of: self) } }
    all.append(Parameter(name: "ln_f.weight", shape: [channels], role: .normWeight))
    all.append(Parameter(name: "ln_f.bias", shape: [channels], role: .bias))
    if !tiesEmbeddings {
      all.append(Parameter(name: "lm_head.weight", shape: [vocabulary, channels], role: .outputEmbedding))
    }
    return all
  }

  public static func index(of parameter: LayerParameter, layer: Int) -> Int {
    2 + layer * LayerParameter.allCases.count + parameter.rawValue
  }

  /// The number, in `parameters`, of the final layer norm's weight; its bias follows.
  public var finalNormIndex: Int { 2 + layers * LayerParameter.allCases.count }

  /// Of the logits' matrix, which is the token embedding where they are tied.
  public var outputEmbeddingIndex: Int { tiesEmbeddings ? 0 : finalNormIndex + 2 }
}
