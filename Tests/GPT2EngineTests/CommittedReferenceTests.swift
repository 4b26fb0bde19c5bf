import Foundation
import GPT2Engine
import GPT2Kernels
import GPT2Model
import TestSupport
import Testing

/// Every variant against the committed logits of an independent implementation.
@Suite struct CommittedReferenceTests {
  /// The cases whose model is small enough for a test; `gpt2-bench check` runs the rest too.
  static let small: [String] = {
    let folder = Project.file("Benchmarks/reference")
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return names.filter {
      $0 != "gpt2-124m" && Project.exists("Benchmarks/reference/\($0)/reference.json")
    }.sorted()
  }()

  @Test(.enabled(if: !small.isEmpty), arguments: small, Variant.all)
  func everyVariantAgrees(_ name: String, _ variant: Variant) throws {
    let reference = try ReferenceCase(folder: Project.file("Benchmarks/reference/\(name)"))
    let isSynthetic = reference.model.hasPrefix("synthetic:")
    let source = try ModelSource(isSynthetic ? reference.model : Project.file(reference.model))
    let cache = try TemporaryFolder()
    let engine = try Engine(source.open(cacheFolder: cache.path), variant: variant, threads: 2)
    let comparison = try engine.check(against: reference)
    #expect(comparison.failure == nil)
    #expect(comparison.passed && comparison.argmaxAgreed == comparison.argmaxCompared)
    #expect(comparison.argmaxCompared >= reference.prompts.reduce(0) { $0 + $1.ids.count })
  }
}
