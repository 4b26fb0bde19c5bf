import GPT2Kernels
import Record
import Reporting
import TestSupport
import Testing

@testable import gpt2_bench

struct OperationShapeTests {
  private func names(_ words: String...) throws -> [String] {
    try Ops.shapes(Arguments(words, of: Ops.description), Project()).map(\.name)
  }

  @Test func nothingSaidIsEveryOperationAtGPT2sSizes() throws {
    try expectEqual(
      names(),
      [
        "embedding 1x768 of 50257", "embedding 64x768 of 50257", "layernorm 1x768", "layernorm 64x768",
        "attention 1x12x64 @ d512", "attention 64x12x64 @ d512", "softmax 1x12 @ d512",
        "softmax 64x12 @ d512",
        "gelu 1x3072", "gelu 64x3072", "sampling 50257 greedy", "sampling 50257 temperature",
        "sampling 50257 top-k", "sampling 50257 top-p",
      ])
  }

  @Test func sizesComeFromTheModel() throws {
    try expectEqual(
      names("--model", "synthetic:gpt2-medium", "--ops", "gelu,attention", "--rows", "8", "-d", "0,100"),
      ["attention 8x16x64 @ d0", "attention 8x16x64 @ d100", "gelu 8x4096"])
  }

  /// A short context takes the defaults down with it.
  @Test func defaultsFitTheContext() throws {
    let tiny = try names("--model", "synthetic:1,2,8,16,32", "--ops", "layernorm,softmax")
    expectEqual(tiny, ["layernorm 1x8", "layernorm 32x8", "softmax 1x2 @ d0", "softmax 32x2 @ d0"])
  }

  @Test func whatIsNoOperationNamesThoseThereAre() throws {
    let error = #expect(throws: UsageError.self) { try names("--ops", "gelu,norm") }
    expectEqual(
      error?.description,
      "--ops: found 'norm', expected one of embedding, layernorm, attention, softmax, gelu, sampling, or all"
    )
    #expect(throws: UsageError.self) { try names("--ops", "gelu,") }
  }

  @Test func positionsBeyondTheContextAreRefused() throws {
    let deep = #expect(throws: UsageError.self) { try names("-d", "1000") }
    expectEqual(
      deep?.description,
      "-d: found '1000', expected at most 960: the context of 1024 without 64 new positions")
    try expectEqual(names("-d", "1000", "--rows", "24", "--ops", "softmax"), ["softmax 24x12 @ d1000"])
    let wide = #expect(throws: UsageError.self) { try names("--rows", "1025") }
    expectEqual(wide?.description, "--rows: found '1025', expected a whole number from 1 to 1024")
  }

  /// FLOPs, bytes, and bytes that come from memory.
  private func work(_ shape: OperationShape, _ weights: WeightPrecision = .f32) -> [Double?] {
    let work = OperationCells.make(shape).work(.cache, weights, .f32)
    return [work.flops, work.bytes, work.streamed]
  }

  /// By hand: 64 rows of 768 are 49,152 values, eight operations and eight bytes each; the vectors are 8 · 768 bytes.
  @Test func theWorkOfALayerNormAndOfAChoice() {
    expectEqual(work(.layerNorm(rows: 64, channels: 768)), [393_216, 399_360, 6144])
    expectEqual(work(.sampling(vocabulary: 100, choice: .topP)), [0, 400, 0])
  }

  /// One query after 512 positions: 513 pairs in each of 768 channels, four operations each; 2 · 768 · 512 floats that
  /// lay in the cache, and 4 · 768 that were just written or will be. Two queries after 3: 4 and 5 scores a head.
  @Test func theWorkOfAttention() {
    let attention = OperationShape.attention(rows: 1, heads: 12, headSize: 64, depth: 512)
    expectEqual(work(attention), [1_575_936, 3_158_016, 3_145_728])
    expectEqual(work(.softmax(rows: 2, heads: 12, depth: 3)), [540, 864, 0])
  }

  @Test func theWorkOfTheOthers() {
    expectEqual(work(.gelu(rows: 2, channels: 10)), [180, 160, 0])
    let embedding = OperationShape.embedding(rows: 2, channels: 10, vocabulary: 5)
    expectEqual(work(embedding), [20, 240, 160])
    // Two tokens' vectors of bfloat16, or a block of 34 bytes each, and two positions' of floats.
    expectEqual(work(embedding, .bf16), [20, 200, 120])
    expectEqual(work(embedding, .int8), [20, 228, 148])
  }
}

struct MatmulShapeTests {
  @Test func rowsAreOneAndSixtyFourWhereNoneAreGiven() throws {
    try expectEqual(
      Matmul.shapes("768x3072"),
      [.matmul(m: 1, k: 768, n: 3072), .matmul(m: 64, k: 768, n: 3072)])
  }

  @Test func threeSizesAreRowsInputsOutputs() throws {
    try expectEqual(Matmul.shapes("64x768x3072"), [.matmul(m: 64, k: 768, n: 3072)])
    try expectEqual(Matmul.shapes("64x768x3072").map(\.name), ["64x768x3072"])
    try expectEqual(
      Matmul.shapes("1x1"),
      [
        .matmul(m: 1, k: 1, n: 1), .matmul(m: 64, k: 1, n: 1),
      ])
  }

  @Test func repeatsAreDropped() throws {
    try expectEqual(
      Matmul.shapes("64x7x9,7x9,1x7x9,3x7x9").map(\.name), ["64x7x9", "1x7x9", "3x7x9"])
  }

  @Test(
    arguments: [
      "768x", "x", "0x5", "5x0", "-1x5", "axb", "a x b", "7 x 9", "", "768", "1x2x3x4", "7X9", "1.5x2",
      "7x9,",
      "1048577x1", "9223372036854775808x1", "7x9,768x",
    ])
  func malformedSizesNameThemselves(_ text: String) throws {
    let part = text.split(separator: ",", omittingEmptySubsequences: false).last ?? ""
    let error = try #require(throws: UsageError.self) { try Matmul.shapes(text) }
    expectEqual(
      error.description,
      "--size: found '\(part)', expected [Mx]KxN with sizes from 1 to 1048576, for example 768x3072 or "
        + "64x768x3072")
  }
}
