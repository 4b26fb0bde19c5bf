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
        UnsafeBufferPointer(start: logits.row(0), count: logits.columns), with: prompt,
        position: next, tolerance: tolerance, path: " decoded from the cache")
      next += 1
    }
  }

  private func compareGreedy(
    _ prompt: ReferenceCase.Prompt, steps: Int, _ comparison: inout LogitComparison
  ) throws(EngineError) {
    let expected = prompt.greedy.prefix(steps)
    guard !expected.isEmpty else { return }
    var index = 0
    var mismatch: String?
    let parameters = GenerationParameters(maximumNewTokens: expected.count)
    try Generator(self).generate(prompt: prompt.ids, parameters) { step in
      guard let token = step.token else { return false }
      if token != expected[index] {
        mismatch = "\(prompt.name): greedy token \(index) is \(token), expected \(expected[index])"
      }
      index += 1
      return mismatch == nil
    }
    if let mismatch {
      comparison.fail(mismatch)
    } else if index < expected.count {
      comparison.fail("\(prompt.name): the context ends after \(index) of \(expected.count) greedy tokens")
    }
  }
}

extension ReferenceCase {
  /// A reference made by `naive` itself, for a model that no independent logits are at hand for.
  ///
  /// Its errors are float32's own, so a comparison with it doubles what is allowed; see `Tolerance`.
  public init(oracleFor checkpoint: Checkpoint, prompts: [[Int]]) throws(EngineError) {
    let engine = try Engine(checkpoint, variant: .oracle, threads: 1)
    var logits: [NPY] = []
    for ids in prompts { logits.append(try engine.logits(of: ids)) }
    self.init(oracleOf: checkpoint.name, prompts: prompts, logits: logits)
  }

  /// The same from logits that `naive` has computed elsewhere.
  ///
  /// - Parameters:
  ///   - model: its name as `--model` takes it.
  ///   - logits: for each prompt (positions, vocabulary), of all its positions.
  public init(oracleOf model: String, prompts: [[Int]], logits: [NPY]) {
    let made = zip(prompts, logits).enumerated().map { number, pair in
      let (ids, logits) = pair
      precondition(logits.rows == ids.count)
      let winners = ids.indices.map { row in logits.row(row).withUnsafeBufferPointer(argmax) }
      let largest = logits.values.reduce(0) { max($0, abs(Double($1))) }
      return Prompt(
        name: "p\(number)", ids: ids, positions: Array(ids.indices), logits: logits, argmax: winners,
        top: ids.map { _ in [] }, topLogits: ids.map { _ in [] }, largestLogit: 2 * largest, greedy: [])
    }
    self.init(name: "naive on this model", model: model, prompts: made)
  }

  private init(name: String, model: String, prompts: [Prompt]) {
    self.name = name
    self.model = model
    self.prompts = prompts
  }
}
