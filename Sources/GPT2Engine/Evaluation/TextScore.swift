import Foundation

/// How well a model predicts a text, summed over the tokens scored so far.
public struct TextScore: Equatable, Sendable {
  /// Tokens scored.
  public private(set) var tokens = 0
  /// Σ −log p(token), natural logarithm.
  public private(set) var nats = 0.0

  public init() {}

  public mutating func add(nats: Double, tokens: Int) {
    self.nats += nats
    self.tokens += tokens
  }

  /// The mean cross-entropy; nil before anything was scored.
  public var natsPerToken: Double? { tokens > 0 ? nats / Double(tokens) : nil }

  /// exp(nats per token)
  public var perplexity: Double? { natsPerToken.map(exp) }

  /// - Parameter bytes: what the scored tokens stand for in UTF-8.
  public func bitsPerByte(bytes: Int) -> Double? { bytes > 0 ? nats / log(2) / Double(bytes) : nil }
}

extension Engine {
  /// Σ −log p(target) of a window's targets, in nats.
  ///
  /// - Parameter sequence: of this engine; what it holds is forgotten.
  public func nats(of window: TokenWindow, in sequence: TokenSequence) throws(EngineError) -> Double {
    sequence.reset()
    try sequence.append(window.inputs)
    var nats = 0.0
    try stepThroughPositions(of: sequence, from: window.firstScored) { position, logits in
      nats += negativeLogLikelihood(of: window.targets[position - window.firstScored], logits)
    }
    return nats
  }
}
