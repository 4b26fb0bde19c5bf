/// What a text is to be continued by, and where it ends.
public struct GenerationParameters: Equatable, Sendable {
  public var sampling: SamplingParameters
  /// New tokens at most; fewer where the context ends.
  public var maximumNewTokens: Int
  public var stops: StopSequences
  /// Whether the token that ends a text ends this one; else it is a token like others.
  public var endsAtEndOfText: Bool

  public init(
    sampling: SamplingParameters = .greedy, maximumNewTokens: Int = 128, stops: StopSequences = .none,
    endsAtEndOfText: Bool = true
  ) {
    self.sampling = sampling
    self.maximumNewTokens = maximumNewTokens
    self.stops = stops
    self.endsAtEndOfText = endsAtEndOfText
  }
}
