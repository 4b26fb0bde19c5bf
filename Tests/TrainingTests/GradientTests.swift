import Foundation
import GPT2Kernels
import GPT2Model
import TestSupport
import Testing

@testable import Training

/// Gradients against PyTorch's in float64, and against differences of a loss in Double.
struct GradientTests {
  @Test(arguments: Fixtures.references, Variant.exact)
  func everyVariantAgreesWithTheReference(_ name: String, _ variant: Variant) throws {
    try expectAgreement(name, variant)
  }

  /// GPT-2's own shape takes gigabytes, so only where somebody asks.
  @Test(.enabled(if: ProcessInfo.processInfo.environment["GPT2_BENCH_LARGE_TESTS"] != nil))
  func theLargeShapeAgreesWithTheReference() throws {
    try expectAgreement("gpt2-124m", .preferred)
  }

  private func expectAgreement(_ name: String, _ variant: Variant) throws {
    let reference = try Fixtures.reference(name)
    let trainer = try Fixtures.trainer(reference.model, reference.options, variant: variant, threads: 2)
    let comparison = try reference.check(trainer)
    expectNil(comparison.failure)
    #expect(comparison.worst > 0 && comparison.worst <= 1)
  }

  @Test(arguments: Fixtures.references) func aWrongGradientIsFound(_ name: String) throws {
    let reference = try Fixtures.reference(name)
    let trainer = try Fixtures.trainer(reference.model, reference.options)
    // One norm's bias of a layer in the middle is not what the reference has.
    let index = Configuration.index(of: .norm2Bias, layer: 1)
    try trainer.restore(stepCount: 0) { state, tensor, values in
      guard state == .parameters else { return }
      let checkpoint = try Fixtures.checkpoint(reference.model)
      _ = values.update(fromContentsOf: checkpoint.tensor(at: tensor))
      if tensor == index { values[3] += 0.01 }
    }
    let comparison = try reference.check(trainer)
    expectEqual(comparison.failure?.contains("\(name): "), true)
    #expect(!comparison.passed)
  }

  /// Along a direction of each tensor, (L(p + hd) − L(p − hd)) / 2h in Double is the gradient's product with d.
  @Test(arguments: [Fixtures.ragged, Fixtures.small], [Variant.oracle, .preferred])
  func gradientsAreTheLossesDifferences(_ model: String, _ variant: Variant) throws {
    let checkpoint = try Fixtures.checkpoint(model)
    let configuration = checkpoint.configuration
    let windows = Fixtures.windows(2, of: 9, below: configuration.vocabulary)
    let trainer = try Fixtures.trainer(model, Fixtures.options(batch: 2, context: 9), variant: variant)
    let (loss, gradients) = try trainer.gradients(of: windows)
    var double = DoubleModel(checkpoint)
    #expect(abs(loss - double.loss(of: windows)) < 1e-6)
    var random = RandomStream(seed: 3)
    for (index, parameter) in configuration.parameters.enumerated() {
      let before = double.parameters[index]
      let direction = before.map { _ in Double(random.float()) }
      let norm = gradients[index].reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
      func loss(at step: Double) -> Double {
        double.parameters[index] = zip(before, direction).map { $0 + step * $1 }
        return double.loss(of: windows)
      }
      let h = 1e-5
      let difference = (loss(at: h) - loss(at: -h)) / (2 * h)
      double.parameters[index] = before
      let product = zip(gradients[index], direction).reduce(0) { $0 + Double($1.0) * $1.1 }
      #expect(abs(product - difference) <= 1e-5 * norm + 1e-9, "\(parameter.name)")
      #expect(norm > 1e-6, "\(parameter.name)")
    }
  }

  @Test func manyBatchesOfOneStepGiveTheGradientOfALargerBatch() throws {
    let windows = Fixtures.windows(6, of: 13, below: 131)
    let together = try Fixtures.trainer(Fixtures.ragged, Fixtures.options(batch: 6, context: 13))
    let apart = try Fixtures.trainer(
      Fixtures.ragged,
      Fixtures.options(batch: 2, context: 13) { $0.accumulate = 3 })
    let (loss, gradients) = try together.gradients(of: windows)
    let (lossApart, gradientsApart) = try apart.gradients(of: windows)
    #expect(abs(loss - lossApart) < 1e-6)
    for (a, b) in zip(gradients, gradientsApart) {
      let size = a.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
      let error = zip(a, b).reduce(0) { $0 + Double($1.0 - $1.1) * Double($1.0 - $1.1) }.squareRoot()
      #expect(error <= 3e-6 * size)
    }
  }

  /// A block of logits ends within the batch: 2 · 150 rows are more than 256.
  @Test func losesNothingBetweenBlocksOfLogits() throws {
    let model = "synthetic:1,2,8,19,150"
    let windows = Fixtures.windows(2, of: 150, below: 19)
    let trainer = try Fixtures.trainer(model, Fixtures.options(batch: 2, context: 150))
    let (loss, gradients) = try trainer.gradients(of: windows)
    let single = try Fixtures.trainer(
      model, Fixtures.options(batch: 1, context: 150) { $0.accumulate = 2 })
    let (lossOfSingle, gradientsOfSingle) = try single.gradients(of: windows)
    #expect(abs(loss - lossOfSingle) < 1e-6)
    for (a, b) in zip(gradients, gradientsOfSingle) {
      let size = a.reduce(0) { max($0, abs($1)) }
      #expect(zip(a, b).allSatisfy { abs($0 - $1) <= 1e-5 * size })
    }
    #expect(abs(loss - (try DoubleModel(Fixtures.checkpoint(model)).loss(of: windows))) < 1e-6)
  }
}
