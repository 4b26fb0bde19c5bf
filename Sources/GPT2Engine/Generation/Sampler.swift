import Foundation
import Statistics

/// How the next token is chosen from the logits, in the fixed order of Hugging Face's `generate`: repetition penalty,
/// temperature, top-k, top-p, min-p, then one draw from what is left. The penalty changes logits, so it stands before
/// what turns them into probabilities; the temperature stands before the cuts, so that these see the probabilities
/// that are drawn from; and top-p takes its share of what top-k left. (llama.cpp has the temperature last: there top-p
/// and min-p cut as if it were 1.) At temperature 0 the largest logit after the penalty wins (the lowest id among
/// equals); the cuts, which always leave it, do nothing, and nothing is drawn.
public struct SamplingParameters: Hashable, Sendable {
  /// What the logits are divided by; 0 is greedy.
  public let temperature: Float
  /// Only the k most likely tokens, the lowest ids among equals; nil for all.
  public let topK: Int?
  /// The fewest most likely tokens whose probabilities reach p (Holtzman et al., arXiv 1904.09751); 1 for all.
  public let topP: Float
  /// Only tokens at least this share as likely as the most likely one (Nguyen et al., arXiv 2407.01082); 0 for all.
  public let minP: Float
  /// What the logit of a token that the text has already is divided by where it is positive, and multiplied by where
  /// it is negative, however often the text has it (CTRL, Keskar et al., arXiv 1909.05858); 1 for none.
  public let repetitionPenalty: Float
  /// The same seed draws the same tokens from the same logits.
  public let seed: UInt64

  public static let greedy = SamplingParameters()

  private init() { (temperature, topK, topP, minP, repetitionPenalty, seed) = (0, nil, 1, 0, 1, 0) }

  /// - Throws: `EngineError.sampling` for a value that makes no sense.
  public init(
    temperature: Float, topK: Int? = nil, topP: Float = 1, minP: Float = 0, repetitionPenalty: Float = 1,
    seed: UInt64 = 0
  ) throws(EngineError) {
    func require(
      _ isRight: Bool, _ parameter: String, _ found: some CustomStringConvertible, _ expected: String
    ) throws(EngineError) {
      guard isRight else { throw .sampling(parameter: parameter, found: "\(found)", expected: expected) }
    }
    try require(
      temperature >= 0 && temperature.isFinite, "temperature", temperature, "0 (greedy) or a positive number")
    if let topK { try require(topK >= 1, "top-k", topK, "1 or more") }
    try require(topP > 0 && topP <= 1, "top-p", topP, "above 0, at most 1")
    try require(minP >= 0 && minP <= 1, "min-p", minP, "0 (off) to 1")
    try require(
      repetitionPenalty > 0 && repetitionPenalty.isFinite, "repetition penalty", repetitionPenalty,
      "a positive number, 1 for none")
    (self.temperature, self.topK, self.topP, self.minP) = (temperature, topK, topP, minP)
    (self.repetitionPenalty, self.seed) = (repetitionPenalty, seed)
  }
}

/// Chooses tokens from logits, with a random stream of its own: one number a draw. All three cuts leave the most
/// likely tokens down to some place, so none needs the vocabulary sorted.
public struct Sampler: Sendable {
  public let parameters: SamplingParameters
  private var random: SeededGenerator
  private var logits = ScannedLogits()
  private var numerators = SoftmaxNumerators()
  private var candidates = Candidates()

  public init(_ parameters: SamplingParameters) {
    self.parameters = parameters
    random = SeededGenerator(seed: parameters.seed)
  }

  /// - Parameters:
  ///   - logits: (vocabulary), not empty.
  ///   - tokens: the whole text so far, prompt and output, which the repetition penalty looks at.
  /// - Throws: `EngineError.nonFiniteLogit`.
  public mutating func next(
    _ logits: UnsafeBufferPointer<Float>, after tokens: [Int]
  ) throws(EngineError) -> Int {
    let position = tokens.count - 1
    let isGreedy = parameters.temperature == 0
    if isGreedy, parameters.repetitionPenalty == 1 { return try argmax(logits, position: position) }
    try self.logits.load(
      logits, position: position, penalising: tokens, by: parameters.repetitionPenalty)
    let largest = self.logits.largest
    // A penalty can make finite logits infinite: of infinitely likely tokens the first wins.
    if !isGreedy, largest.isFinite, let drawn = draw(largest: largest) { return drawn }
    return self.logits.firstID(of: largest)
  }

  private mutating func draw(largest: Float) -> Int? {
    let p = parameters
    let share = random.unit()
    if p.topK == nil, p.topP == 1, p.minP == 0 {
      numerators.fill(logits, largest: largest, temperature: p.temperature)
      return numerators.draw(share)
    }
    if let topK = p.topK {
      candidates.gather(logits, mostLikely: topK)
      candidates.weigh(largest: largest, temperature: p.temperature)
      if p.topP < 1 { candidates.keepNucleus(Double(p.topP) * candidates.totalWeight) }
    } else if p.topP < 1 {
      numerators.fill(logits, largest: largest, temperature: p.temperature)
      // All tokens lighter than this are, together, lighter than what the nucleus may leave out.
      let least = (1 - Double(p.topP)) * numerators.total / Double(logits.count)
      candidates.gather(logits, above: limit(ofWeight: least, largest: largest))
      candidates.weigh(numerators)
      candidates.keepNucleus(Double(p.topP) * numerators.total)
    } else {
      candidates.gather(logits, above: limit(ofWeight: Double(p.minP), largest: largest))
      candidates.weigh(largest: largest, temperature: p.temperature)
    }
    if p.minP > 0 { candidates.keep(weightsOfAtLeast: Double(p.minP)) }
    return candidates.draw(share)
  }

  /// A logit that is surely below those of this weight.
  private func limit(ofWeight weight: Double, largest: Float) -> Float {
    Float(Double(largest) + Double(parameters.temperature) * log(weight * 0.999)).nextDown
  }
}
