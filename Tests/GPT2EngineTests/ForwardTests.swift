import GPT2Engine
import GPT2Kernels
import GPT2Model
import TestSupport
import Testing

@Suite struct ForwardTests {
  /// The same tokens from every variant, for at least a hundred steps.
  @Test(arguments: [Fixtures.tiny, Fixtures.ragged])
  func greedyTokensAgreeAcrossVariants(_ model: Result<Checkpoint, any Error>) throws {
    let checkpoint = try model.get()
    let prompt = Fixtures.ids(9, of: checkpoint)
    let expected = try Engine(checkpoint, variant: .oracle, threads: 1).greedy(prompt, count: 110)
    #expect(expected.count == 110 && Set(expected).count > 1)
    for variant in Variant.all {
      let found = try Engine(checkpoint, variant: variant, threads: 2).greedy(prompt, count: 110)
      #expect(found == expected, "\(variant.name) on \(checkpoint.name)")
    }
  }

  @Test(arguments: Variant.all)
  func onePassIsTheSameAsSteps(_ variant: Variant) throws {
    for model in [Fixtures.tiny, Fixtures.ragged] {
      let checkpoint = try model.get()
      let engine = try Engine(checkpoint, variant: variant, threads: 2)
      let ids = Fixtures.ids(40, of: checkpoint)
      let onePass = try engine.logitsThrough(ids)
      #expect(onePass.count == 40)
      // Token by token, and a few at a time.
      for block in [1, 7] {
        let sequence = try engine.makeSequence()
        for first in stride(from: 0, to: 40, by: block) {
          let end = min(first + block, 40)
          try sequence.append(Array(ids[first..<end]))
          let logits = try engine.rows([sequence])[0]
          #expect(firstBitDifference(logits, onePass[end - 1]) == nil)
        }
      }
    }
  }

  /// What the cache keeps is what would have been computed again.
  @Test func cachedStepsAreRecomputedOnesBitForBit() throws {
    let threaded = try #require(Variant.named("threaded"))
    let cached = try #require(Variant.named("kv-cache"))
    for model in [Fixtures.tiny, Fixtures.ragged] {
      let checkpoint = try model.get()
      let (one, two) = (
        try Engine(checkpoint, variant: threaded, threads: 2),
        try Engine(checkpoint, variant: cached, threads: 2)
      )
      let (left, right) = (try one.makeSequence(), try two.makeSequence())
      for (index, id) in Fixtures.ids(60, of: checkpoint).enumerated() {
        try left.append([id])
        try right.append([id])
        // Now and then several tokens come before the next step.
        if index % 13 == 5 { continue }
        #expect(firstBitDifference(try one.rows([left])[0], try two.rows([right])[0]) == nil)
      }
    }
  }

  @Test(arguments: Variant.all.filter(\.isThreaded))
  func threadsChangeNoBit(_ variant: Variant) throws {
    let checkpoint = try Fixtures.ragged.get()
    let ids = Fixtures.ids(30, of: checkpoint)
    let expected = try Engine(checkpoint, variant: variant, threads: 1).logitsThrough(ids)
    for threads in [2, 3, 5] {
      let engine = try Engine(checkpoint, variant: variant, threads: threads)
      #expect(engine.threads == threads)
      for (found, row) in zip(try engine.logitsThrough(ids), expected) {
        #expect(firstBitDifference(found, row) == nil)
      }
    }
  }

  @Test(arguments: Variant.all)
  func theWholeContextCanBeUsed(_ variant: Variant) throws {
    let checkpoint = try Fixtures.small.get()
    let engine = try Engine(checkpoint, variant: variant, threads: 2)
    let ids = Fixtures.ids(12, of: checkpoint)
    let whole = try engine.logitsThrough(ids)
    #expect(whole.count == 12 && whole.joined().allSatisfy { $0.isFinite })
    // A position's logits do not depend on what comes after it.
    for count in 1...12 {
      #expect(firstBitDifference(try engine.logits(after: Array(ids[..<count])), whole[count - 1]) == nil)
    }
  }

  @Test(arguments: Variant.all)
  func aResetSequenceIsANewOne(_ variant: Variant) throws {
    let checkpoint = try Fixtures.small.get()
    let engine = try Engine(checkpoint, variant: variant, threads: 1)
    let sequence = try engine.makeSequence()
    try sequence.append([1, 2, 3, 4, 5, 6])
    _ = try engine.step([sequence])
    sequence.reset()
    #expect(sequence.tokens.isEmpty && sequence.room == 12)
    try sequence.append([7, 8])
    #expect(firstBitDifference(try engine.rows([sequence])[0], try engine.logits(after: [7, 8])) == nil)
  }

  /// The logits' own matrix is used where there is one.
  @Test(arguments: Variant.all)
  func untiedLogitsComeFromTheirOwnMatrix(_ variant: Variant) throws {
    let untied = try Checkpoint(
      inMemory: Configuration(
        layers: 2, heads: 2, channels: 10, vocabulary: 23, context: 12, tiesEmbeddings: false), name: "untied"
    )
    let found = try Engine(untied, variant: variant, threads: 1).logits(after: [3, 1, 4])
    let tied = try Engine(Fixtures.small.get(), variant: variant, threads: 1).logits(after: [3, 1, 4])
    let oracle = try Engine(untied, variant: .oracle, threads: 1).logits(after: [3, 1, 4])
    #expect(zip(found, oracle).allSatisfy { abs($0 - $1) < 1e-6 })
    #expect(zip(found, tied).contains { abs($0 - $1) > 1e-3 })
  }
}
