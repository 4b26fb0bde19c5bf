/// How the next token is chosen from the logits.
///
/// The order is fixed: temperature, then top-k, then top-p, then one draw from what is left, as in Hugging Face's
/// `generate`. At temperature 0 the largest logit wins (the lowest id among equals) and nothing is drawn.
public struct SamplingParameters: Equatable, Sendable {
  /// 0 is greedy.
  public let temperature: Float
  /// Only the k most likely tokens; nil for all.
  public let topK: Int?
  /// The fewest most likely tokens whose probabilities reach p (Holtzman et al., arXiv 1904.09751); 1 for all.
  public let topP: Float
  /// The same seed draws the same tokens from the same logits.
  public let seed: UInt64

  public static let greedy = SamplingParameters(unchecked: 0, topK: nil, topP: 1, seed: 0)

  public init(
    temperature: Float, topK: Int? = nil, topP: Float = 1, seed: UInt64 = 0
  ) throws(EngineError) {
    guard temperature >= 0, temperature.isFinite else {
      throw .sampling(
        parameter: "temperature", found: "\(temperature)", expected: "0 (greedy) or a positive number")
    }
    if let topK, topK < 1 {
      throw .sampling(parameter: "top-k", found: "\(topK)", expected: "1 or more")
    }
    guard topP > 0, topP <= 1 else {
      throw .sampling(parameter: "top-p", found: "\(topP)", expected: "above 0, at most 1")
    }
    self.init(unchecked: temperature, topK: topK, topP: topP, seed: seed)
  }

  private init(unchecked temperature: Float, topK: Int?, topP: Float, seed: UInt64) {
    self.temperature = temperature
    self.topK = topK
    self.topP = topP
    self.seed = seed
  }
}
