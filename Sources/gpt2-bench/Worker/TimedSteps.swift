import GPT2Kernels
import GPT2Model
import Measurement
import Training

/// Times steps of training. Each goes on from the parameters that the one before has left.
final class TimedSteps {
  private let trainer: Trainer
  private let clock: any MonotonicClock = SystemClock()

  init(_ checkpoint: Checkpoint, variant: Variant, threads: Int, _ options: TrainingOptions) throws {
    trainer = try Trainer(checkpoint, variant: variant, threads: threads, options: options)
  }

  /// Makes it ready for such steps; false where its memory has no room, or the optimizer is another.
  func reshaped(for options: TrainingOptions) -> Bool {
    (try? trainer.reshape(batch: options.batch, context: options.context)) != nil
      && trainer.options == options
  }

  /// - Parameters:
  ///   - request: with options that it is `reshaped` for.
  ///   - counters: count the whole step.
  func perform(_ request: RunRequest.Training, _ counters: CounterSet?) throws -> RunAnswer {
    let windows = request.trainingWindows
    counters?.start()
    let start = clock.now()
    let figures = try trainer.step(windows)
    let elapsed = clock.now() - start
    let counted = counters?.stop()
    return RunAnswer(
      elapsedNanoseconds: Double(elapsed), iterations: 1, prefillNanoseconds: nil, tokenNanoseconds: [],
      ids: [], loss: figures.loss
    ).with(counted)
  }
}

extension RunRequest.Training {
  init(windows: [[Int]], _ options: TrainingOptions) {
    self.init(
      windows: windows, learningRate: options.learningRate, weightDecay: options.weightDecay,
      beta1: options.beta1, beta2: options.beta2, epsilon: options.epsilon, clip: options.clip)
  }

  var trainingWindows: [Window] { windows.map { Window($0.map(Int32.init)) } }

  /// Tokens that each window predicts.
  var context: Int { (windows.first?.count ?? 1) - 1 }

  var options: TrainingOptions {
    var options = TrainingOptions(benchmarking: windows.count, context: context)
    (options.learningRate, options.weightDecay) = (learningRate, weightDecay)
    (options.beta1, options.beta2, options.epsilon, options.clip) = (beta1, beta2, epsilon, clip)
    return options
  }
}
