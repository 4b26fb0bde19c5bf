import GPT2Kernels
import Statistics

/// Layer norm of rows, whose weight and bias come from memory.
///
/// As in a pass, a product has just added to the rows before each call, each thread its share of them.
public final class LayerNormProblem: OperationProblem {
  public var callsPerPreparation: Int? { product == nil ? nil : 1 }

  private let rows, channels: Int
  private let kernel: any Kernel
  private let rotation: WeightRotation?
  /// Nil where nothing is timed.
  private let product: PrecedingProduct?
  private var preparations = 0
  /// (rows, channels)
  private let input, output: FloatBuffer
  /// Weight and bias, side by side.
  private let vectors: FloatBuffer

  private static let epsilon: Float = 1e-5

  /// - Parameter rotation: nil to run on its own vectors only.
  public init(
    rows: Int, channels: Int, kernel: any Kernel, rotation: WeightRotation?, seed: UInt64 = 1
  ) throws(EngineError) {
    input = try makeBuffer(rows * channels)
    output = try makeBuffer(rows * channels)
    vectors = try makeBuffer(2 * channels)
    if let rotation {
      product = try PrecedingProduct(
        rows: rows, inputs: channels, outputs: channels, kernel: kernel, rotation: rotation)
    } else {
      product = nil
    }
    (self.rows, self.channels, self.kernel, self.rotation) = (rows, channels, kernel, rotation)
    var generator = SeededGenerator(seed: seed)
    draw(input.base, count: rows * channels, &generator)
    draw(vectors.base, count: 2 * channels, &generator)
  }

  public func prepare() {
    product?.run(turn: preparations, to: output.base, residual: input.base)
    preparations += 1
  }

  public func run(turn: Int) -> UnsafePointer<Float> {
    run(vectors: rotation?.scattered(turn: turn, count: 2 * channels) ?? UnsafePointer(vectors.base))
  }

  private func run(vectors: UnsafePointer<Float>) -> UnsafePointer<Float> {
    kernel.run(
      LayerNorm(
        input: Matrix(input.base, rows: rows, columns: channels),
        weight: Vector(vectors, count: channels), bias: Vector(vectors + channels, count: channels),
        epsilon: Self.epsilon, output: MutableMatrix(output.base, rows: rows, columns: channels)))
    return UnsafePointer(output.base)
  }

  /// The mean may be off by a sum's bound; differences, root, quotient and products add a few roundings.
  public func check() -> ValueCheck {
    _ = run(vectors: UnsafePointer(vectors.base))
    var result = ValueCheck(compared: rows * channels, total: rows * channels)
    let factor = sumFactor(channels) + 4 * unitRoundoff
    for row in 0..<rows {
      let x = UnsafeBufferPointer(start: input.base + row * channels, count: channels).map(Double.init)
      let mean = x.reduce(0, +) / Double(channels)
      let size = x.reduce(0) { $0 + abs($1) } / Double(channels)
      let variance = x.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(channels)
      let deviation = (variance + Double(Self.epsilon)).squareRoot()
      for i in 0..<channels {
        let (weight, bias) = (Double(vectors.base[i]), Double(vectors.base[channels + i]))
        let scale = abs(weight) * (abs(x[i] - mean) + abs(x[i]) + size) / deviation + abs(bias)
        result.add(
          output.base[row * channels + i], (x[i] - mean) / deviation * weight + bias,
          tolerance: factor * scale, row: row, column: i)
      }
    }
    return result
  }

  /// The first failure among ragged shapes; nil where there is none.
  public static func firstRaggedFailure(of kernel: any Kernel) throws(EngineError) -> String? {
    for rows in RaggedSizes.rows {
      for channels in RaggedSizes.widths {
        let problem = try LayerNormProblem(rows: rows, channels: channels, kernel: kernel, rotation: nil)
        if let failure = problem.check().failure { return "\(rows)x\(channels): \(failure)" }
      }
    }
    return nil
  }
}
