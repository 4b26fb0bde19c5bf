/// The gradients of a linear layer Y = X · W + b, of shapes (m, k), (k, n) and (n), from that of its output, dY:
/// dX = dY · Wᵀ, dW += Xᵀ · dY, db += the sums of dY's columns.
public struct LinearGradient: @unchecked Sendable {
  /// (m, k), one row after the other without a gap.
  public let input: Matrix
  /// n outputs of k inputs, in `rows` or `columns`.
  public let weight: Weight
  /// (m, n), one row after the other without a gap.
  public let outputGradient: Matrix
  /// (m, k), which is overwritten; nil where nobody wants it.
  public let inputGradient: MutableMatrix?
  /// n · k floats in the layout of `weight`, which grow.
  public let weightGradient: UnsafeMutablePointer<Float>
  /// (n), which grow, or none.
  public let biasGradient: UnsafeMutablePointer<Float>?
  /// As many floats as `scratchCount` says.
  public let scratch: UnsafeMutablePointer<Float>

  public init(
    input: Matrix, weight: Weight, outputGradient: Matrix, inputGradient: MutableMatrix?,
    weightGradient: UnsafeMutablePointer<Float>, biasGradient: UnsafeMutablePointer<Float>?,
    scratch: UnsafeMutablePointer<Float>
  ) {
    assert(weight.layout == .rows || weight.layout == .columns)
    assert(input.columns == weight.inputs && outputGradient.columns == weight.outputs)
    assert(input.rows == outputGradient.rows)
    assert(input.stride == input.columns && outputGradient.stride == outputGradient.columns)
    if let inputGradient {
      assert(inputGradient.rows == input.rows && inputGradient.columns == input.columns)
    }
    (self.input, self.weight, self.outputGradient) = (input, weight, outputGradient)
    (self.inputGradient, self.weightGradient) = (inputGradient, weightGradient)
    (self.biasGradient, self.scratch) = (biasGradient, scratch)
  }

  /// Rows of the matrix's gradient, as it lies in memory, that are computed together.
  private static var blockRows: Int { 2048 }

  /// Floats of scratch that a layer takes.
  public static func scratchCount(m: Int, n: Int, k: Int, layout: WeightLayout) -> Int {
    let (rows, columns) = layout == .rows ? (n, k) : (k, n)
    return max(min(rows, blockRows) * (m + columns), rows > blockRows ? m * columns : 0)
  }

  /// Twice the layer's own: one product for each of both gradients.
  public static func flops(m: Int, n: Int, k: Int) -> Double { 2 * Linear.flops(m: m, n: n, k: k) }
}

extension LinearGradient {
  func runByTheFormula(on kernel: some Kernel) {
    let (m, n, k) = (input.rows, weight.outputs, weight.inputs)
    let (outputStep, inputStep) = weight.layout == .rows ? (k, 1) : (1, n)
    if let inputGradient {
      kernel.forEach(m) { row in
        let (y, x) = (outputGradient.row(row), inputGradient.row(row))
        for input in 0..<k {
          var sum: Float = 0
          for output in 0..<n { sum += y[output] * weight.base[output * outputStep + input * inputStep] }
          x[input] = sum
        }
      }
    }
    kernel.forEach(n) { output in
      for input in 0..<k {
        var sum: Float = 0
        for row in 0..<m { sum += self.input.row(row)[input] * outputGradient.row(row)[output] }
        weightGradient[output * outputStep + input * inputStep] += sum
      }
      guard let biasGradient else { return }
      var sum: Float = 0
      for row in 0..<m { sum += outputGradient.row(row)[output] }
      biasGradient[output] += sum
    }
  }

  /// Three products, without a copy of the matrix: its memory is that of its transpose in the other layout. dW is
  /// computed as it lies, some of its rows at a time, from a transposed copy of the operand that they belong to. Where that
  /// is dY, whose rows may be as long as a vocabulary, dX takes the same columns of it meanwhile.
  func runAsProducts(on kernel: some Kernel) {
    let m = input.rows
    let isInRows = weight.layout == .rows
    let (left, right) = isInRows ? (outputGradient, input) : (input, outputGradient)
    let (rows, columns) = (left.columns, right.columns)
    if !isInRows, let inputGradient {
      let transposed = Weight(weight.base, outputs: rows, inputs: columns, layout: .rows)
      kernel.run(
        Linear(
          input: outputGradient, weight: transposed, bias: nil, output: inputGradient,
          sumsMayDependOnRows: true))
    }
    for first in stride(from: 0, to: rows, by: Self.blockRows) {
      let count = min(Self.blockRows, rows - first)
      let slice = Matrix(left.base + first, rows: m, columns: count, stride: left.stride)
      if isInRows, let inputGradient {
        kernel.run(
          Linear(
            input: slice,
            weight: Weight(weight.base + first * columns, outputs: columns, inputs: count, layout: .columns),
            bias: nil,
            output: first == 0 ? inputGradient : MutableMatrix(scratch, rows: m, columns: columns),
            epilogue: first == 0 ? .none : .residual(inputGradient)))
      }
      addWeightGradient(slice, right, at: weightGradient + first * columns, on: kernel)
    }
    guard let biasGradient else { return }
    kernel.forEachPiece(of: weight.outputs, size: 64) { columns in
      addColumnSums(of: outputGradient, columns: columns, to: biasGradient)
    }
  }

  /// target[r, c] += Σ left[row, r] · right[row, c]
  private func addWeightGradient(
    _ left: Matrix, _ right: Matrix, at target: UnsafeMutablePointer<Float>, on kernel: some Kernel
  ) {
    let (m, rows, columns) = (left.rows, left.columns, right.columns)
    let (transposed, product) = (scratch, scratch + rows * m)
    kernel.forEachPiece(of: rows, size: 64) { piece in
      transpose(
        left.base + piece.lowerBound, stride: left.stride, rows: m, columns: piece.count,
        to: transposed + piece.lowerBound * m, stride: m)
    }
    kernel.run(
      Linear(
        input: Matrix(transposed, rows: rows, columns: m),
        weight: Weight(right.base, outputs: columns, inputs: m, layout: .columns), bias: nil,
        output: MutableMatrix(product, rows: rows, columns: columns),
        epilogue: .residual(MutableMatrix(target, rows: rows, columns: columns))))
  }
}

/// sums[c] += Σ of column c, in the order of the rows.
private func addColumnSums(
  of matrix: Matrix, columns: Range<Int>, to sums: UnsafeMutablePointer<Float>
) {
  withThreadMemory(columns.count) { totals in
    totals.initialize(repeating: 0, count: columns.count)
    for row in 0..<matrix.rows {
      let values = matrix.row(row) + columns.lowerBound
      for column in 0..<columns.count { totals[column] += values[column] }
    }
    for column in 0..<columns.count { sums[columns.lowerBound &+ column] += totals[column] }
  }
}
