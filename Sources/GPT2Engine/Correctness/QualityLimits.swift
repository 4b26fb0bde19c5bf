import Foundation
import GPT2Kernels

/// How far weights or cached keys and values of fewer bits than float32's may take a model from what it is with those. They
/// lose by what they are, so no tolerance of float32 can judge them; what they lose is measured on the references and on a
/// text.
///
/// The limits are some times what `check` finds on the references and on the tiny model's text, so that other programs with
/// a coarser scheme have room too. It finds:
///
/// | | `kl` | `top1` | `nmse` | `deltaPerplexity` |
/// |---|---|---|---|---|
/// | bf16 | 2e-5 | 99.6 % | 4e-5 | 0.02 % |
/// | int8 | 3e-4 | 98 % | 4e-4 | 0.05 % |
/// | int4 | 3e-2 | 90 % | 5e-2 | 1.2 % |
///
/// `kl`, `top1` and `deltaPerplexity` are largest with the trained tiny model, `nmse` with random weights.
public struct QualityLimits: Codable, Equatable, Sendable {
  /// The largest mean of D(reference ‖ variant) over the positions that are known in full, in nats.
  public let kl: Double
  /// The smallest share of positions whose largest logit is the reference's.
  public let top1: Double
  /// The largest Σ(x − r)² / Σr² of the logits: where a reference's distribution is flat, as random weights make it,
  /// KL says little.
  public let nmse: Double
  /// The largest perplexity of a text ÷ its perplexity by float32 weights, − 1.
  public let deltaPerplexity: Double
}

extension QualityLimits {
  /// Those of a variant's weights, or of its cache where the weights are float32; nil where both are, which is held to its
  /// tolerance.
  public init?(of variant: Variant) {
    self.init(variant.weights == .f32 ? variant.cache : variant.weights)
  }

  /// Nil for float32.
  public init?(_ precision: WeightPrecision) {
    switch precision {
    case .f32: return nil
    case .bf16: self.init(kl: 2e-4, top1: 0.97, nmse: 2e-4, deltaPerplexity: 0.001)
    case .int8: self.init(kl: 5e-3, top1: 0.95, nmse: 4e-3, deltaPerplexity: 0.005)
    case .int4: self.init(kl: 0.15, top1: 0.75, nmse: 0.2, deltaPerplexity: 0.04)
    }
  }
}

extension QualityLimits {
  /// Those of a program that gives its weights this name; nil for one that says nothing, or nothing that is known here, and
  /// is held to float32.
  public init?(named name: String) {
    guard let precision = WeightPrecision(named: name) else { return nil }
    self.init(precision)
  }
}

/// What a comparison of logits has found of quality so far, and what judges it.
struct QualityComparison: Codable, Equatable, Sendable {
  let limits: QualityLimits
  /// Whether the share of largest logits is judged. Where weights are random the best tokens are nearly as likely as each
  /// other, and any rounding makes another one of them the best.
  let judgesTop1: Bool
  private var divergence = 0.0
  private var positions = 0
  /// Of positions that are decoded once more, held to the same limit. Apart, so that `kl` has each position once, as it is
  /// of other programs. Nil before any, and in the answer of an older worker.
  private var decodedDivergence: Double?
  private var decodedPositions: Int?

  init(limits: QualityLimits, judgesTop1: Bool) {
    (self.limits, self.judgesTop1) = (limits, judgesTop1)
  }

  /// Mean D(reference ‖ variant) in nats; nil before any.
  var kl: Double? { positions > 0 ? divergence / Double(positions) : nil }

  private var decodedKL: Double? {
    decodedDivergence.flatMap { sum in decodedPositions.map { sum / Double($0) } }
  }

  mutating func add(divergence: Double, isDecoded: Bool) {
    if isDecoded {
      decodedDivergence = (decodedDivergence ?? 0) + divergence
      decodedPositions = (decodedPositions ?? 0) + 1
    } else {
      self.divergence += divergence
      positions += 1
    }
  }

  /// Why this is over a limit, in a line; nil where it is not. A share of few positions is coarse, and so the number that is
  /// expected is rounded down.
  func failure(agreed: Int, of compared: Int) -> String? {
    for (kl, path) in [(kl, ""), (decodedKL, " decoded from the cache")] {
      if let kl, !(kl <= limits.kl) {
        return "mean KL divergence\(path) is \(brief(kl)) nats, allowed \(brief(limits.kl))"
      }
    }
    let expected = Int((limits.top1 * Double(compared) + 1e-9).rounded(.down))
    guard judgesTop1, agreed < expected else { return nil }
    return "the largest logit agrees at \(agreed) of \(compared) positions, expected \(expected)"
  }
}

/// Σ pᵢ (log pᵢ − log qᵢ) in nats, p and q the softmax of the reference and of the logits, in double: each logarithm is its
/// logit less the largest and less the logarithm of the sum, so that nothing overflows and no probability is 0.
/// - Parameters:
///   - reference, logits: (vocabulary), finite.
/// - Returns: at least 0.
func divergence(from reference: UnsafeBufferPointer<Float>, of logits: UnsafeBufferPointer<Float>) -> Double {
  let (p, q) = (LogSoftmax(reference), LogSoftmax(logits))
  let sum = zip(reference, logits).reduce(0) { sum, pair in
    let logP = p.logarithm(pair.0)
    return sum + exp(logP) * (logP - q.logarithm(pair.1))
  }
  return max(sum, 0)
}

/// Logarithms of the probabilities that logits stand for.
private struct LogSoftmax {
  private let shift, logOfSum: Double

  init(_ logits: UnsafeBufferPointer<Float>) {
    shift = Double(logits.max() ?? 0)
    logOfSum = log(sumOfExponentials(logits, shift: shift))
  }

  func logarithm(_ logit: Float) -> Double { Double(logit) - shift - logOfSum }
}
