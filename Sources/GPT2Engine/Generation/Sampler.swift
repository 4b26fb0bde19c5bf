import Foundation
import Statistics

/// Chooses tokens from logits, with a random stream of its own: one number a draw.
///
/// All three cuts leave the most likely tokens down to some place, so none needs the vocabulary sorted.
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
