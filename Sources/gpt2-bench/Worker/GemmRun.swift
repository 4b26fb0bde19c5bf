import GPT2Engine
import GPT2Kernels
import Measurement

/// Times one kernel on one matrix product.
///
/// The weights take turns in a rotation larger than the caches, so each call reads them from memory, as decoding
/// does.
final class GemmRun {
  private let problem: LinearProblem
  private let rotation: WeightRotation
  private let calibration = Calibration()
  private var iterations: Int?
  private var turn = 0

  init(_ shape: GemmShape, kernel: any Kernel, rotation: WeightRotation) throws {
    problem = try LinearProblem(m: shape.m, n: shape.n, k: shape.k, kernel: kernel)
    self.rotation = rotation
  }

  /// One sample and what was counted in it; the first finds out how many calls it takes, and is not counted.
  func sample(_ counters: CounterSet?) -> (CalibratedSample, Counted?) {
    guard let iterations else {
      let first = calibration.calibrate(call)
      iterations = first.iterations
      return (first, nil)
    }
    counters?.start()
    let sample = calibration.sample(iterations: iterations, call)
    return (sample, counters?.stop())
  }

  private func call(_ iterations: Int) {
    for _ in 0..<iterations {
      sink(problem.run(turn: launder(turn), of: rotation))
      turn += 1
    }
  }
}

/// How much memory the weights of timed products go round in.
enum GemmRotation {
  /// Half as much again as all last-level caches, at least 128 MiB, and at most a thirty-second of the memory: every
  /// worker has one.
  static func bytes(_ machine: MachineFacts) -> Int {
    let wanted = max(128 << 20, machine.lastLevelCacheBytes / 2 * 3)
    return min(wanted, machine.memoryBytes.map { $0 / 32 } ?? wanted)
  }

  /// What a report must say where that is not more than the caches hold.
  static func warning(_ machine: MachineFacts) -> String? {
    let (bytes, cache) = (bytes(machine), machine.lastLevelCacheBytes)
    guard bytes <= cache else { return nil }
    return
      "the weights go round in \(bytes >> 20) MiB, all that this machine's memory allows, and its caches hold "
      + "\(cache >> 20) MiB: they may not have come from memory"
  }
}
