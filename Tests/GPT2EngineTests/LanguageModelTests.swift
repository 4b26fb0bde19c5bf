import Foundation
import GPT2Kernels
import GPT2Model
import TestSupport
import Testing

@testable import GPT2Engine

struct LanguageModelTests {
  private static let tiny = Project.root + "/weights/tiny"

  private func model(_ variant: Variant = .preferred, concurrency: Int = 8) async throws -> LanguageModel {
    try await LanguageModel(Self.tiny, variant: variant, threads: 2, concurrency: concurrency)
  }

  private func alone(_ prompt: String, _ parameters: GenerationParameters) throws -> Completion {
    let source = try ModelSource(Self.tiny)
    let checkpoint = try source.open(cacheFolder: "")
    let tokenizer = try #require(try source.tokenizer(for: checkpoint.configuration))
    let generator = Generator(
      try Engine(checkpoint, variant: .preferred, threads: 1), tokenizer: tokenizer)
    var (text, tokens) = ("", [Int]())
    let ending = try generator.generate(prompt: tokenizer.encode(prompt), parameters) { step in
      text += step.text
      if let token = step.token { tokens.append(token) }
      return true
    }
    return Completion(text: text, tokens: tokens, ending: ending)
  }

  @Test func aBatchGivesWhatSingleTextsGive() async throws {
    let prompts = ["ROMEO:", "To be, or not to be", "JULIET:\nO", "A", "What"]
    let model = try await model(concurrency: 3)
    for temperature in [0, 0.8] as [Float] {
      let parameters = GenerationParameters(
        sampling: try SamplingParameters(temperature: temperature, seed: 4), maximumNewTokens: 12,
        stops: try StopSequences(["\n\n"]))
      let together = try await model.generate(prompts: prompts, parameters: parameters)
      for (prompt, completion) in zip(prompts, together) {
        try expectEqual(completion, alone(prompt, parameters))
      }
    }
  }

  @Test func manyTasksMayAskAtOnce() async throws {
    let model = try await model(concurrency: 2)
    let parameters = GenerationParameters(maximumNewTokens: 8)
    let expected = try alone("ROMEO:", parameters)
    try await withThrowingTaskGroup(of: Bool.self) { group in
      for index in 0..<9 {
        group.addTask {
          if index % 3 == 0 {
            return try await model.logits(for: [1, 2, 3]).values.allSatisfy(\.isFinite)
          }
          return try await model.generate(prompts: ["ROMEO:"], parameters: parameters) == [expected]
        }
      }
      for try await isRight in group { #expect(isRight) }
    }
  }

  @Test func aStreamGivesTheTextInPieces() async throws {
    let model = try await model()
    let parameters = GenerationParameters(maximumNewTokens: 10)
    var steps: [GenerationStep] = []
    for try await step in try model.stream("ROMEO:", parameters: parameters) { steps.append(step) }
    let whole = try alone("ROMEO:", parameters)
    expectEqual(steps.map(\.text).joined(), whole.text)
    expectEqual(steps.compactMap(\.token), whole.tokens)
    #expect(steps.dropLast().allSatisfy { $0.ending == nil } && steps.last?.ending == whole.ending)
  }

  /// A model with more rows than its vocabulary has tokens: those stand for no text, and the text goes on.
  @Test func aTokenWithoutTextDoesNotEndTheText() async throws {
    let folder = try TemporaryFolder()
    try Fixtures.ragged.get().exportSafetensors(to: folder.path)
    try folder.write(#"{"a": 0, "b": 1}"#, to: "vocab.json")
    try folder.write("", to: "merges.txt")
    let parameters = GenerationParameters(maximumNewTokens: 30)
    let model = try await LanguageModel(folder.path, threads: 2)
    let whole = try await model.generate(prompts: ["abab"], parameters: parameters)[0]
    #expect(whole.tokens.count == 30 && whole.ending == .count && whole.tokens.contains { $0 > 1 })
    let spelled = whole.tokens.compactMap { [0: "a", 1: "b"][$0] }
    expectEqual(whole.text, spelled.joined())

    // The model's own files say where a text ends, with a tokenizer or without.
    let end = whole.tokens[7]
    let expected = Array(whole.tokens.prefix { $0 != end })
    try folder.write("{\"eos_token_id\": [\(end), 5000]}", to: "generation_config.json")
    let ending = try await LanguageModel(folder.path, threads: 2)
    expectEqual(ending.ends, [end])
    let ended = try await ending.generate(prompts: ["abab"], parameters: parameters)[0]
    expectEqual(ended.tokens, expected)
    expectEqual(ended.ending, .endOfText(end))
    try FileManager.default.removeItem(atPath: folder("vocab.json"))
    let bare = try await LanguageModel(folder.path, threads: 2)
    let same = try await bare.generate(tokens: [[0, 1, 0, 1]], parameters: parameters)[0]
    expectNil(bare.tokenizer)
    expectEqual(same.tokens, expected)
    expectEqual(same.ending, .endOfText(end))
  }

  @Test func whoStopsListeningEndsTheGeneration() async throws {
    // One place: the second text begins only when the first has left.
    let model = try await model(concurrency: 1)
    let long = GenerationParameters(maximumNewTokens: 100_000, endsAtEndOfText: false)
    for try await step in try model.stream("ROMEO:", parameters: long) where step.token != nil { break }
    let cancelled = Task { try await model.generate(prompts: ["JULIET:"], parameters: long) }
    cancelled.cancel()
    await #expect(throws: CancellationError.self) { try await cancelled.value }
    let short = GenerationParameters(maximumNewTokens: 3)
    try await expectEqual(model.generate(prompts: ["A"], parameters: short), [alone("A", short)])
  }

  @Test(arguments: Variant.all)
  func logitsAreTheEngines(_ variant: Variant) async throws {
    let model = try await LanguageModel("synthetic:2,2,10,23,12", variant: variant)
    let ids = [4, 17, 9, 0]
    let logits = try await model.logits(for: ids)
    let engine = try Engine(Fixtures.small.get(), variant: variant, threads: 1)
    let expected = try engine.logits(of: ids)
    expectEqual(logits.positions, 4)
    expectEqual(logits.vocabulary, 23)
    expectNil(firstBitDifference(logits.values, expected.values))
    expectEqual(Array(logits[2]), Array(expected.values[2 * 23..<3 * 23]))
  }

  @Test func whatTheModelSaysIsANumberOrAnError() async throws {
    let folder = try TemporaryFolder()
    try makeModelThatBreaksAtPositionFive(folder("m"))
    let model = try await LanguageModel(folder("m"), variant: .oracle, threads: 1)
    let error = EngineError.nonFiniteLogit(position: 5, token: 0, found: "nan")
    await #expect(throws: error) { try await model.generate(tokens: [[1, 2, 3]]) }
    await #expect(throws: error) { try await model.logits(for: [1, 2, 3, 4, 5, 6, 7]) }
    #expect(try await model.logits(for: [1, 2, 3, 4, 5]).values.allSatisfy(\.isFinite))
    let short = GenerationParameters(maximumNewTokens: 3)
    try await expectEqual(model.generate(tokens: [[1, 2, 3]], parameters: short)[0].tokens.count, 3)
    let engine = try Engine(
      ModelSource(folder("m")).open(cacheFolder: folder.path), variant: .oracle, threads: 1)
    let batch = try engine.checkBatch(of: 3)
    #expect(batch.passed)
  }

  @Test func badRequestsAreRefusedBeforeAnythingIsComputed() async throws {
    let model = try await LanguageModel("synthetic:2,2,10,23,12")
    await #expect(throws: EngineError.noTokenizer(model: "synthetic:2,2,10,23,12")) {
      try await model.generate(prompts: ["text"])
    }
    await #expect(throws: EngineError.emptyPrompt) { try await model.generate(tokens: [[1], []]) }
    await #expect(throws: EngineError.tokenOutsideVocabulary(id: 23, vocabulary: 23)) {
      try await model.logits(for: [23])
    }
    await #expect(throws: ModelError.self) { try await LanguageModel("/nowhere/model.safetensors") }
    let stops = GenerationParameters(stops: try StopSequences(["x"]))
    await #expect(throws: EngineError.stopSequenceWithoutTokenizer) {
      try await model.generate(tokens: [[1]], parameters: stops)
    }
    try await expectEqual(model.generate(tokens: []), [])
  }
}
