import GPT2Kernels
import Statistics

/// A matrix product, a linear layer with its bias, whose weights come from memory, as decoding has them: they take turns in a rotation.
public final class MatmulProblem: OperationProblem {
  private let m, k, n: Int
  private let kernel: any Kernel
  private let rotation: WeightRotation?
  /// (m, k)
  private let input: FloatBuffer
  /// In the kernel's layout.
  private let weights: LaidOutMatrix
  /// What those hold, as (n, k), for the comparison.
  private let rows: FloatBuffer
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
    output = try PoisonedOutput(m * n)
    WeightLayout.rows.store(conv1D: conv1D.base, inputs: k, outputs: n, to: rows.base)
    weights = try LaidOutMatrix(linear: rows.base, outputs: n, inputs: k, layout: kernel.weightLayout)
    for output in 0..<n { weights.weight.read(output, to: rows.base + output * k) }
  }

  static func bytes(m: Int, k: Int, n: Int) -> Double {
    let (m, k, n) = (Double(m), Double(k), Double(n))
    return 4 * (3 * k * n + m * (k + n))
  }

  /// With a matrix of the rotation's instead of its own, where it is no larger than that: the same work on numbers that
  /// are no product of this problem's operands.
  public func run(turn: Int) -> UnsafePointer<Float> {
    let count = kernel.weightLayout.count(outputs: n, inputs: k)
    return run(weights: rotation?.weights(turn: turn, count: count) ?? weights.weight.base)
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
    _ = run(weights: weights.weight.base)
    var result = checkOutput()
    output.hold(&result)
    return result
  }

  /// Compares what the output holds with sums in double.
  ///
  /// A sum of k float32 products may be off by `sumFactor(k)` · Σ|x·w|; each product, and the sum, that is subnormal by
  /// half a step. Where the kernel rounds inputs, that comes on top.
  public func checkOutput() -> ValueCheck {
    let places = comparedPlaces(of: m * n, cost: k, limit: 200_000_000)
    var result = ValueCheck(compared: places.count, total: m * n)
    let factor = sumFactor(k)
    let underflow = Double(k + 1) * subnormalStep / 2
    let rounding = InputRounding(kernel)
    for place in places {
      let (row, column) = (place / n, place % n)
      var sum = Double(bias.base[column])
      var magnitude = abs(sum)
      for i in 0..<k {
        let product = Double(input.base[row * k + i]) * Double(rows.base[column * k + i])
        sum += product
        magnitude += abs(product)
      }
      let rounded = rounding.error(input.base + row * k, rows.base + column * k, count: k)
      result.add(
        output.base[place], sum, tolerance: factor * magnitude + underflow + rounded, row: row, column: column
      )
    }
    return result
  }
}

/// What a kernel rounds the inputs of its products to.
private enum InputRounding {
  case none
  /// bfloat16: eight bits, and neither subnormal inputs nor subnormal sums.
  case brainFloat
  /// Integers, of which 127 stand for the largest of 32 inputs.
  case bytes

  init(_ kernel: any Kernel) {
    switch kernel.weightLayout.precision {
    case .f32: self = .none
    case .bf16:
      self = kernel.instructions.flatMap(DotPath.init(rawValue:))?.roundsRows == true ? .brainFloat : .none
    case .int8, .int4: self = .bytes
    }
  }

  /// At most what rounding makes of Σ x·w.
  func error(_ x: UnsafePointer<Float>, _ w: UnsafePointer<Float>, count: Int) -> Double {
    switch self {
    case .none: return 0
    case .brainFloat:
      return (0..<count).reduce(0) {
        $0 + 0x1p-8 * abs(Double(x[$1]) * Double(w[$1])) + Double(Float.leastNormalMagnitude)
      }
    case .bytes:
      return stride(from: 0, to: count, by: 32).reduce(0) { error, first in
        let block = first..<min(first + 32, count)
        let largest = block.reduce(0) { max($0, abs(Double(x[$1]))) }
        // Half a step, and the rounding of the inverse that inputs are scaled by.
        return error + block.reduce(0) { $0 + abs(Double(w[$1])) } * largest * (0.5 / 127 + 0x1p-22)
      }
    }
  }
}
