import GPT2Engine
import GPT2Kernels
import GPT2Model

/// Consecutive tokens of a text: all but the last go in, all but the first are what they predict.
public struct Window: Equatable, Sendable {
  /// `context` + 1 ids.
  public let tokens: [Int32]

  public init(_ tokens: [Int32]) { self.tokens = tokens }
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
  public let options: TrainingOptions
  public let variant: Variant
  public let threads: Int
  /// Steps that the parameters have behind them.
  public private(set) var stepCount = 0

  /// Begins with a model's parameters.
  /// - Parameter threads: how many the variant may use; one that is not threaded uses one.
  public init(
    _ checkpoint: Checkpoint, variant: Variant, threads: Int, options: TrainingOptions
  ) throws(TrainingError) {
    preconditionFailure("to come")
  }

  /// Begins with new parameters: GPT-2's own distribution, drawn from the options' seed.
  public init(
    initialising configuration: Configuration, variant: Variant, threads: Int, options: TrainingOptions
  ) throws(TrainingError) {
    preconditionFailure("to come")
  }

  /// Forward and backward through all windows, and one update of the parameters.
  /// - Parameter windows: `options.windowsPerStep`, each of `options.context` + 1 tokens.
  /// - Throws: `TrainingError.notFinite`, with the parameters as before.
  public func step(_ windows: [Window]) throws(TrainingError) -> StepFigures {
    preconditionFailure("to come")
  }

  /// The mean loss in nats a token, without dropout; nothing changes.
  /// - Parameter windows: any number from 1 on.
  public func evaluate(_ windows: [Window]) throws(TrainingError) -> Double {
    preconditionFailure("to come")
  }

  /// A tensor's values, row-major in its `parameter.shape`, valid until the next step and while the trainer lives.
  public func values(_ state: State, of index: Int) -> UnsafeBufferPointer<Float> {
    preconditionFailure("to come")
  }

  /// Takes up a training where it was left: `fill` writes every tensor of every state.
  /// - Parameter stepCount: the steps that these states have behind them.
  public func restore<Failure: Error>(
    stepCount: Int, _ fill: (State, Int, UnsafeMutableBufferPointer<Float>) throws(Failure) -> Void
  ) throws(Failure) {
    preconditionFailure("to come")
  }

  /// A copy of the parameters, for an engine.
  public func checkpoint(named name: String) throws(TrainingError) -> Checkpoint {
    preconditionFailure("to come")
  }

  /// Bytes of everything that a step needs.
  public var memoryBytes: Int { preconditionFailure("to come") }
}
