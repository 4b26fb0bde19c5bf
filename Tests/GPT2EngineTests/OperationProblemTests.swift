import GPT2Kernels
import Record
import TestSupport
import Testing

@testable import GPT2Engine

/// What is timed alone is right first, and is not wrong by being timed over and over.
struct OperationProblemTests {
  private static let variants = Variant.all + Variant.withNarrowCache

  private func problems(_ kernel: any Kernel, _ rotation: WeightRotation) throws -> [any OperationProblem] {
    [
      try MatmulProblem(m: 3, k: 33, n: 7, kernel: kernel, rotation: rotation),
      try LayerNormProblem(rows: 3, channels: 33, kernel: kernel, rotation: rotation),
      try GELUProblem(count: 301, kernel: kernel),
      try SoftmaxProblem(rows: 3, heads: 2, depth: 17, kernel: kernel),
      try AttentionProblem(
        rows: 3, heads: 2, headSize: 9, depth: 17, kernel: kernel, rotation: rotation),
      try EmbeddingProblem(rows: 3, channels: 33, vocabulary: 50, kernel: kernel, rotation: rotation),
      try SamplingProblem(vocabulary: 2099, parameters: .greedy, kernel: kernel, rotation: rotation),
    ]
  }

  @Test(arguments: variants.indices)
  func aProblemIsRightBeforeItIsTimedAndAfterwards(_ index: Int) throws {
    let kernel = Self.variants[index].kernel(threads: 2)
    let rotation = try WeightRotation(bytes: 1 << 16)
    for problem in try problems(kernel, rotation) {
      expectNil(problem.check().failure, "\(type(of: problem))")
      for turn in 0..<20 {
        if turn % (problem.callsPerPreparation ?? .max) == 0 { problem.prepare() }
        #expect(problem.run(turn: turn)[0].isFinite, "\(type(of: problem))")
      }
      let again = problem.check()
      #expect(again.failure == nil && again.compared > 0 && again.isFinite)
    }
  }

  @Test(arguments: variants.indices)
  func raggedShapesAreRight(_ index: Int) throws {
    let kernel = Self.variants[index].kernel(threads: 2)
    let shapes: [OperationShape] = [
      .matmul(m: 1, k: 1, n: 1), .layerNorm(rows: 1, channels: 1), .gelu(rows: 1, channels: 1),
      .softmax(rows: 1, heads: 1, depth: 0), .attention(rows: 1, heads: 1, headSize: 1, depth: 0),
      .embedding(rows: 1, channels: 1, vocabulary: 1),
    ]
    for shape in shapes { try expectNil(shape.firstRaggedFailure(of: kernel)) }
  }

  /// A kernel that is off by one in ten thousand is found by each of the checks that it can fail.
  @Test func aWrongKernelIsFound() throws {
    let kernel = SlightlyWrong()
    #expect(try LayerNormProblem(rows: 2, channels: 8, kernel: kernel, rotation: nil).check().failure != nil)
    #expect(try GELUProblem(count: 40, kernel: kernel).check().failure != nil)
    #expect(try SoftmaxProblem(rows: 2, heads: 2, depth: 5, kernel: kernel).check().failure != nil)
    let attention = try AttentionProblem(
      rows: 2, heads: 2, headSize: 8, depth: 5, kernel: kernel, rotation: nil)
    expectEqual(attention.check().failure?.hasPrefix("output ("), true)
    let ragged = [
      OperationShape.attention(rows: 2, heads: 2, headSize: 8, depth: 5): "1x1x1 @ d0: ",
      .softmax(rows: 2, heads: 2, depth: 5): "1x1 @ d0: ",
    ]
    for (shape, opening) in ragged {
      try expectEqual(shape.firstRaggedFailure(of: kernel)?.hasPrefix(opening), true)
    }
  }

  @Test func everyKindOfSamplingIsRight() throws {
    let draws = [
      SamplingParameters.greedy, try SamplingParameters(temperature: 0.8),
      try SamplingParameters(temperature: 0.8, topK: 5), try SamplingParameters(temperature: 0.8, topP: 0.9),
    ]
    let kernel = Variant.preferred.kernel(threads: 1)
    for parameters in draws {
      let problem = try SamplingProblem(
        vocabulary: 5000, parameters: parameters, kernel: kernel, rotation: nil)
      expectNil(problem.check().failure, "\(type(of: problem))")
    }
    for choice in OperationShape.Choice.allCases {
      let shape = OperationShape.sampling(vocabulary: 5000, choice: choice)
      try expectNil(shape.firstRaggedFailure(of: kernel))
      try expectNil(shape.problem(kernel: kernel, rotation: nil).check().failure)
    }
  }

  /// Where attention has cached keys and values to read, calls go from layer to layer; the comparison stays of the
  /// same operands.
  @Test func attentionGoesThroughTheLayers() throws {
    let kernel = Variant.preferred.kernel(threads: 1)
    let problem = try AttentionProblem(
      rows: 1, heads: 2, headSize: 16, depth: 40, kernel: kernel,
      rotation: try WeightRotation(bytes: 100_000))
    for _ in 0..<25 {
      problem.prepare()
      _ = problem.run(turn: 0)
      expectNil(problem.check().failure, "\(type(of: problem))")
    }
  }

  /// What is timed is chosen from logits that the kernel's threads have just written, others for each call.
  @Test func samplingIsTimedOnWhatTheThreadsHaveJustWritten() throws {
    let rotation = try WeightRotation(bytes: 1 << 18)
    let problem = try SamplingProblem(
      vocabulary: 5000, parameters: .greedy, kernel: Variant.preferred.kernel(threads: 2), rotation: rotation)
    var chosen: Set<Float> = []
    for turn in 0..<8 {
      problem.prepare()
      let best = try argmax(problem.timedLogits, position: 0)
      #expect(Set(problem.timedLogits).count > 2500)
      expectEqual(problem.run(turn: turn)[0], Float(best))
      chosen.insert(Float(best))
    }
    #expect(chosen.count > 1)
  }

  @Test func geluNeverMeetsItsOwnResults() throws {
    let problem = try GELUProblem(count: 40_000, kernel: Variant.oracle.kernel(threads: 1))
    expectEqual(problem.callsPerPreparation, 1)
    var firsts: Set<Float> = []
    for turn in 0..<5 {
      problem.prepare()
      firsts.insert(problem.run(turn: turn)[7])
    }
    expectEqual(firsts.count, 1)
    let small = try GELUProblem(count: 100, kernel: Variant.oracle.kernel(threads: 1))
    expectEqual(small.callsPerPreparation, 655)
  }
}

/// The reference operations, each a little off.
private struct SlightlyWrong: DivisibleKernel {
  func layerNorm(_ operation: LayerNorm, rows: Range<Int>) {
    Variant.oracle.kernel(threads: 1).run(operation)
    spoil(operation.output.base, operation.output.rows * operation.output.columns)
  }

  func gelu(_ operation: GELU, elements: Range<Int>) {
    Variant.oracle.kernel(threads: 1).run(operation)
    spoil(operation.values, operation.count)
  }

  func softmaxRows(_ operation: Softmax, heads: Range<Int>) {
    Variant.oracle.kernel(threads: 1).run(operation)
    spoil(operation.divisors, operation.heads * operation.queries)
  }

  func attention(_ operation: Attention, heads: Range<Int>) {
    Variant.oracle.kernel(threads: 1).run(operation)
    spoil(operation.output.base, operation.output.rows * operation.output.columns)
  }

  private func spoil(_ values: UnsafeMutablePointer<Float>, _ count: Int) {
    for i in 0..<count { values[i] *= 1.0001 }
  }
}
