import Foundation
import GPT2Model

/// What a comparison of logits with a reference has found so far.
public struct LogitComparison: Codable, Equatable, Sendable {
  /// Largest |logit − reference| over all values compared.
  public private(set) var maxAbsoluteError = 0.0
  /// What was allowed where that error was.
  public private(set) var tolerance = 0.0
  /// The most that was allowed anywhere: the mean is over everything.
  public private(set) var nmseTolerance = 0.0
  public private(set) var argmaxAgreed = 0
  public private(set) var argmaxCompared = 0
  public private(set) var isFinite = true
  public private(set) var failure: String?

  private var squaredError = 0.0
  private var squaredReference = 0.0
  /// Nothing reads it: builds of before 30 November 2026 refuse a worker's answer without it.
  private var worstRatio: Double? = 0
  /// Nil for float32, which is judged by its tolerance.
  private var quality: QualityComparison?

  /// - Parameters:
  ///   - limits: of weights or a cache with fewer bits; nil for float32.
  ///   - judgesTop1: whether the limits' share of largest logits is judged too.
  public init(limits: QualityLimits? = nil, judgesTop1: Bool = true) {
    quality = limits.map { QualityComparison(limits: $0, judgesTop1: judgesTop1) }
  }

  public var passed: Bool { failure == nil && argmaxCompared > 0 }

  /// Σ(x − r)² / Σr² over all values compared; nil before any.
  public var nmse: Double? { squaredReference > 0 ? squaredError / squaredReference : nil }

  private var top1: Double? {
    argmaxCompared > 0 ? Double(argmaxAgreed) / Double(argmaxCompared) : nil
  }

  public mutating func fail(_ reason: String) { failure = failure ?? reason }

  /// Compares one position: finite over the whole vocabulary, then the argmax, then the values that are known. Where
  /// quality is judged only what is not finite fails here.
  /// - Parameter isDecoded: whether it is computed alone, from the cache, after all positions were compared in one pass.
  mutating func compare(
    _ logits: UnsafeBufferPointer<Float>, with prompt: ReferenceCase.Prompt, position: Int,
    tolerance: Tolerance, isDecoded: Bool = false
  ) {
    let path = isDecoded ? " decoded from the cache" : ""
    let place = "\(prompt.name) position \(position)\(path)"
    argmaxCompared += 1
    let winner: Int
    do { winner = try GPT2Engine.argmax(logits, position: position) } catch {
      isFinite = false
      fail("\(prompt.name)\(path) \(error)")
      return
    }
    if winner == prompt.argmax[position] {
      argmaxAgreed += 1
    } else if quality == nil {
      fail("\(place): the largest logit is token \(winner)'s, expected \(prompt.argmax[position])'s")
    }
    var largest = 0.0
    for (id, reference) in zip(prompt.top[position], prompt.topLogits[position]) {
      add(logits[id], reference, &largest)
    }
    if let row = prompt.positions.firstIndex(of: position) {
      prompt.logits.row(row).withUnsafeBufferPointer { known in
        for (logit, reference) in zip(logits, known) { add(logit, Double(reference), &largest) }
        quality?.add(divergence: divergence(from: known, of: logits), isDecoded: isDecoded)
      }
    }
    defer { maxAbsoluteError = max(maxAbsoluteError, largest) }
    guard quality == nil else { return }
    if largest > maxAbsoluteError || self.tolerance == 0 { self.tolerance = tolerance.absolute }
    nmseTolerance = max(nmseTolerance, tolerance.nmse)
    if largest > tolerance.absolute {
      fail("\(place): a logit is off by \(brief(largest)), allowed \(brief(tolerance.absolute))")
    }
  }

  /// Compares logits that another program computed.
  /// - Parameters:
  ///   - logits: (positions, vocabulary), of the prompt's last positions; at least one.
  ///   - allowance: how many times float32's tolerance is allowed, at least 1.
  public mutating func compare(
    _ logits: NPY, withTheEndOf prompt: ReferenceCase.Prompt, of configuration: Configuration,
    allowance: Double = 1
  ) {
    guard (1...prompt.ids.count).contains(logits.rows) else {
      fail("\(prompt.name): found logits of \(logits.rows) positions, expected 1 to \(prompt.ids.count)")
      return
    }
    guard logits.columns == configuration.vocabulary, prompt.logits.columns == configuration.vocabulary else {
      fail(
        "\(prompt.name): found logits of a vocabulary of \(logits.columns), expected \(configuration.vocabulary)"
      )
      return
    }
    let tolerance = Tolerance(configuration, positions: prompt.ids.count, largestLogit: prompt.largestLogit)
      .scaled(by: allowance)
    logits.values.withUnsafeBufferPointer { values in
      for row in 0..<logits.rows {
        compare(
          UnsafeBufferPointer(rebasing: values[row * logits.columns..<(row + 1) * logits.columns]),
          with: prompt, position: prompt.ids.count - logits.rows + row, tolerance: tolerance)
      }
    }
  }

  /// Compares a greedy continuation that another program made; weights of fewer bits may choose otherwise.
  /// - Parameter tokens: as many as were asked for, or the reference has fewer.
  public mutating func compare(greedy tokens: [Int], with prompt: ReferenceCase.Prompt) {
    guard quality == nil else { return }
    let expected = Array(prompt.greedy.prefix(tokens.count))
    if let difference = greedyDifference(tokens, expected: expected, prompt: prompt.name) { fail(difference) }
  }

  /// Closes the comparison: the mean error is judged over everything, and quality is.
  public mutating func finish() {
    if argmaxCompared == 0 { fail("no position was compared") }
    if let quality {
      nmseTolerance = quality.limits.nmse
      if let failure = quality.failure(agreed: argmaxAgreed, of: argmaxCompared) { fail(failure) }
    }
    if let nmse, nmse > nmseTolerance {
      fail("normalised mean square error is \(brief(nmse)), allowed \(brief(nmseTolerance))")
    }
  }

  public var result: CheckResult {
    CheckResult(
      failure: passed ? nil : failure ?? CheckResult.nothingCompared,
      maxAbsoluteError: argmaxCompared > 0 && isFinite ? maxAbsoluteError : nil, tolerance: tolerance,
      nmse: isFinite ? nmse : nil, agreed: argmaxAgreed, compared: argmaxCompared,
      kl: isFinite ? quality?.kl : nil, top1: quality?.judgesTop1 == true ? top1 : nil)
  }

  private mutating func add(_ logit: Float, _ reference: Double, _ largest: inout Double) {
    let error = abs(Double(logit) - reference)
    largest = max(largest, error)
    squaredError += error * error
    squaredReference += reference * reference
  }
}

/// How far float32 logits may lie from exact ones, from the lengths of the sums on the way. A sum of n float32 terms
/// is off by about √n · u, u = 2⁻²⁴, relative to the terms' size, because roundings cancel like steps of a random walk
/// (Higham and Mary, "A new approach to probabilistic rounding error analysis", 2019, doi 10.1137/18M1226312). The
/// errors along the path are added as if they never cancelled: for each layer two norms and the queries' product (√C
/// each), scores (√headSize), weighted values (√T), projection (√C), MLP up (√C) and down (√4C); then the final norm
/// and the logits. The result is relative to the largest logit.
public struct Tolerance: Sendable, Equatable {
  public let absolute, nmse: Double
}

extension Tolerance {
  /// - Parameters:
  ///   - positions: the longest sequence compared.
  ///   - largestLogit: the reference's largest absolute value.
  public init(_ configuration: Configuration, positions: Int, largestLogit: Double) {
    func root(_ length: Int) -> Double { Double(length).squareRoot() }
    let c = root(configuration.channels)
    let layer = 5 * c + root(configuration.hidden) + root(configuration.headSize) + root(positions)
    let relative = unitRoundoff * (Double(configuration.layers) * layer + 2 * c)
    self.init(absolute: relative * largestLogit, nmse: relative * relative)
  }

  /// What is allowed to arithmetic that is so many times as coarse.
  func scaled(by factor: Double) -> Tolerance {
    Tolerance(absolute: absolute * factor, nmse: nmse * factor * factor)
  }
}
