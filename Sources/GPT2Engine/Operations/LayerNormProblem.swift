import GPT2Kernels
import Statistics

/// Layer norm of rows, whose weight and bias come from memory.
///
/// As in a pass: the rows that the call before wrote have been read by a linear layer, and another has just added to those
/// that it reads, each thread its share of them. Calls are in turns a layer's first norm, between the MLP before and the
/// queries, keys and values, and its second, between the attention's projection and the MLP. A layer's vectors lie one
/// after the other, so that reading the biases before them fetches a part of the second norm's.
public final class LayerNormProblem: OperationProblem {
  public var callsPerPreparation: Int? { places.isEmpty ? nil : 1 }

  private let rows, channels: Int
  private let kernel: any Kernel
  private let walk: WeightWalk?
  /// A layer's two norms; none where nothing is timed.
  private let places: [Place]
  private var preparations = 0
  /// (rows, channels)
  private let input: FloatBuffer
  /// (rows, channels)
  private let output: PoisonedOutput
  /// Weight and bias, side by side.
  private let vectors: FloatBuffer
  /// The vectors of the layer that the next call is in; nil where a norm has only its own.
  private var layer: UnsafePointer<Float>?
  /// Where weight and bias of the next call lie.
  private var next: UnsafePointer<Float>

  /// A norm in its layer. Vectors are counted in widths of a row from where the layer's begin.
  private struct Place {
    let vectors: Int
    let before: AdjacentLinear
    /// Of the layer before where this is a layer's first norm.
    let biasBefore: Int
    let after: AdjacentLinear
    let biasAfter: Int
  }

  /// Norms and biases of a layer, in widths of a row.
  private static let layerVectors = 13

  private static let epsilon: Float = 1e-5

  /// Of a subnormal input, and of what makes outputs of it that are subnormal too: a deviation is at least √ε.
  private static let subnormalSpread = (input: 0x1p-128, weight: 0x1p-10, bias: 0x1p-130)

  /// - Parameter rotation: nil to run on its own vectors only.
  public init(
    rows: Int, channels: Int, kernel: any Kernel, rotation: WeightRotation?, operands: Operands = .ordinary
  ) throws(EngineError) {
    var generator = SeededGenerator(seed: 1)
    let spread: (input: Double, weight: Double, bias: Double) =
      operands == .subnormal ? Self.subnormalSpread : (1, 1, 1)
    input = try drawn(rows * channels, spread: spread.input, &generator)
    vectors = try makeBuffer(2 * channels)
    draw(vectors.base, count: channels, spread: spread.weight, &generator)
    draw(vectors.base + channels, count: channels, spread: spread.bias, &generator)
    output = try PoisonedOutput(rows * channels)
    next = UnsafePointer(vectors.base)
    let walk = rotation.map(WeightWalk.init)
    places =
      try walk.map { walk throws(EngineError) in
        func linear(_ inputs: Int, _ outputs: Int) throws(EngineError) -> AdjacentLinear {
          try AdjacentLinear(
            rows: rows, inputs: inputs * channels, outputs: outputs * channels, kernel: kernel, walk: walk)
        }
        return [
          Place(vectors: 0, before: try linear(4, 1), biasBefore: 12, after: try linear(1, 3), biasAfter: 2),
          Place(vectors: 6, before: try linear(1, 1), biasBefore: 5, after: try linear(1, 4), biasAfter: 8),
        ]
      } ?? []
    (self.rows, self.channels, self.kernel, self.walk) = (rows, channels, kernel, walk)
  }

  /// What a worker keeps for it, in bytes: input and output, and what the layers beside it read and write, in widths
  /// of a row 5 and 4 for the first norm, 2 and 5 for the second.
  static func bytes(rows: Int, channels: Int) -> Double {
    4 * (2 + 5 + 4 + 2 + 5) * Double(rows) * Double(channels)
  }

  public func prepare() {
    guard !places.isEmpty else { return }
    let last = places[(preparations + places.count - 1) % places.count]
    let own = places[preparations % places.count]
    last.after.run(from: UnsafePointer(output.base), bias: vector(last.biasAfter))
    own.before.run(to: output.base, residual: input.base, bias: vector(own.biasBefore))
    if own.vectors == 0 { layer = walk?.apart(Self.layerVectors * channels) }
    next = vector(own.vectors) ?? UnsafePointer(vectors.base)
    preparations += 1
  }

  private func vector(_ place: Int) -> UnsafePointer<Float>? { layer.map { $0 + place * channels } }

  public func run(turn: Int) -> UnsafePointer<Float> { run(vectors: next) }

  private func run(vectors: UnsafePointer<Float>) -> UnsafePointer<Float> {
    kernel.run(
      LayerNorm(
        input: Matrix(input.base, rows: rows, columns: channels),
        weight: Vector(vectors, count: channels), bias: Vector(vectors + channels, count: channels),
        epsilon: Self.epsilon, output: MutableMatrix(output.base, rows: rows, columns: channels)))
    return UnsafePointer(output.base)
  }

  /// The mean may be off by a sum's bound; differences, root, quotient and products add a few roundings, of which those
  /// of subnormal numbers are off by half a step.
  public func check() -> ValueCheck {
    output.fill()
    _ = run(vectors: UnsafePointer(vectors.base))
    var result = ValueCheck(total: rows * channels)
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
          tolerance: factor * scale + 2 * subnormalStep * (abs(weight) / deviation + 1), row: row, column: i)
      }
    }
    output.hold(&result)
    return result
  }
}
