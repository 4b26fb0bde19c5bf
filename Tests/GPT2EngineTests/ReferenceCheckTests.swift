import Foundation
import GPT2Engine
import GPT2Kernels
import GPT2Model
import TestSupport
import Testing

@Suite struct ReferenceCheckTests {
  @Test(arguments: Variant.all)
  func everyVariantAgreesWithTheOracle(_ variant: Variant) throws {
    for model in [Fixtures.tiny, Fixtures.ragged] {
      let checkpoint = try model.get()
      let prompts = [1, 2, 9, 33, 70].map { Fixtures.ids($0, of: checkpoint, seed: UInt64($0)) }
      let reference = try ReferenceCase(oracleFor: checkpoint, prompts: prompts)
      let engine = try Engine(checkpoint, variant: variant, threads: 2)
      let comparison = try engine.check(against: reference)
      #expect(comparison.passed && comparison.failure == nil)
      // Every position once, and with a cache the last sixteen of each prompt again, step by step.
      let positions = prompts.reduce(0) { $0 + $1.count }
      let steps = prompts.reduce(0) { $0 + min($1.count, 16) }
      #expect(comparison.argmaxCompared == positions + (variant.decoding == .cache ? steps : 0))
      #expect(comparison.argmaxAgreed == comparison.argmaxCompared)
      #expect(comparison.maxAbsoluteError <= comparison.tolerance && comparison.tolerance < 1e-4)
      #expect(try #require(comparison.nmse) <= comparison.nmseTolerance)
    }
  }

  @Test func nothingComparedIsNotAPass() throws {
    let checkpoint = try Fixtures.small.get()
    let reference = try ReferenceCase(oracleFor: checkpoint, prompts: [[1, 2, 3]])
    let engine = try Engine(checkpoint, variant: .oracle, threads: 1)
    let comparison = try engine.check(
      against: reference, scope: CheckScope(longestPrompt: 2, greedySteps: 0))
    #expect(!comparison.passed && comparison.failure == "no position was compared")
    #expect(!LogitComparison().passed)
  }

  @Test func anotherVocabularyFails() throws {
    let reference = try ReferenceCase(oracleFor: Fixtures.small.get(), prompts: [[1, 2, 3]])
    let comparison = try Engine(Fixtures.tiny.get(), variant: .oracle, threads: 1).check(against: reference)
    #expect(comparison.failure?.contains("vocabulary of 23, the model 512") == true)
  }

  @Test func aPromptThatDoesNotFitIsAnError() throws {
    let reference = try ReferenceCase(
      oracleFor: Fixtures.ragged.get(), prompts: [[Int](repeating: 3, count: 121)])
    let short = try Checkpoint(
      inMemory: Configuration(layers: 1, heads: 1, channels: 4, vocabulary: 131, context: 9), name: "short")
    #expect(throws: EngineError.contextExceeded(tokens: 121, context: 9)) {
      try Engine(short, variant: .oracle, threads: 1).check(against: reference)
    }
  }

  /// 2⁻²⁴ · (2 layers · (5·8 + 16 + 4 + 10) + 2·8) = 156 · 2⁻²⁴ of the largest logit.
  @Test func theToleranceIsTheDerivedOne() throws {
    let configuration = try Fixtures.tiny.get().configuration
    let tolerance = Tolerance(configuration, positions: 100, largestLogit: 4)
    #expect(abs(tolerance.absolute - 4 * 156 * 0x1p-24) < 1e-18)
    #expect(abs(tolerance.nmse - 156 * 0x1p-24 * 156 * 0x1p-24) < 1e-24)
  }
}
