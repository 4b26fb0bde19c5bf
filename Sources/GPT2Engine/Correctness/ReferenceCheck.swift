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
    self.longestPrompt = longestPrompt
    self.greedySteps = greedySteps
  }
}

extension Engine {
  /// Holds this engine against a reference: each prompt in one pass; where keys and values are cached also
  /// token by token over its end; then the greedy continuations.
  public func check(
    against reference: ReferenceCase, scope: CheckScope = .full
  ) throws(EngineError) -> LogitComparison {
    var comparison = LogitComparison()
    for prompt in reference.prompts where prompt.ids.count <= scope.longestPrompt {
      guard prompt.logits.columns == configuration.vocabulary else {
        comparison.fail(
          "\(reference.name) has a vocabulary of \(prompt.logits.columns), the model \(configuration.vocabulary)"
        )
        break
      }
      let tolerance = Tolerance(
        configuration, positions: prompt.ids.count, largestLogit: prompt.largestLogit)
      try compareInOnePass(prompt, tolerance, &comparison)
      if variant.decoding == .cache { try compareStepByStep(prompt, tolerance, &comparison) }
      try compareGreedy(prompt, steps: scope.greedySteps, &comparison)
    }
    comparison.finish()
    return comparison
  }

  private func compareInOnePass(
    _ prompt: ReferenceCase.Prompt, _ tolerance: Tolerance, _ comparison: inout LogitComparison
  ) throws(EngineError) {
    let sequence = try makeSequence()
    try sequence.append(prompt.ids)
    try stepThroughPositions(of: sequence) { position, logits in
      comparison.compare(logits, with: prompt, position: position, tolerance: tolerance, path: "")
    }
  }

  /// The last positions one at a time, on top of a prefilled cache: the way a token is decoded.
  private func compareStepByStep(
    _ prompt: ReferenceCase.Prompt, _ tolerance: Tolerance, _ comparison: inout LogitComparison
  ) throws(EngineError) {
    let steps = min(prompt.ids.count, 16)
    let sequence = try makeSequence()
    var next = prompt.ids.count - steps
    if next > 0 {
      try sequence.append(Array(prompt.ids[..<next]))
      _ = try step([sequence])
    }
    while next < prompt.ids.count {
      try sequence.append([prompt.ids[next]])
      let logits = try step([sequence])
      comparison.compare(
        logits.values(ofRow: 0), with: prompt, position: next, tolerance: tolerance,
        path: " decoded from the cache")
      next += 1
    }
  }

  private func compareGreedy(
    _ prompt: ReferenceCase.Prompt, steps: Int, _ comparison: inout LogitComparison
  ) throws(EngineError) {
    let expected = prompt.greedy.prefix(steps)
    guard !expected.isEmpty else { return }
    let found = try greedy(after: [prompt.ids], count: expected.count) { step, tokens in
      tokens[0] == expected[step]
    }
    if let difference = greedyDifference(found[0], expected: Array(expected), prompt: prompt.name) {
      comparison.fail(difference)
    }
  }
}

/// What comparing sequences that share their steps with the same ones alone has found.
public struct BatchCheck: Codable, Equatable, Sendable {
  public let sequences: Int
  /// Greedy tokens that are the same.
  public let agreed: Int
  public let compared: Int

  public var passed: Bool { agreed == compared }

  public var result: CheckResult { CheckResult(agreed: agreed, of: compared, passed: passed) }
}

extension Engine {
  /// Decodes that many sequences of different lengths together and each of them alone, and compares their greedy tokens.
  /// A few short ones: a variant that recomputes takes its time.
  public func checkBatch(of count: Int) throws(EngineError) -> BatchCheck {
    let lengths = (0..<count).map { min(1 + $0 % 3, configuration.context) }
    // Any tokens will do, as long as they differ.
    let prompts = lengths.enumerated().map { sequence, length in
      (0..<length).map { (sequence * 7919 + $0 * 104_729 + 1) % configuration.vocabulary }
    }
    let together = try greedy(after: prompts, count: Self.checkedTokens)
    var agreed = 0
    for (prompt, tokens) in zip(prompts, together) {
      agreed += zip(try greedy(after: [prompt], count: Self.checkedTokens)[0], tokens).count { $0 == $1 }
    }
    return BatchCheck(sequences: count, agreed: agreed, compared: together.reduce(0) { $0 + $1.count })
  }

  private static let checkedTokens = 2
}
