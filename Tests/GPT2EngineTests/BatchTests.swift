import GPT2Engine
import GPT2Kernels
import TestSupport
import Testing

/// Sequences that share a step get what each would get alone, bit for bit.
@Suite struct BatchTests {
  @Test(arguments: Variant.all)
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
      #expect(rows.count == members.count)
      for (member, row) in zip(members, rows) {
        let alone = try engine.logits(after: sequences[member].tokens)
        #expect(firstBitDifference(row, alone) == nil, "step \(number), sequence \(member)")
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
      for row in rows { #expect(firstBitDifference(row, rows[0]) == nil) }
    }
  }

  @Test(arguments: Variant.all)
  func anEmptyBatchHasNoRows(_ variant: Variant) throws {
    let engine = try Engine(Fixtures.small.get(), variant: variant, threads: 2)
    #expect(try engine.step([]).rows == 0)
  }
}
