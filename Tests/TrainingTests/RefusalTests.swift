import Foundation
import GPT2Kernels
import GPT2Model
import TestSupport
import Testing

@testable import Training

/// What cannot be trained is refused in a line that names it.
struct RefusalTests {
  @Test(
    arguments: [
      (\TrainingOptions.batch, 0, "batch is 0, expected a number from 1 to 65536"),
      (\.accumulate, 70_000, "accumulate is 70000, expected a number from 1 to 65536"),
      (\.context, 34, "context is 34, expected a number from 1 to 33, the model's context"),
      (\.context, 0, "context is 0, expected a number from 1 to 33, the model's context"),
      (\.steps, 0, "steps is 0, expected a number from 1 to 1000000000"),
      (\.steps, .max, "steps is 9223372036854775807, expected a number from 1 to 1000000000"),
      (\.warmup, -1, "warmup is -1, expected a number from 0 to 10, the steps"),
      (\.warmup, 11, "warmup is 11, expected a number from 0 to 10, the steps"),
    ] as [(WritableKeyPath<TrainingOptions, Int> & Sendable, Int, String)])
  func aWholeNumberOutOfRange(
    _ path: WritableKeyPath<TrainingOptions, Int> & Sendable, _ value: Int, _ expected: String
  ) throws {
    try expectRefusal(expected) { $0[keyPath: path] = value }
  }

  @Test(
    arguments: [
      (\TrainingOptions.learningRate, 0, "learning rate is 0.0, expected a positive number"),
      (\.learningRate, .nan, "learning rate is nan, expected a positive number"),
      (
        \.minimumLearningRate, 0.5,
        "minimum learning rate is 0.5, expected a number from 0 to 0.001, the learning rate"
      ),
      (\.weightDecay, -1, "weight decay is -1.0, expected a number from 0 on"),
      (\.beta1, 1, "beta1 is 1.0, expected a number from 0 to below 1"),
      (\.beta2, -0.5, "beta2 is -0.5, expected a number from 0 to below 1"),
      (\.epsilon, 0, "epsilon is 0.0, expected a positive number"),
      (\.clip, .infinity, "clip is inf, expected a number from 0 on"),
      (\.dropout, 1, "dropout is 1.0, expected a number from 0 to below 1"),
    ] as [(WritableKeyPath<TrainingOptions, Double> & Sendable, Double, String)])
  func aNumberOutOfRange(
    _ path: WritableKeyPath<TrainingOptions, Double> & Sendable, _ value: Double, _ expected: String
  ) throws {
    try expectRefusal(expected) { $0[keyPath: path] = value }
  }

  private func expectRefusal(_ expected: String, _ change: (inout TrainingOptions) -> Void) throws {
    var options = Fixtures.options(batch: 2, context: 9)
    change(&options)
    #expect {
      try Fixtures.trainer(Fixtures.ragged, options)
    } throws: {
      "\($0)" == expected
    }
  }

  @Test func aBatchBeyondAllMemory() throws {
    let configuration = try Configuration(
      layers: 4096, heads: 1, channels: 1 << 20, vocabulary: 1 << 20, context: 1 << 20)
    func refusal(_ batch: Int) -> String? {
      do throws(TrainingError) {
        _ = try Trainer(
          initialising: configuration, variant: .preferred, threads: 1,
          options: Fixtures.options(batch: batch, context: 1 << 20))
        return nil
      } catch { return "\(error)" }
    }
    expectEqual(refusal(17), "batch is 17, expected at most 16777216 tokens in windows of 1048576 tokens")
    expectEqual(refusal(16)?.hasPrefix("cannot allocate "), true)
  }

  @Test(arguments: Variant.all.filter { $0.weights != .f32 })
  func aVariantOfFewerBits(_ variant: Variant) throws {
    #expect {
      try Fixtures.trainer(Fixtures.small, Fixtures.options(batch: 1, context: 3), variant: variant)
    } throws: {
      "\($0)"
        == "variant \(variant.name) holds weights in \(variant.weights.rawValue), expected one in f32 to train with"
    }
  }

  @Test func windowsThatDoNotFit() throws {
    let trainer = try Fixtures.trainer(
      Fixtures.small,
      Fixtures.options(batch: 2, context: 7) { $0.accumulate = 2 })
    func expect(_ error: TrainingError, _ windows: [Window]) {
      #expect(throws: error) { try trainer.step(windows) }
    }
    let good = Fixtures.windows(4, of: 7, below: 23)
    expect(.windowCount(found: 3, expected: "4"), Array(good.dropLast()))
    expect(.windowLength(found: 7, expected: 8), good.dropLast() + [Window([1, 2, 3, 4, 5, 6, 7])])
    expect(
      .tokenOutsideVocabulary(id: 23, vocabulary: 23), good.dropLast() + [Window([1, 2, 3, 4, 5, 6, 7, 23])])
    expect(
      .tokenOutsideVocabulary(id: -1, vocabulary: 23), good.dropLast() + [Window([-1, 2, 3, 4, 5, 6, 7, 8])])
    #expect(throws: TrainingError.windowCount(found: 0, expected: "at least 1")) { try trainer.evaluate([]) }
    expectEqual(trainer.stepCount, 0)
  }

  @Test func aReferenceThatIsNone() throws {
    let folder = try TemporaryFolder()
    let path = folder("reference.json")
    func refusal(_ text: String) throws -> String? {
      try text.write(toFile: path, atomically: true, encoding: .utf8)
      do throws(ModelError) {
        _ = try GradientReference(path: path)
        return nil
      } catch { return "\(error)" }
    }
    try expectEqual(refusal("[]")?.hasPrefix("\(path): "), true)
    let head = #""case": "a", "model": "m", "tensors": [], "gradients": "g.npy", "context": 2, "loss": 1"#
    try expectEqual(
      refusal(#"{"format": 2, \#(head), "windows": [[1, 2, 3]]}"#),
      "\(path): format: found 2, expected 1")
    try expectEqual(
      refusal(#"{"format": 1, \#(head), "windows": [[1, 2]]}"#),
      "\(path): windows: found 2 ids, expected one more than context's 2")
    let largest = head.replacing(#""context": 2"#, with: #""context": 9223372036854775807"#)
    try expectEqual(
      refusal(#"{"format": 1, \#(largest), "windows": [[]]}"#),
      "\(path): windows: found 0 ids, expected one more than context's 9223372036854775807")
    try expectEqual(
      refusal(#"{"format": 1, \#(head), "windows": [[1, 2, 3]]}"#)?
        .hasPrefix(folder("g.npy") + ": cannot be read"), true)
  }

  @Test func aWindowWhoseSizeOverflows() throws {
    let options = Fixtures.options(batch: 2, context: .max)
    #expect {
      try options.check(modelContext: .max)
    } throws: {
      "\($0)"
        == "batch is 2, expected at most 16777216 tokens in windows of 9223372036854775807 tokens"
    }
  }

  /// The references of one model, held against another.
  @Test func aReferenceOfOtherTensors() throws {
    let reference = try Fixtures.reference("ragged")
    let found = try reference.check(
      Trainer(
        initialising: Configuration(layers: 4, heads: 5, channels: 35, vocabulary: 131, context: 33),
        variant: .preferred, threads: 1, options: reference.options))
    expectEqual(found.failure, "ragged: it has gradients of 40 tensors, expected the model's 52")
  }

  @Test func aLossThatIsNoNumber() throws {
    let trainer = try Fixtures.trainer(Fixtures.small, Fixtures.options(batch: 1, context: 3))
    trainer.restore(stepCount: 4) { state, _, values in
      values.update(repeating: state == .parameters ? .nan : 0)
    }
    let windows = Fixtures.windows(1, of: 3, below: 23)
    #expect(throws: TrainingError.lossNotFinite(afterStep: 4, found: "nan")) {
      try trainer.evaluate(windows)
    }
    expectEqual(
      "\(TrainingError.lossNotFinite(afterStep: 4, found: "inf"))",
      "the loss after step 4 is inf, expected a finite number")
  }
}
