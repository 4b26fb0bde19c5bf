import Foundation
import GPT2Kernels

/// How much worse a text is predicted by weights or a cache of fewer bits.
public struct PerplexityCheck: Codable, Equatable, Sendable {
  /// By the engine's own weights, and by float32's; nil where a logit was not finite, or nothing was scored.
  public private(set) var perplexity: Double?
  public private(set) var float32: Double?
  public private(set) var failure: String?

  init(failure: String) { self.failure = failure }

  init(limits: QualityLimits, perplexity: Double?, float32: Double?) {
    guard let perplexity, let float32 else {
      failure = CheckResult.nothingCompared
      return
    }
    if let other = [perplexity, float32].first(where: { !$0.isFinite }) {
      failure = "the perplexity is \(other), expected a finite number"
      return
    }
    (self.perplexity, self.float32) = (perplexity, float32)
    let delta = perplexity / float32 - 1
    guard delta > limits.deltaPerplexity else { return }
    failure = String(
      format: "the perplexity is %.3f %% above float32's, allowed %.3f %%", 100 * delta,
      100 * limits.deltaPerplexity)
  }

  /// Perplexity ÷ float32's, − 1.
  public var delta: Double? { perplexity.flatMap { own in float32.map { own / $0 - 1 } } }

  public var result: CheckResult { CheckResult(failure: failure, deltaPerplexity: delta) }
}

extension Engine {
  /// Holds the perplexity of a text against float32's, with `Variant.preferred` on the same checkpoint.
  /// - Parameter ids: the text, of the model's vocabulary.
  /// - Returns: nil for an engine that is exact.
  public func checkPerplexity(of ids: [Int]) throws(EngineError) -> PerplexityCheck? {
    guard let limits = QualityLimits(of: variant) else { return nil }
    switch try finding({ () throws(EngineError) in try score(ids) }) {
    case .success(let own):
      let float32 = try Engine(checkpoint, variant: .preferred, threads: threads).score(ids)
      return PerplexityCheck(limits: limits, perplexity: own.perplexity, float32: float32.perplexity)
    case .failure(let error): return PerplexityCheck(failure: "\(error)")
    }
  }

  /// In adjacent windows of the whole context.
  func score(_ ids: [Int]) throws(EngineError) -> TextScore {
    var windows = TokenWindows(context: configuration.context, stride: configuration.context)
    windows.append(ids)
    windows.finish()
    let sequence = try makeSequence()
    var score = TextScore()
    while let window = windows.next() {
      score.add(nats: try nats(of: window, in: sequence), tokens: window.targets.count)
    }
    return score
  }
}
