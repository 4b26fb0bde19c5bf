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
    self.layers = layers
    self.heads = heads
    self.channels = channels
    self.vocabulary = vocabulary
    self.context = context
    self.layerNormEpsilon = layerNormEpsilon
    self.tiesEmbeddings = tiesEmbeddings
  }

  public var headSize: Int { channels / heads }

  /// Width of the MLP's hidden layer.
  public var hidden: Int { 4 * channels }

  /// Number of weights in all parameters.
  public var parameterCount: Int { parameters.reduce(0) { $0 + $1.count } }
}
