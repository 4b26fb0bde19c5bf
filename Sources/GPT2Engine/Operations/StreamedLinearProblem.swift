import GPT2Kernels

/// A linear layer whose weights come from memory, as decoding has them: they take turns in a rotation.
public final class StreamedLinearProblem: OperationProblem {
  private let problem: LinearProblem
  private let rotation: WeightRotation?

  /// - Parameter rotation: nil for a problem that will only be checked.
  public init(
    m: Int, n: Int, k: Int, kernel: any Kernel, rotation: WeightRotation?
  ) throws(EngineError) {
    problem = try LinearProblem(m: m, n: n, k: k, kernel: kernel)
    self.rotation = rotation
  }

  public func run(turn: Int) -> UnsafePointer<Float> {
    guard let rotation else { return problem.run() }
    return problem.run(turn: turn, of: rotation)
  }

  public func check() -> ValueCheck {
    problem.run()
    return problem.check()
  }
}
