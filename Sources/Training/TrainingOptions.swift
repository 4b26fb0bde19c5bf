import Foundation

/// How a model is trained: the optimizer, its schedule, and what one step takes in.
public struct TrainingOptions: Sendable, Codable, Equatable {
  /// How the learning rate goes on after the warm-up.
  public enum Schedule: String, Sendable, Codable, CaseIterable {
    /// Half a cosine down to the minimum at the last step.
    case cosine
    case constant
  }

  /// The largest of the schedule.
  public var learningRate = 1e-3
  /// What the cosine ends at.
  public var minimumLearningRate = 1e-4
  /// Steps in which the rate grows linearly.
  public var warmup = 0
  /// All steps of the training: the length of the schedule.
  public var steps = 1000
  public var schedule = Schedule.cosine
  /// Of matrices, embeddings among them; norms and biases do not decay.
  public var weightDecay = 0.1
  public var beta1 = 0.9
  public var beta2 = 0.95
  public var epsilon = 1e-8
  /// The largest norm of all gradients together; 0 does not clip.
  public var clip = 1.0
  /// The share of values that are dropped after the embedding, in attention, and of what each block adds.
  public var dropout = 0.0
  /// Windows that go through the model together.
  public var batch = 8
  /// Batches whose gradients are one step's.
  public var accumulate = 1
  /// Tokens that a window predicts, each from those before it.
  public var context = 256
  /// Of everything random: first weights, dropout, the windows' places.
  public var seed: UInt64 = 1

  public init() {}

  public var windowsPerStep: Int { batch * accumulate }
  public var tokensPerStep: Int { windowsPerStep * context }

  /// The rate of a step, as nanoGPT has it: `learningRate` · (step + 1) / (warmup + 1) during the warm-up, then
  /// min + ½ (1 + cos π·progress) · (learningRate − min).
  /// - Parameter step: counts from 0.
  public func learningRate(at step: Int) -> Double {
    if step < warmup { return learningRate * Double(step + 1) / Double(warmup + 1) }
    guard schedule == .cosine else { return learningRate }
    guard step < steps else { return minimumLearningRate }
    let progress = Double(step - warmup) / Double(steps - warmup)
    return minimumLearningRate + 0.5 * (1 + cos(.pi * progress)) * (learningRate - minimumLearningRate)
  }

  /// The largest batch and number of batches, tokens of a batch, and number of steps: they keep the arithmetic of sizes
  /// and places far from overflow.
  private static let largestCount = 1 << 16
  private static let largestTokenCount = 1 << 24
  private static let largestStepCount = 1_000_000_000

  /// - Parameter modelContext: the positions that the model has.
  /// - Throws: `TrainingError.option` for the first value that is out of range.
  public func check(modelContext: Int) throws(TrainingError) {
    let most = Self.largestCount
    try Self.expect((1...most).contains(batch), "batch", "\(batch)", "a number from 1 to \(most)")
    try Self.expect(
      (1...most).contains(accumulate), "accumulate", "\(accumulate)", "a number from 1 to \(most)")
    try Self.expect(
      (1...modelContext).contains(context), "context", "\(context)",
      "a number from 1 to \(modelContext), the model's context")
    let tokens = Self.largestTokenCount
    try Self.expect(
      context <= tokens / batch, "batch", "\(batch)",
      "at most \(tokens) tokens in windows of \(context) tokens")
    let longest = Self.largestStepCount
    try Self.expect((1...longest).contains(steps), "steps", "\(steps)", "a number from 1 to \(longest)")
    try Self.expect(
      (0...steps).contains(warmup), "warmup", "\(warmup)", "a number from 0 to \(steps), the steps")
    try Self.expect(
      learningRate > 0 && learningRate.isFinite, "learning rate", "\(learningRate)", "a positive number")
    try Self.expect(
      (0...learningRate).contains(minimumLearningRate), "minimum learning rate", "\(minimumLearningRate)",
      "a number from 0 to \(learningRate), the learning rate")
    try Self.expect(
      weightDecay >= 0 && weightDecay.isFinite, "weight decay", "\(weightDecay)", "a number from 0 on")
    for (name, beta) in [("beta1", beta1), ("beta2", beta2)] {
      try Self.expect((0..<1).contains(beta), name, "\(beta)", "a number from 0 to below 1")
    }
    try Self.expect(epsilon.isFinite && Float(epsilon) > 0, "epsilon", "\(epsilon)", "a positive number")
    try Self.expect(clip >= 0 && clip.isFinite, "clip", "\(clip)", "a number from 0 on")
    try Self.expect(dropout >= 0 && Float(dropout) < 1, "dropout", "\(dropout)", "a number from 0 to below 1")
  }

  private static func expect(
    _ isRight: Bool, _ name: String, _ found: String, _ expected: String
  ) throws(TrainingError) {
    guard isRight else { throw .option(name: name, found: found, expected: expected) }
  }
}
