import GPT2Kernels
import Statistics

/// Layer norm of rows, whose weight and bias come from memory.
///
/// As in a pass before a layer's attention: the rows that the call before wrote have been read for queries, keys and
/// values, and the MLP has just added to those that it reads, each thread its share of them.
public final class LayerNormProblem: OperationProblem {
  public var callsPerPreparation: Int? { products == nil ? nil : 1 }

  private let rows, channels: Int
  private let kernel: any Kernel
  private let rotation: WeightRotation?
  /// The product before it and the one behind it; nil where nothing is timed.
  private let products: (before: AdjacentProduct, behind: AdjacentProduct)?
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
      products = (
        try AdjacentProduct(
          rows: rows, inputs: 4 * channels, outputs: channels, kernel: kernel, rotation: rotation),
        try AdjacentProduct(
          rows: rows, inputs: channels, outputs: 3 * channels, kernel: kernel, rotation: rotation)
      )
    } else {
      products = nil
    }
    (self.rows, self.channels, self.kernel, self.rotation) = (rows, channels, kernel, rotation)
    var generator = SeededGenerator(seed: seed)
    draw(input.base, count: rows * channels, &generator)
    draw(vectors.base, count: 2 * channels, &generator)
  }

  /// What a worker keeps for it, in bytes: input and output, and what the products beside it read and write, which is
  /// five times as wide before it and four times behind it.
  public static func bytes(rows: Int, channels: Int) -> Double {
    4 * (2 + 5 + 4) * Double(rows) * Double(channels)
  }

  public func prepare() {
    products?.behind.run(turn: 2 * preparations, from: UnsafePointer(output.base))
    products?.before.run(turn: 2 * preparations + 1, to: output.base, residual: input.base)
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
