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
  public mutating func next(_ logits: UnsafeBufferPointer<Float>, after tokens: [Int]) -> Int {
    let isGreedy = parameters.temperature == 0
    if isGreedy, parameters.repetitionPenalty == 1 { return argmax(logits) }
    self.logits.load(logits, penalising: tokens, by: parameters.repetitionPenalty)
    let largest = self.logits.largest
    // Without a largest logit that is finite there are no probabilities.
    guard largest.isFinite else { return argmax(logits) }
    if !isGreedy, let drawn = draw(largest: largest) { return drawn }
    return self.logits.firstID(of: largest) ?? argmax(logits)
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

/// The index of the largest value, the lowest among equals. A NaN never wins; 0 where there is nothing else.
public func argmax(_ values: UnsafeBufferPointer<Float>) -> Int {
  let block = 512
  let whole = values.count / block * block
  var largest = -Float.infinity
  var best: Int?
  func search(_ ids: Range<Int>) {
    for id in ids where values[id] > largest { (best, largest) = (id, values[id]) }
  }
  for start in stride(from: 0, to: whole, by: block) {
    var maxima = SIMD16<Float>(repeating: -.infinity)
    for offset in stride(from: 0, to: block, by: 16) {
      let some = UnsafeRawPointer(values.baseAddress! + start + offset).loadUnaligned(as: SIMD16<Float>.self)
      maxima.replace(with: some, where: some .> maxima)
    }
    if maxima.max() > largest { search(start..<start + block) }
  }
  search(whole..<values.count)
  return best ?? values.firstIndex { !$0.isNaN } ?? 0
}
