import GPT2Engine
import GPT2Kernels
import Testing

@Suite struct GeneratorTests {
  private func run(
    _ prompt: [Int], count: Int, endOfText: Int? = nil, stopAfter: Int = .max, variant: Variant = .oracle
  ) throws -> (tokens: [Int], ending: Generator.Ending) {
    var generator = Generator(try Engine(Fixtures.small.get(), variant: variant, threads: 1))
    var tokens: [Int] = []
    let ending = try generator.generate(prompt: prompt, count: count, endOfText: endOfText) { token in
      tokens.append(token)
      return tokens.count < stopAfter
    }
    return (tokens, ending)
  }

  @Test(arguments: Variant.all)
  func endings(_ variant: Variant) throws {
    let prompt = [4, 17, 9]
    let free = try run(prompt, count: 6, variant: variant)
    #expect(free.ending == .count && free.tokens.count == 6)
    let stopped = try run(prompt, count: 6, stopAfter: 2, variant: variant)
    #expect(stopped.ending == .stopped && stopped.tokens == Array(free.tokens.prefix(2)))
    // The end of the text is not handed over, and only its first occurrence counts.
    let last = free.tokens[3]
    let first = try #require(free.tokens.firstIndex(of: last))
    let ended = try run(prompt, count: 6, endOfText: last, variant: variant)
    #expect(ended.ending == .endOfText && ended.tokens == Array(free.tokens.prefix(first)))
    // Three tokens of twelve: nine positions are left, and the last one's logits still give a token.
    let full = try run(prompt, count: 100, variant: variant)
    #expect(full.ending == .contextFull && full.tokens.count == 10)
    #expect(Array(full.tokens.prefix(6)) == free.tokens)
    let exact = try run(prompt, count: 10, variant: variant)
    #expect(exact.ending == .count && exact.tokens == full.tokens)
  }

  @Test func aFullPromptGivesOneToken() throws {
    let prompt = Fixtures.ids(12, of: try Fixtures.small.get())
    let one = try run(prompt, count: 5)
    #expect(one.ending == .contextFull && one.tokens.count == 1)
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

  @Test func aSeedGivesTheSameTextAndAnotherSeedAnother() throws {
    let engine = try Engine(Fixtures.tiny.get(), variant: .oracle, threads: 1)
    func sample(_ seed: UInt64) throws -> [Int] {
      var generator = Generator(engine, sampling: try SamplingParameters(temperature: 1, seed: seed))
      var tokens: [Int] = []
      try generator.generate(prompt: [1, 2], count: 12) { token in
        tokens.append(token)
        return true
      }
      return tokens
    }
    #expect(try sample(1) == sample(1))
    #expect(try sample(1) != sample(2))
  }
}
