import GPT2Engine
import GPT2Kernels
import GPT2Model
import TestSupport
import Testing

struct ForwardTests {
  /// The same tokens from every variant in float32, for at least a hundred steps.
  @Test(arguments: [Fixtures.tiny, Fixtures.ragged])
  func greedyTokensAgreeAcrossVariants(_ model: Result<Checkpoint, any Error>) throws {
    let checkpoint = try model.get()
    let prompt = Fixtures.ids(9, of: checkpoint)
    let expected = try Engine(checkpoint, variant: .oracle, threads: 1).greedy(prompt, count: 110)
    #expect(expected.count == 110 && Set(expected).count > 1)
    for variant in Variant.exact {
      let found = try Engine(checkpoint, variant: variant, threads: 2).greedy(prompt, count: 110)
      expectEqual(found, expected, "\(variant.name) on \(checkpoint.name)")
    }
  }

  @Test(arguments: Variant.all)
  func onePassIsTheSameAsSteps(_ variant: Variant) throws {
    for model in [Fixtures.tiny, Fixtures.ragged] {
      let checkpoint = try model.get()
      let engine = try Engine(checkpoint, variant: variant, threads: 2)
      let ids = Fixtures.ids(40, of: checkpoint)
      let onePass = try engine.logitsThrough(ids)
      expectEqual(onePass.count, 40)
      // Token by token, and a few at a time.
      for block in [1, 7] {
        let sequence = try engine.makeSequence()
        for first in stride(from: 0, to: 40, by: block) {
          let end = min(first + block, 40)
          try sequence.append(Array(ids[first..<end]))
          let logits = try engine.rows([sequence])[0]
          expectNil(firstBitDifference(logits, onePass[end - 1]))
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
        expectNil(firstBitDifference(try one.rows([left])[0], try two.rows([right])[0]))
      }
    }
  }

  @Test(arguments: Variant.all.filter(\.isThreaded) + Variant.withNarrowCache)
  func threadsChangeNoBit(_ variant: Variant) throws {
    let checkpoint = try Fixtures.ragged.get()
    let ids = Fixtures.ids(30, of: checkpoint)
    let expected = try Engine(checkpoint, variant: variant, threads: 1).logitsThrough(ids)
    for threads in [2, 3, 5] {
      let engine = try Engine(checkpoint, variant: variant, threads: threads)
      expectEqual(engine.threads, threads)
      for (found, row) in zip(try engine.logitsThrough(ids), expected) {
        expectNil(firstBitDifference(found, row))
      }
    }
  }

  @Test(arguments: Variant.all + Variant.withNarrowCache)
  func theWholeContextCanBeUsed(_ variant: Variant) throws {
    let checkpoint = try Fixtures.small.get()
    let engine = try Engine(checkpoint, variant: variant, threads: 2)
    let ids = Fixtures.ids(12, of: checkpoint)
    let whole = try engine.logitsThrough(ids)
    #expect(whole.count == 12 && whole.joined().allSatisfy { $0.isFinite })
    // A position's logits do not depend on what comes after it.
    for count in 1...12 {
      expectNil(firstBitDifference(try engine.logits(after: Array(ids[..<count])), whole[count - 1]))
    }
  }

  @Test(arguments: Variant.all + Variant.withNarrowCache)
  func aResetSequenceIsANewOne(_ variant: Variant) throws {
    let checkpoint = try Fixtures.small.get()
    let engine = try Engine(checkpoint, variant: variant, threads: 1)
    let sequence = try engine.makeSequence()
    try sequence.append([1, 2, 3, 4, 5, 6])
    _ = try engine.step([sequence])
    sequence.reset()
    #expect(sequence.tokens.isEmpty && sequence.room == 12)
    try sequence.append([7, 8])
    expectNil(firstBitDifference(try engine.rows([sequence])[0], try engine.logits(after: [7, 8])))
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
    let (error, difference) = (largestDifference(found, oracle), largestDifference(found, tied))
    #expect(!variant.isExact || error < 1e-6)
    #expect(difference > 1e-3 && error < difference / 4, "\(error), \(difference)")
  }
}

private func largestDifference(_ a: [Float], _ b: [Float]) -> Float {
  zip(a, b).reduce(0) { max($0, abs($1.0 - $1.1)) }
}

/// Sequences that share a step get what each would get alone, bit for bit.
struct BatchTests {
  @Test(arguments: Variant.all + Variant.withNarrowCache)
  func sequencesJoinAndLeave(_ variant: Variant) throws {
    let checkpoint = try Fixtures.ragged.get()
    let engine = try Engine(checkpoint, variant: variant, threads: 2)
    let lengths = [5, 1, 12, 3, 8]
    let prompts = lengths.enumerated().map { Fixtures.ids($1, of: checkpoint, seed: UInt64($0 + 7)) }
    let sequences = try prompts.map { prompt in
      let sequence = try engine.makeSequence()
      try sequence.append(prompt)
      return sequence
    }
    // Who takes part in which step: they come one after the other, in changing order, and go.
    let steps = [[0], [1, 0], [0, 2, 1], [4, 1, 3, 2, 0], [2, 4, 3], [3, 4], [1, 4]]
    for (number, members) in steps.enumerated() {
      let rows = try engine.rows(members.map { sequences[$0] })
      expectEqual(rows.count, members.count)
      for (member, row) in zip(members, rows) {
        let alone = try engine.logits(after: sequences[member].tokens)
        expectNil(firstBitDifference(row, alone), "step \(number), sequence \(member)")
      }
      for member in members { try sequences[member].append(Fixtures.ids(1 + number % 3, of: checkpoint)) }
    }
  }

  @Test(arguments: Variant.all)
  func equalSequencesGetEqualRows(_ variant: Variant) throws {
    let checkpoint = try Fixtures.small.get()
    let engine = try Engine(checkpoint, variant: variant, threads: 2)
    let sequences = try (0..<9).map { _ in try engine.makeSequence() }
    for round in 0..<4 {
      for sequence in sequences { try sequence.append([round + 1, round + 5]) }
      let rows = try engine.rows(sequences)
      for row in rows { expectNil(firstBitDifference(row, rows[0])) }
    }
  }

  @Test(arguments: Variant.all)
  func anEmptyBatchHasNoRows(_ variant: Variant) throws {
    let engine = try Engine(Fixtures.small.get(), variant: variant, threads: 2)
    try expectEqual(engine.step([]).rows, 0)
  }
}

/// A sequence that was cut goes on as if what was cut off had never been there.
struct TruncationTests {
  @Test(arguments: Variant.all + Variant.withNarrowCache) func aCutSequenceGoesOnAsBefore(variant: Variant)
    throws
  {
    let model = try Fixtures.ragged.get()
    let engine = try Engine(model, variant: variant, threads: 2)
    let ids = Fixtures.ids(40, of: model)
    let straight = try engine.makeSequence()
    try straight.append(Array(ids[..<17]))
    _ = try engine.step([straight])
    try straight.append([5])
    let expected = try engine.rows([straight])[0]

    let cut = try engine.makeSequence()
    try cut.append(ids)
    _ = try engine.step([cut])
    cut.truncate(to: 17)
    expectEqual(cut.tokens, Array(ids[..<17]))
    try cut.append([5])
    let found = try engine.rows([cut])[0]
    for (a, b) in zip(found, expected) { #expect(abs(a - b) <= 1e-4 * max(1, abs(b))) }
    cut.truncate(to: 0)
    #expect(cut.tokens.isEmpty && cut.room == model.configuration.context)
  }
}
