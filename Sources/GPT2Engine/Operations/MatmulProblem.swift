import GPT2Kernels
import Statistics

/// A matrix product, a linear layer with its bias, whose weights come from memory, as decoding has them: they take turns in a rotation.
public final class MatmulProblem: OperationProblem {
  private let m, k, n: Int
  private let kernel: any Kernel
  private let rotation: WeightRotation?
  /// (m, k)
  private let input: FloatBuffer
  /// The matrix as (n, k), for the comparison, and in the kernel's layout.
  private let rows, weights: FloatBuffer
  /// (n)
  private let bias: FloatBuffer
  /// (m, n)
  private let output: PoisonedOutput

  /// Of inputs and of weights, whose products are subnormal then, as is the bias.
  private static let subnormalSpread = (factor: 0x1p-66, bias: 0x1p-128)

  /// - Parameter rotation: nil for a problem that will only be checked.
  public init(
    m: Int, k: Int, n: Int, kernel: any Kernel, rotation: WeightRotation? = nil,
    operands: Operands = .ordinary
  ) throws(EngineError) {
    (self.m, self.k, self.n, self.kernel, self.rotation) = (m, k, n, kernel, rotation)
    var generator = SeededGenerator(seed: 1)
    let spread: (factor: Double, bias: Double) = operands == .subnormal ? Self.subnormalSpread : (1, 1)
    input = try drawn(m * k, spread: spread.factor, &generator)
    bias = try drawn(n, spread: spread.bias, &generator)
    // Drawn as (k, n), the way a checkpoint holds it.
    let conv1D = try drawn(n * k, spread: spread.factor, &generator)
    rows = try makeBuffer(n * k)
    weights = try makeBuffer(kernel.weightLayout.count(outputs: n, inputs: k), isFilledAtOnce: true)
    output = try PoisonedOutput(m * n)
    WeightLayout.rows.store(conv1D: conv1D.base, inputs: k, outputs: n, to: rows.base)
    kernel.weightLayout.store(conv1D: conv1D.base, inputs: k, outputs: n, to: weights.base)
  }

  static func bytes(m: Int, k: Int, n: Int) -> Double {
    let (m, k, n) = (Double(m), Double(k), Double(n))
    return 4 * (3 * k * n + m * (k + n))
  }

  /// With a matrix of the rotation's instead of its own, where it is no larger than that: the same work on numbers that
  /// are no product of this problem's operands.
  public func run(turn: Int) -> UnsafePointer<Float> {
    let count = kernel.weightLayout.count(outputs: n, inputs: k)
    return run(weights: rotation?.weights(turn: turn, count: count) ?? UnsafePointer(weights.base))
  }

  private func run(weights: UnsafePointer<Float>) -> UnsafePointer<Float> {
    kernel.run(
      Linear(
        input: Matrix(input.base, rows: m, columns: k),
        weight: Weight(weights, outputs: n, inputs: k, layout: kernel.weightLayout),
        bias: Vector(bias.base, count: n), output: MutableMatrix(output.base, rows: m, columns: n)))
    return UnsafePointer(output.base)
  }

  public func check() -> ValueCheck {
    output.fill()
    _ = run(weights: UnsafePointer(weights.base))
    var result = checkOutput()
    output.hold(&result)
    return result
  }

  /// Compares what the output holds with sums in double.
  ///
  /// A sum of k float32 products may be off by `sumFactor(k)` · Σ|x·w|; each product, and the sum, that is subnormal by
  /// half a step.
  public func checkOutput() -> ValueCheck {
    let places = comparedPlaces(of: m * n, cost: k, limit: 200_000_000)
    var result = ValueCheck(compared: places.count, total: m * n)
    let factor = sumFactor(k)
    let underflow = Double(k + 1) * subnormalStep / 2
    for place in places {
      let (row, column) = (place / n, place % n)
      var sum = Double(bias.base[column])
      var magnitude = abs(sum)
      for i in 0..<k {
        let product = Double(input.base[row * k + i]) * Double(rows.base[column * k + i])
        sum += product
        magnitude += abs(product)
      }
      result.add(output.base[place], sum, tolerance: factor * magnitude + underflow, row: row, column: column)
    }
    return result
  }
}
