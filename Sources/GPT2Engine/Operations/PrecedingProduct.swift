import GPT2Kernels
import Statistics

/// The product that stands before an operation in a pass. It leaves the operation's input in the caches of the threads
/// that computed their shares of it, behind the weights that they read from memory.
final class PrecedingProduct {
  private let rows, inputs, outputs: Int
  private let kernel: any Kernel
  private let rotation: WeightRotation
  /// (rows, inputs), small enough for sums in about −1 to 1.
  private let input: FloatBuffer

  /// - Parameter rotation: where the weights take turns.
  init(
    rows: Int, inputs: Int, outputs: Int, kernel: any Kernel, rotation: WeightRotation
  ) throws(EngineError) {
    let input = try makeBuffer(rows * inputs)
    var generator = SeededGenerator(seed: 1)
    draw(input.base, count: rows * inputs, spread: (3 / Double(inputs)).squareRoot(), &generator)
    (self.rows, self.inputs, self.outputs) = (rows, inputs, outputs)
    (self.kernel, self.rotation) = (kernel, rotation)
    self.input = input
  }

  /// Nothing where one matrix is larger than the rotation.
  ///
  /// - Parameters:
  ///   - output: (rows, outputs)
  ///   - residual: (rows, outputs), grows by the product; `output` is scratch then. Nil for none.
  func run(
    turn: Int, to output: UnsafeMutablePointer<Float>, residual: UnsafeMutablePointer<Float>? = nil
  ) {
    let layout = kernel.weightLayout
    let count = layout.count(outputs: outputs, inputs: inputs)
    guard let weights = rotation.scattered(turn: turn, count: count) else { return }
    kernel.run(
      Linear(
        input: Matrix(input.base, rows: rows, columns: inputs),
        weight: Weight(weights, outputs: outputs, inputs: inputs, layout: layout), bias: nil,
        output: MutableMatrix(output, rows: rows, columns: outputs),
        epilogue: residual.map { .residual(MutableMatrix($0, rows: rows, columns: outputs)) } ?? .none))
  }
}
