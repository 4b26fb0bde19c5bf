import GPT2Kernels
import Statistics

/// A product that stands beside an operation in a pass. The one before it leaves the operation's input in the caches of
/// the threads that computed their shares of it, behind the weights that they read from memory; the one behind it has
/// all threads read the operation's output, so that its next writer has to take the lines back from them.
final class AdjacentProduct {
  let inputs: Int
  private let rows, outputs: Int
  private let kernel: any Kernel
  private let layout: WeightLayout
  private let walk: WeightWalk
  /// (rows, inputs), small enough for sums in about −1 to 1.
  private let input: FloatBuffer
  /// (rows, outputs), for a product whose outcome nobody reads.
  private let unread: FloatBuffer

  /// - Parameters:
  ///   - layout: of the weights; the kernel's own unless given.
  ///   - walk: where the weights come from, call after call.
  init(
    rows: Int, inputs: Int, outputs: Int, kernel: any Kernel, layout: WeightLayout? = nil,
    walk: WeightWalk
  ) throws(EngineError) {
    let input = try makeBuffer(rows * inputs)
    let unread = try makeBuffer(rows * outputs)
    var generator = SeededGenerator(seed: 1)
    draw(input.base, count: rows * inputs, spread: (3 / Double(inputs)).squareRoot(), &generator)
    (self.rows, self.inputs, self.outputs) = (rows, inputs, outputs)
    (self.kernel, self.walk) = (kernel, walk)
    self.layout = layout ?? kernel.weightLayout
    self.input = input
    self.unread = unread
  }

  /// Nothing, and false, where one matrix is larger than what the walk goes through.
  ///
  /// - Parameters:
  ///   - source: (rows, inputs); its own unless given.
  ///   - output: (rows, outputs); where nobody reads it unless given.
  ///   - residual: (rows, outputs), grows by the product; `output` is scratch then. Nil for none.
  ///   - bias: (outputs)
  @discardableResult func run(
    from source: UnsafePointer<Float>? = nil, to output: UnsafeMutablePointer<Float>? = nil,
    residual: UnsafeMutablePointer<Float>? = nil, bias: UnsafePointer<Float>? = nil
  ) -> Bool {
    let count = layout.count(outputs: outputs, inputs: inputs)
    guard let weights = walk.next(count) else { return false }
    kernel.run(
      Linear(
        input: Matrix(source ?? UnsafePointer(input.base), rows: rows, columns: inputs),
        weight: Weight(weights, outputs: outputs, inputs: inputs, layout: layout),
        bias: bias.map { Vector($0, count: outputs) },
        output: MutableMatrix(output ?? unread.base, rows: rows, columns: outputs),
        epilogue: residual.map { .residual(MutableMatrix($0, rows: rows, columns: outputs)) } ?? .none))
    return true
  }
}
