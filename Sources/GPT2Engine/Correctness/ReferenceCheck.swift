import Foundation
import GPT2Kernels
import GPT2Model

/// How much of a reference is compared.
public struct CheckScope: Codable, Equatable, Sendable {
  /// Prompts longer than this are left out.
  public let longestPrompt: Int
  /// Steps of a greedy continuation that are compared.
  public let greedySteps: Int

  public static let full = CheckScope(longestPrompt: .max, greedySteps: .max)

  public init(longestPrompt: Int, greedySteps: Int) {
    (self.longestPrompt, self.greedySteps) = (longestPrompt, greedySteps)
  }
}

extension Engine {
  /// Holds this engine against a reference: each prompt in one pass; where keys and values are cached also
  /// token by token over its end; then the greedy continuations, where the variant is exact.
  public func check(
    against reference: ReferenceCase, scope: CheckScope = .full
  ) throws(EngineError) -> LogitComparison {
    let limits = QualityLimits(of: variant)
    var comparison = LogitComparison(limits: limits, judgesTop1: !reference.hasRandomWeights)
    for prompt in reference.prompts where prompt.ids.count <= scope.longestPrompt {
      guard prompt.logits.columns == configuration.vocabulary else {
        comparison.fail(
          "\(reference.name) has a vocabulary of \(prompt.logits.columns), the model \(configuration.vocabulary)"
        )
        break
      }
      let tolerance = Tolerance(configuration, positions: prompt.ids.count, largestLogit: prompt.largestLogit)
      let sequence = try makeSequence()
      try sequence.append(prompt.ids)
      try stepThroughPositions(of: sequence) { position, logits in
        comparison.compare(logits, with: prompt, position: position, tolerance: tolerance)
      }
      if variant.decoding == .cache { try compareStepByStep(prompt, tolerance, &comparison) }
      let expected = Array(prompt.greedy.prefix(scope.greedySteps))
      guard limits == nil, !expected.isEmpty else { continue }
      switch try greedy(after: prompt.ids, expecting: expected) {
      case .success(let found):
        if let difference = greedyDifference(found, expected: expected, prompt: prompt.name) {
          comparison.fail(difference)
        }
      case .failure(let error): comparison.fail("\(prompt.name): \(error)")
      }
    }
    comparison.finish()
    return comparison
  }

  /// Holds this engine against `naive` on the same weights.
  /// - Returns: what was found, and the name of what it was compared with.
  public func check(
    againstOracleOn prompts: [[Int]]
  ) throws(EngineError) -> (name: String, comparison: LogitComparison) {
    let oracle = try finding { () throws(EngineError) in
      try ReferenceCase(oracleFor: checkpoint, prompts: prompts)
    }
    switch oracle {
    case .success(let oracle): return (oracle.name, try check(against: oracle))
    case .failure(let error):
      var failed = LogitComparison()
      failed.fail("naive: \(error)")
      return (ReferenceCase.oracleName, failed)
    }
  }

  /// A greedy continuation up to and with the first token that is not as expected.
  func greedy(
    after prompt: [Int], expecting expected: [Int]
  ) throws(EngineError) -> Result<[Int], EngineError> {
    try finding { () throws(EngineError) in
      try greedy(after: [prompt], count: expected.count) { $1[0] == expected[$0] }[0]
    }
  }

  /// The last positions one at a time, on top of a prefilled cache: the way a token is decoded.
  private func compareStepByStep(
    _ prompt: ReferenceCase.Prompt, _ tolerance: Tolerance, _ comparison: inout LogitComparison
  ) throws(EngineError) {
    let steps = min(prompt.ids.count, 16)
    let sequence = try makeSequence()
    let first = prompt.ids.count - steps
    if first > 0 {
      try sequence.append(Array(prompt.ids[..<first]))
      _ = try step([sequence])
    }
    for position in first..<prompt.ids.count {
      try sequence.append([prompt.ids[position]])
      let logits = try step([sequence])
      comparison.compare(
        logits.values(ofRow: 0), with: prompt, position: position, tolerance: tolerance,
        isDecoded: true)
    }
  }
}

/// What comparing sequences that share their steps with the same ones alone has found.
public struct BatchCheck: Codable, Equatable, Sendable {
  public let sequences: Int
  public let agreed: Int
  public let compared: Int
  /// Why nothing could be compared, in a line.
  public private(set) var failure: String?

  public var passed: Bool { failure == nil && agreed == compared }

  public var result: CheckResult {
    failure.map { CheckResult(failure: $0) } ?? CheckResult(agreed: agreed, of: compared, passed: passed)
  }
}

extension Engine {
  /// Decodes that many sequences of different lengths together and each of them alone, and compares their greedy
  /// tokens. A few short ones: a variant that recomputes takes its time.
  public func checkBatch(of count: Int) throws(EngineError) -> BatchCheck {
    let lengths = (0..<count).map { min(1 + $0 % 3, configuration.context) }
    // Any tokens will do, as long as they differ.
    let prompts = lengths.enumerated().map { sequence, length in
      (0..<length).map { (sequence * 7919 + $0 * 104_729 + 1) % configuration.vocabulary }
    }
    let found = try finding { () throws(EngineError) in
      let together = try greedy(after: prompts, count: Self.checkedTokens)
      var (agreed, compared) = (0, 0)
      for (prompt, tokens) in zip(prompts, together) {
        let alone = try greedy(after: [prompt], count: Self.checkedTokens)[0]
        agreed += zip(alone, tokens).count { $0 == $1 }
        compared += tokens.count
      }
      return BatchCheck(sequences: count, agreed: agreed, compared: compared)
    }
    switch found {
    case .success(let check): return check
    case .failure(let error):
      return BatchCheck(sequences: count, agreed: 0, compared: 0, failure: "\(error)")
    }
  }

  private static let checkedTokens = 2
}

/// What any check of correctness has found, as a record keeps it.
public struct CheckResult: Equatable, Sendable {
  /// Why it failed, in a line; nil where it passed.
  public private(set) var failure: String?
  /// Nil where a value was not finite or none was compared.
  public private(set) var maxAbsoluteError: Double?
  /// What was allowed where the error was worst; 0 where tokens are compared.
  public private(set) var tolerance = 0.0
  /// Σ(x − r)² / Σr²; nil likewise.
  public private(set) var nmse: Double?
  /// Tokens that are as expected, of all compared.
  public private(set) var agreed = 0
  public private(set) var compared = 0
  /// Of weights or a cache with fewer bits than float32's, nil of others: mean D(reference ‖ variant) in nats, the share of
  /// positions with the reference's largest logit, and a text's perplexity ÷ float32's, − 1.
  public private(set) var kl: Double?
  public private(set) var top1: Double?
  public private(set) var deltaPerplexity: Double?

  public var passed: Bool { failure == nil }

  static let nothingCompared = "nothing was compared"
}

extension CheckResult {
  /// Of tokens that all have to be the same.
  init(agreed: Int, of compared: Int, passed: Bool) {
    self.init(
      failure: passed ? nil : "\(agreed) of \(compared) tokens are the same, expected all", agreed: agreed,
      compared: compared)
  }

  /// Of sequences of tokens that have to be the same.
  public init(tokens found: [[Int]], expected: [[Int]]) {
    self.init(
      agreed: zip(found, expected).flatMap { zip($0, $1) }.count { $0 == $1 },
      of: expected.reduce(0) { $0 + $1.count }, passed: found == expected)
  }
}

/// How a greedy continuation differs from the expected one, in a line; nil where it does not.
/// - Parameters:
///   - found: up to and with the first token that is not as expected, fewer where the context ends.
///   - prompt: its name, which opens the line.
func greedyDifference(_ found: [Int], expected: [Int], prompt: String) -> String? {
  let agreed = zip(found, expected).prefix { $0 == $1 }.count
  if agreed < min(found.count, expected.count) {
    return "\(prompt): greedy token \(agreed) is \(found[agreed]), expected \(expected[agreed])"
  }
  guard agreed < expected.count else { return nil }
  return "\(prompt): the context ends after \(agreed) of \(expected.count) greedy tokens"
}

/// Two significant digits, for messages.
func brief(_ value: Double) -> String { String(format: "%.1e", value) }
