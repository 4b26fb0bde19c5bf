import CSystem

extension PanelKernel {
  /// Against a matrix in `rows`, as the token embedding lies in its file: vectors run along the inputs, four
  /// outputs at a time, each with a vector of sums for each row of the tile.
  func runDotProducts(_ operation: Linear) {
    let rows = operation.input.rows
    pool.split(0..<operation.weight.outputs, grain: 32) { outputs in
      withUnsafeTemporaryAllocation(of: Float.self, capacity: 4 * V.scalarCount) { sums in
        for first in stride(from: outputs.lowerBound, to: outputs.upperBound, by: 4) {
          let count = min(4, outputs.upperBound - first)
          let columns = first..<first + count
          var row = 0
          while row < rows {
            if rows - row >= 4, tileRows == 8 {
              run(DotPair<DotPair<DotRow<V>>>.self, operation, row, columns, sums.baseAddress!)
              row += 4
            } else if rows - row >= 2 {
              run(DotPair<DotRow<V>>.self, operation, row, columns, sums.baseAddress!)
              row += 2
            } else {
              run(DotRow<V>.self, operation, row, columns, sums.baseAddress!)
              row += 1
            }
          }
        }
      }
    }
  }

  /// - Parameter sums: (tile rows, lanes)
  @inline(__always)
  private func run<T: DotTile>(
    _: T.Type, _ operation: Linear, _ row: Int, _ outputs: Range<Int>,
    _ sums: UnsafeMutablePointer<Float>
  ) where T.Vector == V {
    let inputs = operation.weight.inputs
    let rows = QuadRows(
      operation.weight.row(outputs.lowerBound), stride: inputs, count: outputs.count)
    let x = operation.input.row(row)
    let stride = operation.input.stride
    let whole = inputs / V.scalarCount &* V.scalarCount
    // The next four outputs' weights.
    let ahead = 4 &* inputs
    var tile = T()
    var k = 0
    while k < whole {
      csystem_prefetch_ahead(rows.a + (k &+ ahead))
      csystem_prefetch_ahead(rows.b + (k &+ ahead))
      csystem_prefetch_ahead(rows.c + (k &+ ahead))
      csystem_prefetch_ahead(rows.d + (k &+ ahead))
      tile.add(x + k, stride: stride, times: Quad(loading: rows, at: k))
      k &+= V.scalarCount
    }
    if k < inputs {
      let rest = inputs &- k
      tile.add(x + k, stride: stride, count: rest, times: Quad(loading: rows, at: k, count: rest))
    }
    tile.store(to: sums, stride: V.scalarCount)
    finish(operation, rows: row..<row + T.rows, outputs: outputs, sums: sums, width: V.scalarCount)
  }
}
