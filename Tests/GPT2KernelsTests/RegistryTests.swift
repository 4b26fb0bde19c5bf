import GPT2Kernels
import Testing

@Suite struct RegistryTests {
  @Test func theLadderStartsWithTheOracleAndHasTheMissionsRungs() {
    let names = Variant.all.map(\.name)
    #expect(
      Array(names.prefix(7)) == ["naive", "unrolled8", "tiled", "simd8", "threaded", "kv-cache", "packed"])
    #expect(Set(names).count == names.count)
    #expect(Variant.oracle.name == "naive")
  }

  @Test(arguments: Variant.all)
  func isFoundByItsNameAndUsesTheThreadsItSays(_ variant: Variant) {
    #expect(Variant.named(variant.name)?.name == variant.name)
    #expect(!variant.summary.isEmpty && !variant.summary.contains("\n"))
    #expect(variant.threads(of: 3) == (variant.isThreaded ? 3 : 1))
    #expect(variant.threads(of: 0) == 1 && variant.threads(of: -5) == 1)
  }

  /// `blas` is one library on this machine and another or none on the next.
  @Test func whatRunsUnaskedIsTheSameEverywhere() {
    #expect(Variant.preferred.name == "packed" && Variant.preferred.weights == "f32")
    #expect(Variant.all.contains { $0.name == Variant.preferred.name })
    #expect(!Variant.lookedUp.contains { $0.name == Variant.preferred.name })
  }

  @Test func unknownNamesAreNotFound() {
    #expect(Variant.named("") == nil)
    #expect(Variant.named("Naive") == nil)
  }
}
