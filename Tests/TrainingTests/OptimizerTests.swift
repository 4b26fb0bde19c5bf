import Foundation
import GPT2Kernels
import GPT2Model
import TestSupport
import Testing

@testable import Training

struct OptimizerTests {
  /// Ten steps against PyTorch's AdamW in float64: losses, norms and parameters within 1e-4.
  @Test(arguments: Fixtures.references, [Variant.oracle, .preferred])
  func tenStepsAreTheReferences(_ name: String, _ variant: Variant) throws {
    let reference = try Fixtures.reference(name)
    let steps = try #require(reference.steps)
    let trainer = try Fixtures.trainer(reference.model, steps.options, variant: variant, threads: 2)
    expectEqual(steps.losses.count, 10)
    for step in 0..<10 {
      let figures = try trainer.step(reference.windows)
      expectEqual(figures.step, step + 1)
      #expect(abs(figures.loss - steps.losses[step]) <= 1e-5 * steps.losses[step])
      #expect(abs(figures.gradientNorm - steps.gradientNorms[step]) <= 1e-4 * steps.gradientNorms[step])
    }
    // The bias of keys shifts all scores of a query alike, so its gradient is 0: of roundings AdamW makes steps.
    let channels = trainer.configuration.channels
    let errors = try #require(
      reference.parameterErrors(of: trainer, relative: 1e-4) { parameter in
        parameter.name.hasSuffix("attn.c_attn.bias") ? channels..<2 * channels : 0..<0
      })
    for (tensor, error) in errors { #expect(error <= 1, "\(tensor)") }
    expectEqual(errors.count, trainer.configuration.parameters.count)
  }

  /// The first step by hand: both moments' corrections cancel, so each parameter moves by the rate against its gradient's
  /// sign, but for ε, and matrices shrink.
  @Test func theFirstStepMovesEachParameterByTheRate() throws {
    let options = Fixtures.options(batch: 2, context: 7) {
      ($0.learningRate, $0.weightDecay, $0.clip, $0.schedule) = (0.01, 0.5, 0, .constant)
    }
    let trainer = try Fixtures.trainer(Fixtures.small, options)
    let windows = Fixtures.windows(2, of: 7, below: 23)
    let before = trainer.state()
    let gradients = try trainer.gradients(of: windows).values
    let figures = try trainer.step(windows)
    expectEqual(figures.learningRate, 0.01)
    for (index, parameter) in trainer.configuration.parameters.enumerated() {
      let keep: Float = parameter.shape.count == 2 ? 1 - 0.01 * 0.5 : 1
      let after = trainer.values(.parameters, of: index)
      for (i, g) in gradients[index].enumerated() {
        let expected = before[index][i] * keep - 0.01 * g / (abs(g) + 1e-8)
        #expect(abs(after[i] - expected) <= 1e-5 + 1e-3 * abs(expected - before[index][i]))
      }
      let first = trainer.values(.firstMoments, of: index)
      let second = trainer.values(.secondMoments, of: index)
      for (i, g) in gradients[index].enumerated() {
        #expect(abs(first[i] - 0.1 * g) <= 1e-6 * abs(g) + 1e-30)
        #expect(abs(second[i] - 0.05 * g * g) <= 1e-6 * g * g + 1e-30)
      }
    }
  }

  @Test func gradientsAboveTheClipAreScaledToIt() throws {
    let windows = Fixtures.windows(2, of: 7, below: 23)
    func moments(_ clip: Double) throws -> (norm: Double, first: [Double]) {
      let trainer = try Fixtures.trainer(
        Fixtures.small, Fixtures.options(batch: 2, context: 7) { $0.clip = clip })
      let norm = try trainer.step(windows).gradientNorm
      return (
        norm,
        trainer.configuration.parameters.indices.flatMap {
          trainer.values(.firstMoments, of: $0).map(Double.init)
        }
      )
    }
    let free = try moments(0)
    let above = try moments(free.norm * 2)
    let clipped = try moments(free.norm / 4)
    expectEqual(free.norm, clipped.norm)
    expectEqual(free.first, above.first)
    let scale = free.norm / 4 / (free.norm + 1e-6)
    for (a, b) in zip(free.first, clipped.first) { #expect(abs(a * scale - b) <= 1e-6 * abs(a) + 1e-30) }
    let norm = clipped.first.reduce(0) { $0 + $1 * $1 }.squareRoot() / 0.1
    #expect(abs(norm - free.norm / 4) < 1e-4 * norm)
  }

  @Test func theRateIsNanoGPTs() {
    var options = TrainingOptions()
    (options.learningRate, options.minimumLearningRate, options.warmup, options.steps) = (1, 0.1, 4, 104)
    #expect((0..<4).map(options.learningRate(at:)) == [0.2, 0.4, 0.6, 0.8])
    expectEqual(options.learningRate(at: 4), 1)
    #expect(abs(options.learningRate(at: 54) - 0.55) < 1e-12)
    #expect(abs(options.learningRate(at: 29) - (0.1 + 0.45 * (1 + 0.5.squareRoot()))) < 1e-12)
    expectEqual(options.learningRate(at: 104), 0.1)
    expectEqual(options.learningRate(at: 1000), 0.1)
    options.schedule = .constant
    expectEqual(options.learningRate(at: 3), 0.8)
    expectEqual(options.learningRate(at: 103), 1)
  }

  @Test func theLossFalls() throws {
    let options = Fixtures.options(batch: 4, context: 16) { ($0.steps, $0.learningRate) = (200, 1e-2) }
    let trainer = try Trainer(
      initialising: Configuration(layers: 2, heads: 2, channels: 32, vocabulary: 50, context: 16),
      variant: .preferred, threads: 2, options: options)
    let windows = Fixtures.windows(4, of: 16, below: 50)
    let first = try trainer.step(windows).loss
    for _ in 1..<200 { _ = try trainer.step(windows) }
    #expect(abs(first - log(50)) < 0.2)
    #expect(try trainer.evaluate(windows) < 0.5)
    expectEqual(trainer.stepCount, 200)
  }
}
