import CSystem

extension PanelKernel {
  /// Against a matrix in `rows`, as the token embedding lies in its file: vectors run along the inputs, four
  /// outputs at a time, each with a vector of sums for each row of the tile.
  func runDotProducts(_ operation: Linear) {
    let rows = operation.input.rows
    let lanes = V.scalarCount
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

  /// All rows against four outputs, fewer at the end.
  ///
  /// - Parameter sums: (rows, lanes)
  @inline(__always)
  private func multiply(
    _ operation: Linear, outputs: Range<Int>, sums: UnsafeMutablePointer<Float>
  ) {
    let rows = operation.input.rows
    let highest = tileRows == 8 ? 4 : 2
    let tiles = (rows + highest - 1) / highest
    var (row, tile) = (0, 0)
    while row < rows {
      let target = sums + row &* V.scalarCount
      let lines = Self.prefetchedLines(tile: tile, of: tiles)
      if rows - row >= 4, highest == 4 {
        run(DotPair<DotPair<DotRow<V>>>.self, operation, row, outputs, lines, target)
        row += 4
      } else if rows - row >= 2 {
        run(DotPair<DotRow<V>>.self, operation, row, outputs, lines, target)
        row += 2
      } else {
        run(DotRow<V>.self, operation, row, outputs, lines, target)
        row += 1
      }
      tile += 1
    }
  }

  /// Which of the next four outputs' weights a tile asks for: they are shared out, so that memory is as busy under the
  /// last tile as under the first.
  @inline(__always)
  private static func prefetchedLines(tile: Int, of tiles: Int) -> Range<Int> {
    let sharing = min(tiles, 4)
    guard tile < sharing else { return 0..<0 }
    return tile * 4 / sharing..<(tile + 1) * 4 / sharing
  }

  /// - Parameters:
  ///   - ahead: which of the next four outputs to ask for.
  ///   - sums: (tile rows, lanes)
  @inline(__always)
  private func run<T: DotTile>(
    _: T.Type, _ operation: Linear, _ row: Int, _ outputs: Range<Int>, _ ahead: Range<Int>,
    _ sums: UnsafeMutablePointer<Float>
  ) where T.Vector == V {
    let inputs = operation.weight.inputs
    let rows = QuadRows(
      operation.weight.row(outputs.lowerBound), stride: inputs, count: outputs.count)
    let x = operation.input.row(row)
    let stride = operation.input.stride
    let whole = inputs / V.scalarCount &* V.scalarCount
    let next = rows.a + (4 &+ ahead.lowerBound) &* inputs
    var tile = T()
    var k = 0
    while k < whole {
      var line = next + k
      for _ in 0..<ahead.count {
        csystem_prefetch_ahead(line)
        line += inputs
      }
      tile.add(x + k, stride: stride, times: Quad(loading: rows, at: k))
      k &+= V.scalarCount
    }
    if k < inputs {
      let rest = inputs &- k
      tile.add(x + k, stride: stride, count: rest, times: Quad(loading: rows, at: k, count: rest))
    }
    tile.store(to: sums, stride: V.scalarCount)
  }
}
