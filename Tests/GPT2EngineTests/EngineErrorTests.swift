import GPT2Engine
import GPT2Kernels
import GPT2Model
import TestSupport
import Testing

struct EngineErrorTests {
  @Test(arguments: Variant.all)
  func aStepWithoutTokensIsRefused(_ variant: Variant) throws {
    let engine = try Engine(Fixtures.small.get(), variant: variant, threads: 1)
    let (empty, full) = (try engine.makeSequence(), try engine.makeSequence())
    try full.append([1])
    #expect(throws: EngineError.emptyPrompt) { try engine.step([empty]) }
    #expect(throws: EngineError.emptyPrompt) { try engine.step([full, empty]) }
    #expect(throws: EngineError.emptyPrompt) { try engine.stepThroughPositions(of: empty) { _, _ in } }
    // The refusal has changed nothing.
    expectNil(firstBitDifference(try engine.rows([full])[0], try engine.logits(after: [1])))
  }

  @Test(arguments: Variant.all)
  func tokensOutsideTheVocabularyAreRefused(_ variant: Variant) throws {
    let engine = try Engine(Fixtures.small.get(), variant: variant, threads: 1)
    let sequence = try engine.makeSequence()
    for id in [-1, 23, Int.max, Int.min] {
      #expect(throws: EngineError.tokenOutsideVocabulary(id: id, vocabulary: 23)) {
        try sequence.append([0, 22, id])
      }
    }
    #expect(sequence.tokens.isEmpty)
  }

  @Test(arguments: Variant.all)
  func tokensBeyondTheContextAreRefused(_ variant: Variant) throws {
    let engine = try Engine(Fixtures.small.get(), variant: variant, threads: 1)
    let sequence = try engine.makeSequence()
    #expect(throws: EngineError.contextExceeded(tokens: 13, context: 12)) {
      try sequence.append([Int](repeating: 1, count: 13))
    }
    try sequence.append([Int](repeating: 1, count: 12))
    expectEqual(sequence.room, 0)
    _ = try engine.step([sequence])
    #expect(throws: EngineError.contextExceeded(tokens: 13, context: 12)) { try sequence.append([1]) }
    try sequence.append([])
    expectEqual(sequence.tokens.count, 12)
  }

  @Test(
    arguments: [
      (EngineError.emptyPrompt, "the prompt is empty, expected at least one token"),
      (.contextExceeded(tokens: 9, context: 8), "9 tokens do not fit the model's context of 8"),
      (
        .tokenOutsideVocabulary(id: -1, vocabulary: 8),
        "token id -1 is outside the vocabulary, expected 0 to 7"
      ),
      (.outOfMemory(bytes: 5), "cannot allocate 5 bytes of memory"),
      (.sampling(parameter: "top-k", found: "0", expected: "1 or more"), "top-k is 0, expected 1 or more"),
      (.emptyStopSequence, "a stop sequence is empty, expected at least one character"),
      (.stopSequenceWithoutTokenizer, "stop sequences are text, expected a model with a tokenizer"),
      (
        .tokenWithoutText(id: 9, vocabulary: 8),
        "token id 9 has no text, the tokenizer's vocabulary ends at 7"
      ),
      (
        .nonFiniteLogit(position: 3, token: 17, found: "-inf"),
        "position 3: the logit of token 17 is -inf, expected a finite number"
      ),
    ])
  func descriptionsNameWhatWasFoundAndExpected(_ error: EngineError, _ text: String) {
    expectEqual(error.description, text)
  }
}
