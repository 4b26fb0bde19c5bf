import Foundation
import GPT2Engine
import GPT2Kernels
import GPT2Model
import TestSupport
import Testing

struct ReferenceCheckTests {
  @Test(arguments: Variant.exact)
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
      expectEqual(comparison.argmaxCompared, positions + (variant.decoding == .cache ? steps : 0))
      expectEqual(comparison.argmaxAgreed, comparison.argmaxCompared)
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
    expectEqual(comparison.failure?.contains("vocabulary of 23, the model 512"), true)
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

/// Every variant against the committed logits of an independent implementation.
struct CommittedReferenceTests {
  /// The cases whose model is small enough for a test; `gpt2-bench check` runs the rest too.
  static let small: [String] = {
    let folder = Project.file("Benchmarks/reference")
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return names.filter {
      $0 != "gpt2-124m" && Project.exists("Benchmarks/reference/\($0)/reference.json")
    }.sorted()
  }()

  @Test(.enabled(if: !small.isEmpty), arguments: small, Variant.exact)
  func everyVariantAgrees(_ name: String, _ variant: Variant) throws {
    let reference = try ReferenceCase(folder: Project.file("Benchmarks/reference/\(name)"))
    let isSynthetic = reference.model.hasPrefix("synthetic:")
    let source = try ModelSource(isSynthetic ? reference.model : Project.file(reference.model))
    let cache = try TemporaryFolder()
    let engine = try Engine(source.open(cacheFolder: cache.path), variant: variant, threads: 2)
    // Without a cache every greedy step is a pass over all that came before.
    let scope = CheckScope(longestPrompt: .max, greedySteps: variant.decoding == .cache ? .max : 4)
    let comparison = try engine.check(against: reference, scope: scope)
    expectNil(comparison.failure)
    #expect(comparison.passed && comparison.argmaxAgreed == comparison.argmaxCompared)
    #expect(comparison.argmaxCompared >= reference.prompts.reduce(0) { $0 + $1.ids.count })
  }
}

/// The check can fail: one changed weight, in whichever tensor, is found.
struct PerturbationTests {
  /// A model's file, which can be reopened with one weight changed.
  private struct Model {
    let folder = Result { try TemporaryFolder() }
    let checkpoint: Checkpoint
    let bytes: [UInt8]
    let prompts = [[3, 1, 4, 1, 5], [2, 7, 1, 8, 2, 8, 1, 8, 2, 8, 4]]

    init() throws {
      checkpoint = try Fixtures.small.get()
      try checkpoint.exportSafetensors(to: folder.get()("model.safetensors"))
      bytes = try folder.get().bytes(of: "model.safetensors")
    }

    /// Tensors lie one after the other at the file's end, in the order of the parameters.
    func reopened(changing tensor: Int, element: Int, by change: (Float) -> Float) throws -> Checkpoint {
      let before = checkpoint.configuration.parameters.prefix(tensor).reduce(0) { $0 + $1.count }
      let offset = bytes.count - checkpoint.weightBytes + 4 * (before + element)
      var changed = bytes
      let old = changed.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: Float.self) }
      expectEqual(old, checkpoint.tensor(at: tensor)[element])
      withUnsafeBytes(of: change(old)) { changed.replaceSubrange(offset..<offset + 4, with: $0) }
      return try Checkpoint(safetensors: folder.get().write(changed, to: "changed.safetensors"))
    }

    /// An element that the prompts use: their last token's embedding, a position, otherwise the middle row. Of the
    /// queries', keys' and values' columns it is a value's, because a constant added to all keys changes nothing.
    func element(of tensor: Int) -> Int {
      let shape = checkpoint.configuration.parameters[tensor].shape
      let columns = shape[shape.count - 1]
      let row = shape.count == 1 ? 0 : tensor == 0 ? 4 : tensor == 1 ? 2 : shape[0] / 2
      return row * columns + columns * 5 / 6
    }
  }

  @Test(arguments: Variant.exact)
  func oneChangedWeightIsFoundInEveryTensor(_ variant: Variant) throws {
    let model = try Model()
    let reference = try ReferenceCase(oracleFor: model.checkpoint, prompts: model.prompts)
    #expect(try Engine(model.checkpoint, variant: variant, threads: 2).check(against: reference).passed)
    for (tensor, parameter) in model.checkpoint.configuration.parameters.enumerated() {
      let changed = try model.reopened(changing: tensor, element: model.element(of: tensor)) { $0 + 0.05 }
      let comparison = try Engine(changed, variant: variant, threads: 2).check(against: reference)
      #expect(!comparison.passed && comparison.failure != nil, "\(parameter.name)")
      let same = try model.reopened(changing: tensor, element: model.element(of: tensor)) { $0 }
      #expect(try Engine(same, variant: variant, threads: 2).check(against: reference).passed)
    }
  }

  @Test(arguments: Variant.exact)
  func aWeightThatIsNotFiniteIsFoundInEveryTensor(_ variant: Variant) throws {
    let model = try Model()
    let reference = try ReferenceCase(oracleFor: model.checkpoint, prompts: model.prompts)
    for (tensor, parameter) in model.checkpoint.configuration.parameters.enumerated() {
      let broken = try model.reopened(changing: tensor, element: model.element(of: tensor)) { _ in .nan }
      let comparison = try Engine(broken, variant: variant, threads: 2).check(against: reference)
      #expect(!comparison.passed, "\(parameter.name)")
      expectEqual(comparison.failure?.contains("expected a finite number"), true, "\(parameter.name)")
    }
  }
}
