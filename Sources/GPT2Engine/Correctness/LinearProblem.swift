import GPT2Kernels
import Statistics

/// A linear layer of any shape with operands drawn at random, prepared for one kernel.
public final class LinearProblem {
  public let m, n, k: Int

  private let kernel: any Kernel
  private let input, rows, bias, weights, output: FloatBuffer

  public init(m: Int, n: Int, k: Int, kernel: any Kernel, seed: UInt64 = 1) throws(EngineError) {
    let size = kernel.weightLayout.count(outputs: n, inputs: k)
    let input = try makeBuffer(m * k)
    let rows = try makeBuffer(n * k)
    let bias = try makeBuffer(n)
    let weights = try makeBuffer(size, isFilledAtOnce: true)
    let output = try makeBuffer(m * n)
    var generator = SeededGenerator(seed: seed)
    draw(input.base, count: m * k, &generator)
    draw(bias.base, count: n, &generator)
    // Drawn as (k, n), the way a checkpoint holds it; kept as (n, k) for the oracle.
    let drawn = try makeBuffer(n * k)
    draw(drawn.base, count: n * k, &generator)
    WeightLayout.rows.store(conv1D: drawn.base, inputs: k, outputs: n, to: rows.base)
    kernel.weightLayout.store(conv1D: drawn.base, inputs: k, outputs: n, to: weights.base)
    (self.m, self.n, self.k, self.kernel) = (m, n, k, kernel)
    self.input = input
    self.rows = rows
    self.bias = bias
    self.weights = weights
    self.output = output
  }

  /// The whole product once.
  ///
  /// - Returns: the output, (m, n).
  @discardableResult
  public func run() -> UnsafePointer<Float> { run(weights: UnsafePointer(weights.base)) }

  /// The whole product once with a matrix of the rotation's instead of its own: the same work on numbers that are
  /// no product of this problem's operands, for timing alone.
  @discardableResult
  public func run(turn: Int, of rotation: WeightRotation) -> UnsafePointer<Float> {
    let size = kernel.weightLayout.count(outputs: n, inputs: k)
    return run(weights: rotation.weights(turn: turn, count: size) ?? UnsafePointer(weights.base))
  }

  private func run(weights: UnsafePointer<Float>) -> UnsafePointer<Float> {
    kernel.run(
      Linear(
        input: Matrix(input.base, rows: m, columns: k),
        weight: Weight(weights, outputs: n, inputs: k, layout: kernel.weightLayout),
        bias: Vector(bias.base, count: n),
        output: MutableMatrix(output.base, rows: m, columns: n)))
    return UnsafePointer(output.base)
  }

  /// Compares the last output with sums in double.
  ///
  /// A sum of k float32 products may be off by `sumFactor(k)` · Σ|x·w|.
  ///
  /// - Parameter limit: multiplications that the comparison may cost; beyond it outputs are compared at even
  ///   distances, the last one always.
  public func check(limit: Int = 200_000_000) -> ValueCheck {
    let total = m * n
    let compared = max(min(total, limit / k), 1)
    var result = ValueCheck(compared: compared, total: total)
    let factor = sumFactor(k)
    for index in 0..<compared {
      let place = compared == 1 ? total - 1 : index * (total - 1) / (compared - 1)
      let (row, column) = (place / n, place % n)
      var sum = Double(bias.base[column])
      var magnitude = abs(sum)
      for i in 0..<k {
        let product = Double(input.base[row * k + i]) * Double(rows.base[column * k + i])
        sum += product
        magnitude += abs(product)
      }
      result.add(output.base[place], sum, tolerance: factor * magnitude, row: row, column: column)
    }
    return result
  }
}

extension LinearProblem {
  /// The shapes that every kernel is held against its oracle on before any is timed: all combinations of sizes
  /// around the widths of vectors and tiles.
  public static let raggedSizes = (
    m: [1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 16, 17], n: [1, 3, 7, 8, 9, 17], k: [1, 7, 8, 9, 17, 63, 65, 130]
  )

  /// The first failure among the ragged shapes; nil where there is none.
  public static func firstRaggedFailure(of kernel: any Kernel) throws(EngineError) -> String? {
    for m in raggedSizes.m {
      for n in raggedSizes.n {
        for k in raggedSizes.k {
          let problem = try LinearProblem(m: m, n: n, k: k, kernel: kernel)
          problem.run()
          if let failure = problem.check().failure { return "\(m)x\(k)x\(n): \(failure)" }
        }
      }
    }
    return nil
  }
}
