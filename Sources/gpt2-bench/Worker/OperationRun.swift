import GPT2Engine
import Measurement
import Record

/// Times one operation alone, where a pass of the model would find its operands.
final class OperationRun {
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

/// How much memory the weights of what is timed alone go round in.
enum StreamedMemory {
  /// Half as much again as all last-level caches, at least 192 MiB, which have room for GPT-2's table of tokens, and at
  /// most a seventy-second of the memory: each of ten workers has one, and attention its own keys and values as large.
  static var bytes: Int {
    let wanted = max(192 << 20, CPUCache.lastLevelBytes() / 2 * 3)
    return min(wanted, Machine.memoryBytes.map { $0 / 72 } ?? wanted)
  }

  /// What a report must say where that is not more than the caches hold.
  static var warning: String? {
    let (bytes, cache) = (bytes, CPUCache.lastLevelBytes())
    guard bytes <= cache else { return nil }
    return
      "the weights go round in \(bytes >> 20) MiB, all that this machine's memory allows, and its caches hold "
      + "\(cache >> 20) MiB: they may not have come from memory"
  }
}
