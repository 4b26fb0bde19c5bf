import Record

/// How well variants of one model predict one text.
public struct PerplexityReport: Codable, Equatable, Sendable {
  public struct Result: Codable, Equatable, Sendable {
    public let variant: String
    /// Precision of the weights, for example `f32`.
    public let weights: String
    public let threads: Int
    /// Mean of −log p, natural logarithm.
    public let natsPerToken: Double
    /// exp(natsPerToken)
    public let perplexity: Double
    /// The scored tokens' −log₂ p over their bytes; absent where they have none.
    public let bitsPerByte: Double?
    /// The passes and the scoring, without loading and without tokenizing.
    public let seconds: Double
    /// Scored tokens in a second.
    public let tokensPerSecond: Double

    public init(
      variant: String, weights: String, threads: Int, natsPerToken: Double, perplexity: Double,
      bitsPerByte: Double?, seconds: Double, tokensPerSecond: Double
    ) {
      self.variant = variant
      self.weights = weights
      self.threads = threads
      self.natsPerToken = natsPerToken
      self.perplexity = perplexity
      self.bitsPerByte = bitsPerByte
      self.seconds = seconds
      self.tokensPerSecond = tokensPerSecond
    }
  }

  public enum Format: String, CaseIterable, Sendable {
    case markdown = "md"
    case csv, json
  }

  public let model: String
  /// The text's name.
  public let text: String
  /// Tokens that a window takes in.
  public let context: Int
  /// Tokens between two windows.
  public let stride: Int
  /// Whether the tokens behind the last whole window were left out.
  public let wholeWindows: Bool
  /// The text's tokens.
  public let tokens: Int
  public let scoredTokens: Int
  /// UTF-8 bytes of the scored tokens.
  public let scoredBytes: Int
  /// One for each variant; at least one.
  public let results: [Result]

  public init(
    model: String, text: String, context: Int, stride: Int, wholeWindows: Bool, tokens: Int,
    scoredTokens: Int,
    scoredBytes: Int, results: [Result]
  ) {
    self.model = model
    self.text = text
    self.context = context
    self.stride = stride
    self.wholeWindows = wholeWindows
    self.tokens = tokens
    self.scoredTokens = scoredTokens
    self.scoredBytes = scoredBytes
    self.results = results
  }
}
