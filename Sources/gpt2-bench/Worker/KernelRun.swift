import GPT2Engine
import Measurement

/// Times one operation alone, where a pass of the model would find its operands.
final class KernelRun {
  private let problem: any OperationProblem
  private let calibration: Calibration
  private var iterations: Int?
  private var turn = 0

  /// Preparing takes far longer than a short call, and the clock stands meanwhile: such samples are shorter.
  static let minimumSample = (usual: Duration.milliseconds(10), preparedFor: Duration.milliseconds(2))
  /// Of a sample with its preparations.
  private static let limit = Duration.milliseconds(100)

  init(_ problem: any OperationProblem) {
    self.problem = problem
    let lengths = Self.minimumSample
    calibration =
      problem.callsPerPreparation == nil
      ? Calibration(minimumSample: lengths.usual)
      : Calibration(minimumSample: lengths.preparedFor, limit: Self.limit)
  }

  /// One sample and what was counted in it; the first finds out how many calls it takes, and is not counted. Nor is one
  /// of an operation that is prepared for: what that does would count.
  func sample(_ counters: CounterSet?) -> (CalibratedSample, Counted?) {
    guard let iterations else {
      let first =
        problem.callsPerPreparation.map {
          calibration.calibrate(preparedFor: $0, prepare: problem.prepare, call)
        } ?? calibration.calibrate(call)
      iterations = first.iterations
      return (first, nil)
    }
    if let calls = problem.callsPerPreparation {
      let sample = calibration.sample(
        iterations: iterations, preparedFor: calls, prepare: problem.prepare, call)
      return (sample, nil)
    }
    counters?.start()
    let sample = calibration.sample(iterations: iterations, call)
    return (sample, counters?.stop())
  }

  private func call(_ iterations: Int) {
    for _ in 0..<iterations {
      sink(problem.run(turn: launder(turn)))
      turn += 1
    }
  }
}
