import Foundation
import GPT2Engine
import GPT2Kernels
import GPT2Model
import TestSupport
import Testing

@testable import Training

struct TrainerTests {
  static let options = Fixtures.options(batch: 3, context: 17) { ($0.dropout, $0.accumulate) = (0.2, 2) }

  private func steps(_ count: Int, of trainer: Trainer, from first: Int = 0) throws -> [StepFigures] {
    try (first..<first + count).map { step in
      try trainer.step(Fixtures.windows(6, of: 17, below: 131, seed: UInt64(step)))
    }
  }

  @Test(arguments: Variant.exact.filter(\.isThreaded), [2, 3])
  func anyNumberOfThreadsGivesTheSameBits(_ variant: Variant, _ threads: Int) throws {
    let one = try Fixtures.trainer(Fixtures.ragged, Self.options, variant: variant)
    let several = try Fixtures.trainer(Fixtures.ragged, Self.options, variant: variant, threads: threads)
    expectEqual(several.threads, threads)
    try expectEqual(steps(3, of: one), steps(3, of: several))
    #expect(hasSameBits(one.state(), several.state()))
    let windows = Fixtures.windows(7, of: 17, below: 131)
    try expectEqual(one.evaluate(windows), several.evaluate(windows))
  }

  @Test func aRestoredTrainingGoesOnToTheSameBits() throws {
    let unbroken = try Fixtures.trainer(Fixtures.ragged, Self.options)
    let figures = try steps(5, of: unbroken)
    let first = try Fixtures.trainer(Fixtures.ragged, Self.options)
    _ = try steps(2, of: first)
    let second = try Trainer(
      initialising: first.configuration, variant: .preferred, threads: 2, options: Self.options)
    second.restore(stepCount: first.stepCount) { state, index, values in
      _ = values.update(fromContentsOf: first.values(state, of: index))
    }
    expectEqual(second.stepCount, 2)
    try expectEqual(steps(3, of: second, from: 2), Array(figures[2...]))
    #expect(hasSameBits(second.state(), unbroken.state()))
  }

  @Test func dropoutFollowsFromTheSeedAndTheStep() throws {
    func losses(_ change: (inout TrainingOptions) -> Void) throws -> [Double] {
      var options = Self.options
      change(&options)
      let trainer = try Fixtures.trainer(Fixtures.ragged, options)
      let windows = Fixtures.windows(6, of: 17, below: 131)
      let first = try trainer.withGradients(of: windows) { _, _ in }
      trainer.restore(stepCount: 1) { state, index, values in
        if state == .parameters { return }
        values.update(repeating: 0)
      }
      return [first, try trainer.withGradients(of: windows) { _, _ in }]
    }
    let dropped = try losses { _ in }
    let full = try losses { $0.dropout = 0 }
    try expectEqual(losses { _ in }, dropped)
    #expect(try losses { $0.seed = 2 }[0] != dropped[0])
    #expect(dropped[0] != dropped[1])
    expectEqual(full[0], full[1])
    #expect(full[0] != dropped[0])
    #expect(abs(full[0] - dropped[0]) < 0.5)
  }

  /// With masks held fixed the loss is a function of the parameters, and the gradient is that function's.
  @Test func gradientsUnderDropoutAreTheLossesDifferences() throws {
    let options = Fixtures.options(batch: 2, context: 9) { $0.dropout = 0.3 }
    let trainer = try Fixtures.trainer(Fixtures.small, options, variant: .oracle)
    let windows = Fixtures.windows(2, of: 9, below: 23)
    let gradients = try trainer.gradients(of: windows).values
    let before = trainer.state()
    var random = RandomStream(seed: 5)
    for (index, parameter) in trainer.configuration.parameters.enumerated() {
      let direction = before[index].map { _ in random.float() }
      func loss(at step: Float) throws -> Double {
        trainer.restore(stepCount: 0) { state, tensor, values in
          guard state == .parameters, tensor == index else { return }
          for i in values.indices { values[i] = before[index][i] + step * direction[i] }
        }
        return try trainer.withGradients(of: windows) { _, _ in }
      }
      let h: Float = 0x1p-10
      let difference = try (loss(at: h) - loss(at: -h)) / (2 * Double(h))
      _ = try loss(at: 0)
      let product = zip(gradients[index], direction).reduce(0) { $0 + Double($1.0) * Double($1.1) }
      let norm = gradients[index].reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
      #expect(abs(product - difference) <= 0.02 * norm + 3e-4, "\(parameter.name)")
    }
  }

  @Test func evaluatingDropsAndChangesNothing() throws {
    let trainer = try Fixtures.trainer(Fixtures.ragged, Self.options)
    let windows = Fixtures.windows(7, of: 17, below: 131)
    let before = trainer.state()
    let loss = try trainer.evaluate(windows)
    #expect(hasSameBits(trainer.state(), before))
    try expectEqual(trainer.evaluate(windows), loss)
    let double = try DoubleModel(Fixtures.checkpoint(Fixtures.ragged))
    #expect(abs(loss - double.loss(of: windows)) < 1e-6)
    let other = try Fixtures.trainer(Fixtures.ragged, Self.options)
    _ = try steps(1, of: trainer)
    _ = try steps(1, of: other)
    #expect(hasSameBits(trainer.state(), other.state()))
  }

  @Test func aLossThatIsNoNumberChangesNothing() throws {
    let trainer = try Fixtures.trainer(Fixtures.ragged, Self.options)
    _ = try steps(1, of: trainer)
    let sound = trainer.state()
    func poison(_ value: Float) {
      trainer.restore(stepCount: 1) { state, index, values in
        if state == .parameters, index == Configuration.index(of: .upBias, layer: 1) { values[2] = value }
      }
    }
    poison(.nan)
    let poisoned = trainer.state()
    #expect {
      try steps(1, of: trainer, from: 1)
    } throws: { error in
      "\(error)"
        == "step 2: the loss is nan, expected a finite number; the parameters are those of step 1"
    }
    #expect(hasSameBits(trainer.state(), poisoned))
    expectEqual(trainer.stepCount, 1)
    // Nothing of the lost step's gradients is left for the next.
    trainer.restore(stepCount: 1) { state, index, values in
      let tensor = place(of: state) * trainer.configuration.parameters.count + index
      _ = values.update(fromContentsOf: sound[tensor])
    }
    let other = try Fixtures.trainer(Fixtures.ragged, Self.options)
    _ = try steps(2, of: other)
    _ = try steps(1, of: trainer, from: 1)
    #expect(hasSameBits(trainer.state(), other.state()))
  }

  private func place(of state: Trainer.State) -> Int { Trainer.State.allCases.firstIndex(of: state) ?? 0 }

  /// What an engine says of the parameters is what the trainer does.
  @Test func anEngineReadsTheParameters() throws {
    let trainer = try Fixtures.trainer(Fixtures.ragged, Self.options)
    _ = try steps(2, of: trainer)
    let checkpoint = try trainer.checkpoint(named: "step 2")
    expectEqual(checkpoint.name, "step 2")
    let windows = Fixtures.windows(1, of: 17, below: 131)
    let loss = try trainer.evaluate(windows)
    #expect(abs(loss - DoubleModel(checkpoint).loss(of: windows)) < 1e-6)
    let logits = try Engine(checkpoint, variant: .preferred, threads: 1).logits(of: [1, 2, 3])
    #expect(logits.values.allSatisfy { $0.isFinite })
  }

  @Test func beginsWithGPT2sOwnDistribution() throws {
    let configuration = try Configuration(layers: 8, heads: 2, channels: 64, vocabulary: 300, context: 32)
    func trainer(_ seed: UInt64, _ threads: Int) throws -> Trainer {
      let options = Fixtures.options(batch: 1, context: 8) { $0.seed = seed }
      return try Trainer(initialising: configuration, variant: .preferred, threads: threads, options: options)
    }
    let new = try trainer(1, 1)
    #expect(hasSameBits(new.state(), try trainer(1, 2).state()))
    #expect(!hasSameBits(new.state(), try trainer(2, 1).state()))
    var previous: Float = 0
    for (index, parameter) in configuration.parameters.enumerated() {
      let values = new.values(.parameters, of: index)
      guard parameter.shape.count == 2 else {
        #expect(values.allSatisfy { $0 == (parameter.role == .normWeight ? 1 : 0) })
        continue
      }
      let expected = parameter.name.hasSuffix("c_proj.weight") ? 0.02 / 4 : 0.02
      let count = Double(values.count)
      let mean = values.reduce(0) { $0 + Double($1) } / count
      let deviation = (values.reduce(0) { $0 + (Double($1) - mean) * (Double($1) - mean) } / count)
        .squareRoot()
      // Five standard errors.
      #expect(abs(mean) < 5 * expected / count.squareRoot(), "\(parameter.name)")
      #expect(abs(deviation - expected) < 5 * expected / (2 * count).squareRoot(), "\(parameter.name)")
      #expect(values.contains { abs(Double($0)) > 2.5 * expected })
      #expect(values[0] != previous)
      previous = values[0]
    }
  }

  @Test func anUntiedModelIsTrainedToo() throws {
    let configuration = try Configuration(
      layers: 1, heads: 2, channels: 8, vocabulary: 19, context: 9, tiesEmbeddings: false)
    let trainer = try Trainer(
      initialising: configuration, variant: .preferred, threads: 1,
      options: Fixtures.options(batch: 2, context: 9))
    let windows = Fixtures.windows(2, of: 9, below: 19)
    let gradients = try trainer.gradients(of: windows).values
    let checkpoint = try trainer.checkpoint(named: "untied")
    for index in [0, configuration.outputEmbeddingIndex] {
      var double = DoubleModel(checkpoint)
      let place = Int(windows[0].tokens[1]) * 8 + 3
      let before = double.parameters[index][place]
      double.parameters[index][place] = before + 1e-5
      let above = double.loss(of: windows)
      double.parameters[index][place] = before - 1e-5
      let difference = (above - double.loss(of: windows)) / 2e-5
      #expect(abs(Double(gradients[index][place]) - difference) < 1e-6)
      #expect(abs(difference) > 1e-5)
    }
  }
}
