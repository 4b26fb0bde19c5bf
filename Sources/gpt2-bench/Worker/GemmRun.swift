import GPT2Engine
import GPT2Kernels
import Measurement

/// Times one kernel on one matrix product.
///
/// The weights take turns among copies that together are larger than the caches, so each call reads them from
/// memory, as decoding does.
final class GemmRun {
  /// Bytes of all copies together.
  static let rotationBytes = 128 << 20

  private let problem: LinearProblem
  private let calibration = Calibration()
  private var iterations: Int?
  private var copy = 0

  init(_ shape: GemmShape, kernel: any Kernel) throws {
    problem = try LinearProblem(
      m: shape.m, n: shape.n, k: shape.k, kernel: kernel, weightBytes: Self.rotationBytes)
  }

  /// One sample; the first finds out how many calls it takes.
  func sample() -> CalibratedSample {
    guard let iterations else {
      let first = calibration.calibrate(call)
      iterations = first.iterations
      return first
    }
    return calibration.sample(iterations: iterations, call)
  }

  private func call(_ iterations: Int) {
    for _ in 0..<iterations {
      sink(problem.run(copy: launder(copy)))
      copy = (copy + 1) % problem.copies
    }
  }
}
