import GPT2Engine
import GPT2Kernels
import TestSupport
import Testing

struct GeneratorTests {
  private func run(
    _ prompt: [Int], count: Int, ends: Set<Int> = [], ignoresEnd: Bool = false, stopAfter: Int = .max,
    variant: Variant = .oracle
  ) throws -> (tokens: [Int], ending: GenerationEnding) {
    let generator = Generator(try Engine(Fixtures.small.get(), variant: variant, threads: 1))
    let parameters = GenerationParameters(maximumNewTokens: count, endsAtEndOfText: !ignoresEnd)
    var steps: [GenerationStep] = []
    let ending = try generator.generate(prompt: prompt, parameters, ends: ends) { step in
      steps.append(step)
      return steps.count < stopAfter
    }
    // The last step, and no other, says why.
    expectEqual(steps.last?.ending, ending)
    #expect(steps.dropLast().allSatisfy { $0.ending == nil && $0.token != nil })
    #expect(steps.allSatisfy { $0.text.isEmpty })
    return (steps.compactMap(\.token), ending)
  }

  @Test(arguments: Variant.all)
  func endings(_ variant: Variant) throws {
    let prompt = [4, 17, 9]
    let free = try run(prompt, count: 6, variant: variant)
    expectEqual(free.ending, .count)
    expectEqual(free.tokens.count, 6)
    let stopped = try run(prompt, count: 6, stopAfter: 2, variant: variant)
    expectEqual(stopped.ending, .stopped)
    expectEqual(stopped.tokens, Array(free.tokens.prefix(2)))
    // The end of the text is not handed over, and only its first occurrence counts.
    let last = free.tokens[3]
    let first = try #require(free.tokens.firstIndex(of: last))
    let ended = try run(prompt, count: 6, ends: [last], variant: variant)
    expectEqual(ended.ending, .endOfText(last))
    expectEqual(ended.tokens, Array(free.tokens.prefix(first)))
    let ignored = try run(prompt, count: 6, ends: [last], ignoresEnd: true, variant: variant)
    expectEqual(ignored.ending, .count)
    expectEqual(ignored.tokens, free.tokens)
    // Three tokens of twelve: nine positions are left, and the last one's logits still give a token.
    let full = try run(prompt, count: 100, variant: variant)
    expectEqual(full.ending, .contextFull)
    expectEqual(full.tokens.count, 10)
    expectEqual(Array(full.tokens.prefix(6)), free.tokens)
    let exact = try run(prompt, count: 10, variant: variant)
    expectEqual(exact.ending, .count)
    expectEqual(exact.tokens, full.tokens)
  }

  @Test func aFullPromptGivesOneToken() throws {
    let prompt = Fixtures.ids(12, of: try Fixtures.small.get())
    let one = try run(prompt, count: 5)
    expectEqual(one.ending, .contextFull)
    expectEqual(one.tokens.count, 1)
  }

  @Test(arguments: [0, -1])
  func noTokensAreNoTokens(_ count: Int) throws {
    let none = try run([1], count: count)
    #expect(none.ending == .count && none.tokens.isEmpty)
  }

  @Test func whatCannotBeContinuedIsRefused() throws {
    #expect(throws: EngineError.emptyPrompt) { try run([], count: 1) }
    #expect(throws: EngineError.contextExceeded(tokens: 13, context: 12)) {
      try run([Int](repeating: 0, count: 13), count: 1)
    }
    #expect(throws: EngineError.tokenOutsideVocabulary(id: 23, vocabulary: 23)) { try run([23], count: 1) }
  }

  @Test func stopSequencesNeedText() throws {
    let parameters = GenerationParameters(stops: try StopSequences(["a"]))
    #expect(throws: EngineError.stopSequenceWithoutTokenizer) {
      try Generator(Engine(Fixtures.small.get(), variant: .oracle, threads: 1))
        .generate(prompt: [1], parameters) { _ in true }
    }
  }

  /// A sequence goes on where a generation left it, as if it had been one.
  @Test(arguments: Variant.all)
  func aSequenceCanBeContinued(_ variant: Variant) throws {
    let engine = try Engine(Fixtures.small.get(), variant: variant, threads: 1)
    let whole = try engine.greedy([4, 17, 9], count: 7)
    let sequence = try engine.makeSequence()
    try sequence.append([4, 17, 9])
    for count in [3, 4] {
      try Generator(engine).generate(
        after: sequence, GenerationParameters(maximumNewTokens: count)
      ) { _ in true }
    }
    expectEqual(sequence.tokens, [4, 17, 9] + whole)
  }

  /// Sequences that are continued together get what each gets alone, until the context of one is full.
  @Test(arguments: Variant.all)
  func greedyTokensAreTheGenerators(_ variant: Variant) throws {
    let engine = try Engine(Fixtures.small.get(), variant: variant, threads: 2)
    let prompts = [[4, 17, 9], [1], [2, 3]]
    let alone = try prompts.map { try engine.greedy($0, count: 10) }
    try expectEqual(engine.greedy(after: prompts, count: 100), alone)
    var (seen, logits) = ([[Int]](), [Int]())
    let sequences = try prompts.map { prompt in
      let sequence = try engine.makeSequence()
      try sequence.append(prompt)
      return sequence
    }
    let found = try engine.continueGreedily(
      sequences, count: 10, onLogits: { logits.append($0) },
      onTokens: { step, tokens in
        seen.append(tokens)
        return step < 3
      })
    expectEqual(found, alone.map { Array($0.prefix(4)) })
    expectEqual(logits, [0, 1, 2, 3])
    #expect(seen == (0..<4).map { step in alone.map { $0[step] } })
    expectEqual(sequences.map(\.tokens.count), [6, 4, 5])
    try sequences[0].append([Int](repeating: 1, count: 6))
    #expect(throws: EngineError.contextExceeded(tokens: 13, context: 12)) {
      try engine.continueGreedily([sequences[0]], count: 2)
    }
  }

  private func sample(
    _ seed: UInt64, _ variant: Variant, penalty: Float = 1, temperature: Float = 1
  ) throws -> [Int] {
    let engine = try Engine(Fixtures.tiny.get(), variant: variant, threads: 2)
    let sampling = try SamplingParameters(
      temperature: temperature, topK: 100, topP: 0.98, minP: 0.01, repetitionPenalty: penalty, seed: seed)
    var tokens: [Int] = []
    try Generator(engine).generate(
      prompt: [1, 2], GenerationParameters(sampling: sampling, maximumNewTokens: 12)
    ) { step in
      tokens += [step.token].compactMap(\.self)
      return true
    }
    return tokens
  }

  @Test(arguments: Variant.all)
  func aSeedGivesTheSameTextAndAnotherSeedAnother(_ variant: Variant) throws {
    try expectEqual(sample(1, variant), sample(1, variant))
    #expect(try sample(1, variant) != sample(2, variant))
  }

  /// Whatever the seed.
  @Test(arguments: Variant.exact)
  func greedyTextIsTheSameOnEveryVariant(_ variant: Variant) throws {
    for penalty: Float in [1, 1.5] {
      try expectEqual(
        sample(7, variant, penalty: penalty, temperature: 0),
        sample(1, .oracle, penalty: penalty, temperature: 0))
    }
  }

  /// A penalty that nothing outweighs leaves no token a second time.
  @Test func aHugePenaltyLeavesNoRepetition() throws {
    let free = try sample(1, .preferred, temperature: 0)
    let penalised = try sample(1, .preferred, penalty: 1e30, temperature: 0)
    expectEqual(penalised.count, 12)
    expectEqual(Set(penalised + [1, 2]).count, 14)
    #expect(penalised != free)
  }
}
