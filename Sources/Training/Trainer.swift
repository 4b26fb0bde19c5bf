import GPT2Engine
import GPT2Kernels
import GPT2Model
import Statistics

/// Consecutive tokens of a text: all but the last go in, all but the first are what they predict.
public struct Window: Equatable, Sendable {
  /// `context` + 1 ids.
  public let tokens: [Int32]

  public init(_ tokens: [Int32]) { self.tokens = tokens }

  /// Of memory, for one of so many tokens and its last target: an array has a head, and blocks of whole words.
  public static func bytes(of context: Int) -> Int { 64 + 4 * (context + 1) }
}

/// What a step came to.
public struct StepFigures: Codable, Equatable, Sendable {
  /// The step's number, from 1 on.
  public let step: Int
  /// Mean over the step's tokens of −log p, in nats, before the update.
  public let loss: Double
  /// √Σg² of all gradients, before they were clipped.
  public let gradientNorm: Double
  public let learningRate: Double
}

/// Trains one GPT-2 with one variant's kernel. Not for use by several threads at once; its variant may use several.
/// The same windows and options give the same bits on any number of threads.
public final class Trainer {
  /// What a trainer holds of every parameter, in the order of `configuration.parameters`.
  public enum State: String, CaseIterable, Sendable {
    case parameters, firstMoments, secondMoments
  }

  public let configuration: Configuration
  public private(set) var options: TrainingOptions
  public let variant: Variant
  public let threads: Int
  /// Steps that the parameters have behind them.
  public private(set) var stepCount = 0

  private let kernel: any Kernel
  private let memory: TrainingMemory
  private let pass: TrainingPass
  private let optimizer: AdamW

  private init(
    _ configuration: Configuration, variant: Variant, threads: Int, options: TrainingOptions
  ) throws(TrainingError) {
    try variant.requireTraining()
    try options.check(modelContext: configuration.context)
    (self.configuration, self.options, self.variant) = (configuration, options, variant)
    self.threads = variant.threads(of: threads)
    kernel = variant.kernel(threads: threads)
    memory = try TrainingMemory(configuration, rows: options.batch * options.context)
    pass = TrainingPass(configuration, kernel: kernel, memory: memory, options: options)
    optimizer = AdamW(memory, kernel: kernel)
  }

  /// Begins with a model's parameters.
  /// - Parameter threads: how many the variant may use; one that is not threaded uses one.
  public convenience init(
    _ checkpoint: Checkpoint, variant: Variant, threads: Int, options: TrainingOptions
  ) throws(TrainingError) {
    try self.init(checkpoint.configuration, variant: variant, threads: threads, options: options)
    for index in memory.space.parameters.indices {
      checkpoint.read(index, into: memory.parameters[index], order: .inputsFirst)
    }
    checkpoint.releaseAllPages()
  }

  /// Begins with new parameters: GPT-2's own distribution, drawn from the options' seed.
  public convenience init(
    initialising configuration: Configuration, variant: Variant, threads: Int, options: TrainingOptions
  ) throws(TrainingError) {
    try self.init(configuration, variant: variant, threads: threads, options: options)
    Initialisation(seed: options.seed).fill(memory.parameters, on: kernel)
  }

  /// Bytes of everything that a step on so many tokens at once needs.
  public static func memoryBytes(_ configuration: Configuration, tokens: Int) -> Int {
    TrainingMemory.bytes(configuration, rows: tokens)
  }

  /// Pieces that a batch's logits are computed in.
  public var lossBlocks: Int {
    (options.batch * options.context + ActivationPlan.logitRows - 1) / ActivationPlan.logitRows
  }

  /// Goes on with batches of another shape, in the memory that there is.
  /// - Throws: `TrainingError.option` for one that is out of range, or has more tokens than the memory was made for.
  public func reshape(batch: Int, context: Int) throws(TrainingError) {
    var wanted = options
    (wanted.batch, wanted.context) = (batch, context)
    try wanted.check(modelContext: configuration.context)
    guard batch * context <= memory.rows else {
      throw .option(
        name: "batch", found: "\(batch) windows of \(context) tokens",
        expected: "at most the \(memory.rows) tokens that the trainer was made for")
    }
    options = wanted
    pass.context = context
  }

  /// Forward and backward through all windows, and one update of the parameters.
  /// - Parameter windows: `options.windowsPerStep`, each of `options.context` + 1 tokens.
  /// - Throws: `TrainingError.notFinite`, with the parameters as before.
  public func step(_ windows: [Window]) throws(TrainingError) -> StepFigures {
    let loss = try addGradients(of: windows)
    Probe.enter(Mark(.optimizer))
    defer { Probe.enter(Mark(.between)) }
    let norm = optimizer.gradientNorm()
    for (quantity, value) in [("loss", loss), ("gradient norm", norm)] where !value.isFinite {
      optimizer.clearGradients()
      throw .notFinite(step: stepCount + 1, quantity: quantity, found: Self.shown(value))
    }
    let rate = options.learningRate(at: stepCount)
    stepCount += 1
    let clips = options.clip > 0 && norm > options.clip
    optimizer.update(
      AdamW.Step(
        learningRate: rate, number: stepCount, gradientScale: clips ? options.clip / (norm + 1e-6) : 1),
      options)
    return StepFigures(step: stepCount, loss: loss, gradientNorm: norm, learningRate: rate)
  }

  /// Neither sign nor bits of what is no number say anything.
  private static func shown(_ value: Double) -> String { value.isNaN ? "nan" : "\(value)" }

  /// The mean loss, and its gradients added to what is there.
  private func addGradients(of windows: [Window]) throws(TrainingError) -> Double {
    let expected = options.windowsPerStep
    guard windows.count == expected else { throw .windowCount(found: windows.count, expected: "\(expected)") }
    try check(windows)
    var nats = 0.0
    for number in 0..<options.accumulate {
      pass.load(windows[number * options.batch..<(number + 1) * options.batch], draw: draw(batch: number))
      pass.forward()
      nats += pass.computeLosses(scale: 1 / Float(options.tokensPerStep))
      pass.backward()
    }
    return nats / Double(options.tokensPerStep)
  }

  /// The gradients of the mean loss of a step's windows, from where the parameters are now, handed over in the order of
  /// `configuration.parameters`. Nothing changes.
  /// - Returns: the loss.
  public func withGradients(
    of windows: [Window], _ body: (Int, UnsafeBufferPointer<Float>) -> Void
  ) throws(TrainingError) -> Double {
    let loss = try addGradients(of: windows)
    for index in memory.space.parameters.indices { body(index, UnsafeBufferPointer(memory.gradients[index])) }
    optimizer.clearGradients()
    return loss
  }

  /// What the masks of a batch of the coming step are drawn from: a function of the seed and both numbers alone.
  private func draw(batch: Int) -> UInt64 {
    var outer = SplitMix64(seed: options.seed)
    var inner = SplitMix64(seed: outer.next() &+ UInt64(stepCount) << 16 &+ UInt64(batch))
    return inner.next()
  }

  /// The mean loss in nats a token, without dropout; nothing changes.
  /// - Parameter windows: any number from 1 on.
  /// - Throws: `TrainingError.lossNotFinite` for one that is no number.
  public func evaluate(_ windows: [Window]) throws(TrainingError) -> Double {
    guard !windows.isEmpty else { throw .windowCount(found: 0, expected: "at least 1") }
    try check(windows)
    var nats = 0.0
    for first in stride(from: 0, to: windows.count, by: options.batch) {
      pass.load(windows[first..<min(first + options.batch, windows.count)], draw: nil)
      pass.forward()
      nats += pass.computeLosses(scale: nil)
    }
    guard nats.isFinite else { throw .lossNotFinite(afterStep: stepCount, found: Self.shown(nats)) }
    return nats / Double(windows.count * options.context)
  }

  private func check(_ windows: [Window]) throws(TrainingError) {
    let vocabulary = configuration.vocabulary
    for window in windows {
      guard window.tokens.count == options.context + 1 else {
        throw .windowLength(found: window.tokens.count, expected: options.context + 1)
      }
      for id in window.tokens where id < 0 || id >= vocabulary {
        throw .tokenOutsideVocabulary(id: Int(id), vocabulary: vocabulary)
      }
    }
  }
}

extension Variant {
  /// Whether it computes with the float32 parameters that training changes.
  public var trains: Bool { weights == .f32 }

  /// - Throws: `TrainingError.variant` where it does not train.
  public func requireTraining() throws(TrainingError) {
    guard trains else { throw .variant(name: name, weights: weights) }
  }
}

extension Trainer {
  /// A tensor's values, row-major in its `parameter.shape`, valid until the next step and while the trainer lives.
  public func values(_ state: State, of index: Int) -> UnsafeBufferPointer<Float> {
    UnsafeBufferPointer(memory(of: state)[index])
  }

  private func memory(of state: State) -> ParameterMemory {
    switch state {
    case .parameters: memory.parameters
    case .firstMoments: memory.firstMoments
    case .secondMoments: memory.secondMoments
    }
  }

  /// Takes up a training where it was left.
  /// - Parameters:
  ///   - stepCount: the steps that these states have behind them.
  ///   - body: fills the values of each parameter of a state, one at a time. Where it throws, some are filled.
  public func restore<Failure: Error>(
    stepCount: Int, filling body: (State, Int, UnsafeMutableBufferPointer<Float>) throws(Failure) -> Void
  ) throws(Failure) {
    for state in State.allCases {
      for index in memory.space.parameters.indices { try body(state, index, memory(of: state)[index]) }
    }
    self.stepCount = stepCount
  }

  /// A copy of the parameters, for an engine.
  public func checkpoint(named name: String) throws(TrainingError) -> Checkpoint {
    do {
      return try Checkpoint(inMemory: configuration, name: name) { target, index in
        target.baseAddress!.update(from: values(.parameters, of: index).baseAddress!, count: target.count)
      }
    } catch { throw .model(error) }
  }
}
