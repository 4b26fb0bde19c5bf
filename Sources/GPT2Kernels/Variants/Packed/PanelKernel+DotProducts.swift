extension PanelKernel {
  /// Against a matrix in `rows`, as the token embedding lies in its file: vectors run along the inputs, four
  /// outputs at a time, each with a vector of sums for each row of the tile.
  func runDotProducts(_ operation: Linear) {
    let rows = operation.input.rows
    let lanes = V.scalarCount
    guard rows > 0 else { return }
    pool.split(0..<operation.weight.outputs, grain: 32) { outputs in
      withUnsafeTemporaryAllocation(of: Float.self, capacity: rows * lanes) { sums in
        for first in stride(from: outputs.lowerBound, to: outputs.upperBound, by: lanes) {
          let vector = first..<min(first + lanes, outputs.upperBound)
          for four in stride(from: first, to: vector.upperBound, by: 4) {
            multiply(
              operation, outputs: four..<min(four + 4, vector.upperBound),
              sums: sums.baseAddress! + (four - first))
          }
          finish(operation, rows: 0..<rows, outputs: vector, sums: sums.baseAddress!, width: lanes)
        }
      }
    }
  }

  /// All rows against four outputs, fewer at the end. Meanwhile the next four's weights are asked for: the tiles share
  /// them out, so that memory is as busy under the last as under the first.
  ///
  /// - Parameter sums: (rows, lanes)
  private func multiply(
    _ operation: Linear, outputs: Range<Int>, sums: UnsafeMutablePointer<Float>
  ) {
    let (rows, inputs) = (operation.input.rows, operation.weight.inputs)
    let weights = QuadRows(
      operation.weight.row(outputs.lowerBound), stride: inputs, count: outputs.count)
    let highest = tileRows == 8 ? 4 : 2
    let linesPerStep = min((4 * highest + rows - 1) / rows, 4)
    var next = weights.a + 4 &* inputs
    var row = 0
    while row < rows {
      let left = rows &- row
      let product = DotProduct(
        x: operation.input.row(row), stride: operation.input.stride, weights: weights, inputs: inputs,
        sums: sums + row &* V.scalarCount, next: next,
        linesPerStep: next < weights.a + 8 &* inputs ? linesPerStep : 0)
      if left >= 4, highest == 4 {
        DotPair<DotPair<DotRow<V>>>.run(product)
        row &+= 4
      } else if left >= 2 {
        DotPair<DotRow<V>>.run(product)
        row &+= 2
      } else {
        DotRow<V>.run(product)
        row &+= 1
      }
      next += product.linesPerStep &* inputs
    }
  }
}
