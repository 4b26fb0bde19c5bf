import Foundation
import GPT2Model
import TestSupport
import Testing

@testable import GPT2Engine
@testable import GPT2Kernels

/// What judges weights of fewer bits, by logits that are known.
struct QualityLimitTests {
  private static let limits = QualityLimits(.int8)

  private func divergence(_ reference: [Float], _ logits: [Float]) -> Double {
    reference.withUnsafeBufferPointer { p in
      logits.withUnsafeBufferPointer { GPT2Engine.divergence(from: p, of: $0) }
    }
  }

  @Test func theDivergenceOfKnownDistributions() {
    // Of ½, ½ from ¼, ¾: ½ log 2 + ½ log ⅔.
    #expect(abs(divergence([0, 0], [0, Float(log(3.0))]) - 0.5 * log(4.0 / 3)) < 1e-7)
    // The other way round it is another: ¼ log ½ + ¾ log 3⁄2.
    #expect(abs(divergence([0, Float(log(3.0))], [0, 0]) - (0.25 * log(0.5) + 0.75 * log(1.5))) < 1e-7)
    let many = [Float](repeating: 1, count: 50_257)
    expectEqual(divergence(many, many), 0)
    #expect(abs(divergence([1, 2, 3], [1001, 1002, 1003])) < 1e-12)
    // All of one token, of which the other says 1 ÷ (1 + e⁹⁰⁰): nothing overflows.
    #expect(abs(divergence([1000, 0], [0, 900]) - 900) < 1e-9)
    expectEqual(divergence([3e38, -3e38], [3e38, -3e38]), 0)
  }

  /// Positions of two tokens, both as likely as each other by the reference, and logits that give one of them `share`.
  private func compare(share: Double, limits: QualityLimits?, decodedShare: Double = 0.5) -> LogitComparison {
    let prompt = ReferenceCase.Prompt(
      name: "p0", ids: [1, 1], positions: [0, 1], logits: NPY(rows: 2, columns: 2, values: [10, 10, 10, 10]),
      argmax: [0, 0], top: [[], []], topLogits: [[], []], largestLogit: 10, greedy: [])
    let half = Float(log(share / (1 - share)) / 2)
    var comparison = LogitComparison(limits: limits)
    for position in 0..<2 {
      [10 + half, 10 - half].withUnsafeBufferPointer {
        comparison.compare(
          $0, with: prompt, position: position, tolerance: Tolerance(absolute: 1, nmse: 1))
      }
    }
    // Decoded once more, which must not count beside the two.
    let decodedHalf = Float(log(decodedShare / (1 - decodedShare)) / 2)
    [10 + decodedHalf, 10 - decodedHalf].withUnsafeBufferPointer {
      comparison.compare(
        $0, with: prompt, position: 1, tolerance: Tolerance(absolute: 1, nmse: 1), isDecoded: true)
    }
    comparison.finish()
    return comparison
  }

  @Test(arguments: [WeightPrecision.bf16, .int8, .int4])
  func theLimitOfTheDivergenceIsSharp(_ precision: WeightPrecision) throws {
    let limits = try #require(QualityLimits(precision))
    /// Of ½, ½ from a, 1 − a it is −½ log 4a(1 − a).
    func share(_ divergence: Double) -> Double { (1 + (1 - exp(-2 * divergence)).squareRoot()) / 2 }
    let below = compare(share: share(0.98 * limits.kl), limits: limits)
    #expect(below.failure == nil && below.passed)
    #expect(abs((below.result.kl ?? 0) / limits.kl - 0.98) < 1e-3)
    expectEqual(below.result.top1, 1)
    expectEqual(below.result.tolerance, 0)
    expectNil(below.result.deltaPerplexity)
    let above = compare(share: share(1.02 * limits.kl), limits: limits)
    #expect(!above.passed)
    expectEqual(
      above.failure,
      String(format: "mean KL divergence is %.1e nats, allowed %.1e", 1.02 * limits.kl, limits.kl)
    )
    #expect(above.result.kl != nil)
    let decoded = compare(
      share: share(0.98 * limits.kl), limits: limits, decodedShare: share(1.02 * limits.kl))
    expectEqual(decoded.failure?.hasPrefix("mean KL divergence decoded from the cache is "), true)
    expectEqual(decoded.result.kl, below.result.kl)
  }

  @Test func float32HasNoFiguresOfQuality() {
    expectNil(QualityLimits(.f32))
    expectNil(QualityLimits(of: .preferred))
    let result = compare(share: 0.5, limits: nil).result
    #expect(result.passed && result.kl == nil && result.top1 == nil && result.tolerance == 1)
  }

  /// A cache of bfloat16 has the limits of such weights, where the weights are no narrower.
  @Test func theNarrowerOfWeightsAndCacheIsJudged() throws {
    let expected: [(String, WeightPrecision)] = [
      ("packed+kv-bf16", .bf16), ("bf16+kv-bf16", .bf16), ("int8+kv-bf16", .int8), ("int4", .int4),
    ]
    for (name, precision) in expected {
      expectEqual(QualityLimits(of: try #require(Variant.named(name))), QualityLimits(precision), "\(name)")
    }
  }

  /// Positions of which only the largest logit is known; at the first `agreed` of them it is the one.
  private func compare(agreed: Int, of count: Int, judgesTop1: Bool = true) -> LogitComparison {
    let prompt = ReferenceCase.Prompt(
      name: "p0", ids: [Int](repeating: 1, count: count), positions: [],
      logits: NPY(rows: 0, columns: 2, values: []), argmax: [Int](repeating: 0, count: count),
      top: Array(repeating: [], count: count), topLogits: Array(repeating: [], count: count),
      largestLogit: 1, greedy: [])
    var comparison = LogitComparison(limits: Self.limits, judgesTop1: judgesTop1)
    for position in 0..<count {
      (position < agreed ? [Float(1), 0] : [0, 1]).withUnsafeBufferPointer {
        comparison.compare(
          $0, with: prompt, position: position, tolerance: Tolerance(absolute: 1, nmse: 1))
      }
    }
    comparison.finish()
    return comparison
  }

  @Test func theShareOfLargestLogitsIsJudged() {
    let just = compare(agreed: 95, of: 100)
    #expect(just.passed && just.result.top1 == 0.95 && just.result.kl == nil)
    let fewer = compare(agreed: 94, of: 100)
    expectEqual(fewer.failure, "the largest logit agrees at 94 of 100 positions, expected 95")
    expectEqual(fewer.result.top1, 0.94)
    expectEqual(fewer.result.agreed, 94)
    // A share of few is coarse: one may be another.
    #expect(compare(agreed: 9, of: 10).passed && !compare(agreed: 8, of: 10).passed)
  }

  @Test func ofRandomWeightsItIsNotJudged() {
    let random = compare(agreed: 50, of: 100, judgesTop1: false)
    #expect(random.passed && random.result.top1 == nil && random.result.agreed == 50)
  }

  /// Random logits near zero, of which half are off upwards and half downwards: the flat distribution hardly changes.
  @Test func theMeanErrorIsJudgedToo() throws {
    let limits = try #require(Self.limits)
    var random = RandomStream(seed: 3)
    let reference = random.floats(500).map { $0 * 1e-3 }
    let prompt = ReferenceCase.Prompt(
      name: "p0", ids: [1], positions: [0], logits: NPY(rows: 1, columns: 500, values: reference),
      argmax: [0], top: [[]], topLogits: [[]], largestLogit: 1, greedy: [])
    func compare(_ error: Double) -> LogitComparison {
      var comparison = LogitComparison(limits: limits, judgesTop1: false)
      let logits = reference.enumerated().map { $1 * Float(1 + ($0 % 2 == 0 ? error : -error)) }
      logits.withUnsafeBufferPointer {
        comparison.compare(
          $0, with: prompt, position: 0, tolerance: Tolerance(absolute: 1, nmse: 1))
      }
      comparison.finish()
      return comparison
    }
    #expect(compare(0.98 * limits.nmse.squareRoot()).passed)
    let above = compare(1.02 * limits.nmse.squareRoot())
    expectEqual(above.failure?.hasPrefix("normalised mean square error is "), true)
    #expect(try #require(above.result.kl) < 1e-6)
  }

  @Test(arguments: [Float.nan, .infinity])
  func whatIsNotFiniteFailsWhateverTheLimits(_ value: Float) {
    var comparison = compare(agreed: 10, of: 10)
    let prompt = ReferenceCase.Prompt(
      name: "p1", ids: [1], positions: [0], logits: NPY(rows: 1, columns: 2, values: [1, 0]), argmax: [0],
      top: [[]], topLogits: [[]], largestLogit: 1, greedy: [])
    [0, value].withUnsafeBufferPointer {
      comparison.compare(
        $0, with: prompt, position: 0, tolerance: Tolerance(absolute: 1, nmse: 1))
    }
    expectEqual(comparison.failure?.contains("expected a finite number"), true)
    #expect(!comparison.passed && comparison.result.kl == nil)
  }

  /// A worker of an older build knows nothing of quality.
  @Test func comparisonsOfFloat32AreWrittenAsEver() throws {
    let encoder = JSONEncoder()
    let plain = try encoder.encode(compare(share: 0.5, limits: nil))
    #expect(!String(decoding: plain, as: UTF8.self).contains("quality"))
    try expectNil(JSONDecoder().decode(LogitComparison.self, from: plain).result.kl)
    let judged = compare(share: 0.51, limits: Self.limits)
    let back = try JSONDecoder().decode(LogitComparison.self, from: encoder.encode(judged))
    #expect(back.result == judged.result && back.result.kl != nil)
  }

  @Test func perplexityHasALimit() {
    func check(_ own: Double?) -> CheckResult? {
      Self.limits.map { PerplexityCheck(limits: $0, perplexity: own, float32: 20).result }
    }
    expectEqual(check(20.098)?.passed, true)
    #expect(abs((check(20.098)?.deltaPerplexity ?? 0) - 0.0049) < 1e-9)
    expectEqual(check(20.104)?.failure, "the perplexity is 0.520 % above float32's, allowed 0.500 %")
    expectEqual(check(19)?.passed, true)
    expectEqual(check(nil)?.failure, "nothing was compared")
    expectEqual(check(.infinity)?.failure, "the perplexity is inf, expected a finite number")
    expectNil(check(.infinity)?.deltaPerplexity)
  }
}

/// The rungs of the ladder with weights of fewer bits, and those with a cache of fewer, are within their limits on every reference that is small enough.
struct LowPrecisionQualityTests {
  static let variants = (Variant.all + Variant.withNarrowCache).filter { !$0.isExact }

  @Test(
    .enabled(if: !CommittedReferenceTests.small.isEmpty), arguments: CommittedReferenceTests.small, variants)
  func everyRungIsWithinItsLimits(_ name: String, _ variant: Variant) throws {
    let reference = try ReferenceCase(folder: Project.file("Benchmarks/reference/\(name)"))
    let isSynthetic = reference.hasRandomWeights
    let source = try ModelSource(isSynthetic ? reference.model : Project.file(reference.model))
    let cache = try TemporaryFolder()
    let engine = try Engine(source.open(cacheFolder: cache.path), variant: variant, threads: 2)
    let found = try engine.check(against: reference).result
    expectNil(found.failure)
    #expect(try #require(found.kl) > 0 && (found.top1 == nil) == isSynthetic)
  }

  @Test(arguments: variants)
  func theTextsPerplexityIsWithinItsLimit(_ variant: Variant) throws {
    let tokenizer = try Tokenizer(folder: Project.file("weights/tiny"))
    let text = try Data(contentsOf: URL(fileURLWithPath: Project.file("Benchmarks/reference/excerpt.txt")))
    let engine = try Engine(
      Checkpoint(folder: Project.file("weights/tiny")), variant: variant, threads: 2)
    let check = try #require(try engine.checkPerplexity(of: tokenizer.encode(utf8: text)))
    #expect(check.failure == nil && check.result.passed)
  }
}

/// The trained tiny model by a kernel that loses bits, against its references.
struct RoundingKernelTests {
  private let checkpoint: Checkpoint
  private let reference: ReferenceCase

  init() throws {
    checkpoint = try Checkpoint(folder: Project.file("weights/tiny"))
    reference = try ReferenceCase(folder: Project.file("Benchmarks/reference/tiny-trained"))
  }

  private func engine(_ weights: WeightPrecision, lostBits: Int) throws -> Engine {
    try Engine(
      checkpoint,
      variant: Variant(
        name: "rounding", summary: "", decoding: .cache, weights: weights,
        makeKernel: { _ in RoundingKernel(lostBits: lostBits) }), threads: 1)
  }

  private func check(_ weights: WeightPrecision, lostBits: Int) throws -> CheckResult {
    let scope = CheckScope(longestPrompt: 17, greedySteps: 2)
    return try engine(weights, lostBits: lostBits).check(against: reference, scope: scope).result
  }

  /// Each bit that is lost makes the divergence four times as large.
  @Test func whatLosesMoreThanItsBitsIsOverItsLimit() throws {
    let fine = try check(.bf16, lostBits: 12)
    expectNil(fine.failure)
    let kl = try #require(fine.kl)
    #expect(kl > 0 && kl < 1e-4, "\(kl)")
    #expect(try #require(fine.top1) > 0.97)
    #expect(try #require(fine.maxAbsoluteError) > 1e-4 && fine.tolerance == 0)
    // Every position once, and all of these short prompts again from the cache.
    expectEqual(fine.compared, 75 + 74)
    let coarse = try check(.bf16, lostBits: 18)
    expectEqual(coarse.failure?.hasPrefix("mean KL divergence is "), true)
    #expect(try #require(coarse.kl) > 500 * kl)
    try expectNil(check(.int4, lostBits: 18).failure)
  }

  /// The same under the name of float32 fails as it always did.
  @Test func float32IsHeldToItsTolerance() throws {
    let rounded = try check(.f32, lostBits: 12)
    expectEqual(rounded.failure?.contains("a logit is off by"), true)
    expectNil(rounded.kl)
    #expect(try check(.f32, lostBits: 0).passed)
  }

  @Test func theTextsPerplexityIsHeldAgainstFloat32s() throws {
    let tokenizer = try Tokenizer(folder: Project.file("weights/tiny"))
    let text = try Data(contentsOf: URL(fileURLWithPath: Project.file("Benchmarks/reference/excerpt.txt")))
    let ids = try tokenizer.encode(utf8: text)
    let fine = try #require(try engine(.bf16, lostBits: 12).checkPerplexity(of: ids))
    #expect(fine.failure == nil && abs(fine.delta ?? 1) < 0.001)
    // As in `tiny-trained/perplexity.json`, of NumPy in float64.
    #expect(try abs(log(#require(fine.float32)) - 3.09196478) < 1e-6)
    let coarse = try #require(try engine(.bf16, lostBits: 21).checkPerplexity(of: ids))
    expectEqual(coarse.failure?.hasPrefix("the perplexity is "), true)
    #expect(try #require(coarse.result.deltaPerplexity) > 0.001)
    try expectNil(engine(.f32, lostBits: 0).checkPerplexity(of: ids))
    try expectEqual(
      engine(.int8, lostBits: 0).checkPerplexity(of: [1])?.result.failure, "nothing was compared")
  }

  @Test func greedyContinuationsMayPart() throws {
    let known = try ContinuationCase(
      path: Project.file("Benchmarks/reference/tiny-trained/continuations.json"))
    let check = try engine(.int4, lostBits: 21).check(against: known, tokenizer: nil)
    #expect(check.passed && check.tokensAgreed < check.tokensExpected)
    #expect(check.result.passed && check.result.agreed == check.tokensAgreed)
    try expectEqual(engine(.f32, lostBits: 21).check(against: known, tokenizer: nil).passed, false)
  }
}

/// The preferred variant's operations; the results of products are rounded to fewer bits.
private struct RoundingKernel: Kernel {
  private let lostBits: UInt32
  private let base = Variant.preferred.kernel(threads: 1)

  init(lostBits: Int) { self.lostBits = UInt32(lostBits) }

  var weightLayout: WeightLayout { base.weightLayout }
  var outputLayout: WeightLayout { base.outputLayout }
  var cacheLayout: CacheLayout { base.cacheLayout }

  func run(_ operation: Linear) {
    base.run(operation)
    guard lostBits > 0 else { return }
    let output = if case .residual(let stream) = operation.epilogue { stream } else { operation.output }
    for row in 0..<output.rows {
      for column in 0..<output.columns {
        let bits = output.row(row)[column].bitPattern &+ (1 << (lostBits - 1))
        output.row(row)[column] = Float(bitPattern: bits & ~((1 << lostBits) - 1))
      }
    }
  }

  func run(_ operation: LayerNorm) { base.run(operation) }
  func run(_ operation: GELU) { base.run(operation) }
  func run(_ operation: Addition) { base.run(operation) }
  func run(_ operations: [CacheStore]) { base.run(operations) }
  func run(_ operations: [Attention]) { base.run(operations) }
  func run(_ operation: Softmax) { base.run(operation) }
}
