import GPT2Kernels
import GPT2Model
import Record
import Reporting
import TestSupport
import Testing

@testable import gpt2_bench

struct PlanTests {
  private let configuration: Configuration

  init() throws {
    configuration = try Configuration(layers: 2, heads: 4, channels: 64, vocabulary: 512, context: 128)
  }

  private var cells: GenerationCells {
    GenerationCells(
      configuration: configuration, prompts: Prompts(vocabulary: 512, tokenizer: nil, seed: 1))
  }

  @Test func contestantsMultiplyByThreadsWhereThreadsMatter() throws {
    let variants = try ["naive", "threaded", "kv-cache"].map { try #require(Variant.named($0)) }
    let plans = Contestant.all(variants, threads: [1, 2])
    expectEqual(plans.map(\.name), ["naive", "threaded t1", "threaded t2", "kv-cache t1", "kv-cache t2"])
    expectEqual(plans.map(\.threads), [1, 1, 2, 1, 2])
  }

  @Test func everyVariantOfTheLadderIsAContestantOnce() {
    let plans = Contestant.all(Variant.all, threads: [2])
    expectEqual(plans.map(\.label), Variant.all.map(\.name))
  }

  @Test func aPrefillCellAsksForOneToken() throws {
    let cell = try cells.make(.prefill(tokens: 16, batch: 3))
    let generation = try #require(cell.request.generation)
    expectEqual(generation.prompts.map(\.count), [16, 16, 16])
    expectEqual(generation.tokens, 1)
    expectNil(generation.text)
    let warmup = try #require(cell.warmup?.generation)
    expectEqual(warmup.prompts, generation.prompts.map { Array($0.prefix(8)) })
  }

  @Test func theContextIsTheLimitAndTheLastTokenIsFree() throws {
    for test in [
      CellTest.prefill(tokens: 128, batch: 1), .decode(tokens: 65, depth: 64, batch: 1),
      .decode(tokens: 128, depth: 1, batch: 2),
    ] {
      #expect(throws: Never.self) { try cells.make(test) }
    }
    for (test, found) in [
      (CellTest.prefill(tokens: 129, batch: 1), "pp129: found '129 + 1 tokens'"),
      (.decode(tokens: 66, depth: 64, batch: 1), "tg66 @ d64: found '64 + 66 tokens'"),
      (.decode(tokens: .max, depth: 1, batch: 1), "tg\(Int.max) @ d1: found '1 + \(Int.max) tokens'"),
      (.prefill(tokens: .max, batch: 1), "pp\(Int.max): found '\(Int.max) + 1 tokens'"),
    ] {
      let error = try #require(throws: UsageError.self) { try cells.make(test) }
      expectEqual(
        error.description,
        found + ", expected at most 129: the model's context, and a last token that is never an input")
    }
  }

  @Test func aMatrixProductIsNoGeneration() {
    #expect(throws: UsageError.self) { try cells.make(.operation(.matmul(m: 1, k: 2, n: 3))) }
  }

  /// Two steps at positions 4 and 5 on average, counted by hand: 12 C² multiply-adds a row and layer, attention
  /// 2 · 2 · C for each pair of positions, and the vocabulary's row.
  @Test func decodingWorkIsTheMeanOfItsSteps() throws {
    let cell = try cells.make(.decode(tokens: 3, depth: 4, batch: 1))
    func cached(_ position: Double) -> Double {
      let layer: Double = 2 * 12 * 64 * 64 + 4 * 64 * (position + 1)
      let logits: Double = 2 * 512 * 64
      return 2 * layer + logits
    }
    let expected: Double = (cached(4) + cached(5)) / 2
    expectEqual(cell.work(.cache, .f32, .f32).flops, expected)
    let steps = try [5, 6].map { try cells.make(.prefill(tokens: $0, batch: 1)).work(.cache, .f32, .f32) }
    let again = cell.work(.recompute, .f32, .f32)
    #expect(again.flops == (steps[0].flops + steps[1].flops) / 2)
    #expect(again.bytes == (steps[0].bytes + steps[1].bytes) / 2)
    #expect(cell.work(.recompute, .f32, .f32).flops > 3 * cell.work(.cache, .f32, .f32).flops)
  }

  @Test func aBatchSharesTheWeights() throws {
    let one = try cells.make(.decode(tokens: 3, depth: 4, batch: 1)).work(.cache, .f32, .f32)
    let four = try cells.make(.decode(tokens: 3, depth: 4, batch: 4)).work(.cache, .f32, .f32)
    expectEqual(four.flops, 4 * one.flops)
    #expect(four.bytes > one.bytes)
    #expect(four.bytes < 2 * one.bytes)
  }

  @Test func theWarmUpIsCheaperThanTheTest() throws {
    let long = try cells.make(.decode(tokens: 32, depth: 64, batch: 1)).arithmetic(.recompute)
    #expect(long.whole > 10 * long.warmup)
    let short = try cells.make(.prefill(tokens: 4, batch: 1)).arithmetic(.cache)
    expectEqual(short.whole, short.warmup)
  }

  /// 2 sequences of 5 + 3 positions: 10 rows of 64 channels each, the cache's 2 layers of keys and values, 512 logits.
  @Test func memoryGrowsWithPositionsBatchAndCache() {
    let decode = CellTest.decode(tokens: 3, depth: 5, batch: 2)
    let prefill = CellTest.prefill(tokens: 8, batch: 1)
    let (rows, cache): (Double, Double) = (8 * 640 + 512, 8 * 256)
    expectEqual(decode.bytes(of: configuration, isCached: false), 8 * rows)
    expectEqual(decode.bytes(of: configuration, isCached: true), 8 * (rows + cache))
    expectEqual(prefill.bytes(of: configuration, isCached: false), 4 * rows)
  }

  @Test func whatNoMachineHasIsRefused() throws {
    #expect(throws: Never.self) { try MemoryLimit.check(1, for: "a byte needs") }
    let error = try #require(throws: RunError.self) { try MemoryLimit.check(0x1p80, for: "the tests need") }
    #expect(
      error.description.hasPrefix(
        "the tests need 1000000000000000 MiB, expected at most half of this machine's "))
  }

  @Test func aMatmulCellCountsMultiplyAddsAndOperands() {
    let cell = OperationCells.make(.matmul(m: 3, k: 5, n: 7))
    expectEqual(cell.test, .operation(.matmul(m: 3, k: 5, n: 7)))
    expectEqual(cell.work(.cache, .f32, .f32).flops, Linear.flops(m: 3, n: 7, k: 5))
    let operands = 3 * 5 + 5 * 7 + 3 * 7
    #expect(Int(cell.work(.cache, .f32, .f32).flops) >= 2 * 3 * 5 * 7)
    #expect(Int(cell.work(.cache, .f32, .f32).bytes) >= 4 * operands)
    expectEqual(cell.request.operation, OperationShape.matmul(m: 3, k: 5, n: 7))
    // Of 5 inputs a block of 32 is stored whole.
    let narrowBytes: Int = 4 * (3 * 5 + 3 * 7) + 7 * 34
    expectEqual(cell.work(.cache, .int8, .f32).bytes, Double(narrowBytes))
    expectEqual(cell.work(.cache, .int8, .f32).flops, cell.work(.cache, .f32, .f32).flops)
  }

  /// Float32 where it says nothing, and no bytes where the name is not known.
  @Test func anotherProgramHasTheBytesOfTheWeightsThatItNames() throws {
    let cell = try cells.make(.decode(tokens: 3, depth: 4, batch: 1))
    let known: [(String?, WeightPrecision)] = [
      (nil, .f32), ("f32", .f32), ("f16", .bf16), ("q8_0", .int8), ("q4_0", .int4), ("int8", .int8),
    ]
    func work(_ weights: String?) -> (flops: Double, bytes: Double?) {
      LoadAnswer(
        loadNanoseconds: nil, wasCold: nil, threads: 1, weights: weights, version: nil, baselineBytes: nil,
        decoding: nil
      ).work(of: cell, .cache)
    }
    for (name, precision) in known { expectEqual(work(name).bytes, cell.work(.cache, precision, .f32).bytes) }
    expectNil(work("q5_K").bytes)
    expectEqual(work("q5_K").flops, work(nil).flops)
  }

  @Test func aRowHasTheBytesOfItsCache() throws {
    let cell = try cells.make(.decode(tokens: 3, depth: 4, batch: 1))
    let (wide, narrow) = try (
      cell.row(of: Contestant(kind: .variant(#require(Variant.named("packed"))), threads: 1)),
      cell.row(of: Contestant(kind: .variant(#require(Variant.named("packed+kv-bf16"))), threads: 1))
    )
    expectNil(wide.cache)
    expectEqual(narrow.cache, "bf16")
    expectEqual(narrow.weights, "f32")
    expectEqual(narrow.variant, "packed+kv-bf16")
    expectEqual(narrow.flops, wide.flops)
    try expectEqual(#require(wide.cacheBytes), 2 * #require(narrow.cacheBytes))
    #expect(try #require(wide.bytes) > #require(narrow.bytes))
    expectEqual(narrow.bytes, cell.work(.cache, .f32, .bf16).bytes)
  }

  @Test func aRowHasTheBytesOfItsWeights() throws {
    let cell = try cells.make(.decode(tokens: 3, depth: 4, batch: 1))
    let rows = try ["packed", "bf16", "int8", "int4"].map { name in
      cell.row(of: Contestant(kind: .variant(try #require(Variant.named(name))), threads: 1))
    }
    let bytes = rows.compactMap(\.bytes)
    #expect(zip(bytes, bytes.dropFirst()).allSatisfy { $0 > 1.5 * $1 })
    expectEqual(Set(rows.map(\.flops)).count, 1)
  }
}

struct PromptsTests {
  @Test func promptsAreTheSameForTheSameSeed() throws {
    func make(_ seed: UInt64) throws -> [[Int]] {
      try Prompts(vocabulary: 97, tokenizer: nil, seed: seed).make(tokens: 200, batch: 3).prompts
    }
    let prompts = try make(1)
    try expectEqual(make(1), prompts)
    #expect(try make(7) != prompts)
    expectEqual(prompts.map(\.count), [200, 200, 200])
    expectEqual(Set(prompts).count, 3)
    #expect(prompts.allSatisfy { $0.allSatisfy((0..<97).contains) })
    #expect(Set(prompts.joined()).count > 80)
  }

  @Test func aShorterPromptIsTheBeginningOfALonger() throws {
    let prompts = Prompts(vocabulary: 97, tokenizer: nil, seed: 1)
    try expectEqual(
      prompts.make(tokens: 5, batch: 1).prompts[0],
      Array(try prompts.make(tokens: 9, batch: 1).prompts[0].prefix(5)))
  }

  @Test(arguments: [1, 2, 8, 17, 64, 200, 256])
  func aTextPromptHasJustSoManyTokens(_ tokens: Int) throws {
    let tokenizer = try Tokenizer(folder: Sandbox.project + "/weights/tiny")
    let prompts = Prompts(vocabulary: 1024, tokenizer: tokenizer, seed: 1)
    let (ids, text) = try prompts.make(tokens: tokens, batch: 1)
    expectEqual(ids.map(\.count), [tokens])
    try expectEqual(prompts.make(tokens: tokens, batch: 1).prompts, ids)
    if let text { try expectEqual(tokenizer.encode(text), ids[0]) }
  }

  @Test func mostLengthsAreText() throws {
    let tokenizer = try Tokenizer(folder: Sandbox.project + "/weights/tiny")
    let prompts = Prompts(vocabulary: 1024, tokenizer: tokenizer, seed: 1)
    let texts = try (1...64).compactMap { try prompts.make(tokens: $0, batch: 1).text }
    #expect(texts.count > 32)
    try expectNil(prompts.make(tokens: 8, batch: 2).text)
  }
}
