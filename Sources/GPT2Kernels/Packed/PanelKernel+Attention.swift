extension PanelKernel {
  /// Query rows of one part: enough that reading the keys pays, few enough that there are parts for many threads.
  private static var queryBlock: Int { 64 }

  /// A tile of rows at a time: their scores against all keys so far, softmax, the values' sums. The scores of one
  /// tile are all that is stored, tile rows times positions.
  func run(_ operations: [Attention]) {
    let parts = HeadBlock.cut(operations, heads: \.heads, rows: \.queries.rows, blockRows: Self.queryBlock)
    let positions = operations.lazy.map { $0.firstPosition + $0.queries.rows }.max() ?? 0
    let tile = HeadTile<V>(tileRows: tileRows, positions: positions)
    pool.split(0..<parts.count, grain: 1) { range in
      withUnsafeTemporaryAllocation(of: Float.self, capacity: tile.scratchCount) { scratch in
        for part in range.lazy.map({ parts[$0] }) {
          for row in stride(from: part.rows.lowerBound, to: part.rows.upperBound, by: tileRows) {
            tile.attend(
              operations[part.operation], head: part.head,
              rows: row..<min(row + tileRows, part.rows.upperBound), scratch: scratch.baseAddress!)
          }
        }
        Probe.enter(.operation)
      }
    }
  }
}

/// Attention of a tile's rows in one head, against keys and values in panels.
struct HeadTile<V: FloatVector> {
  let tileRows: Int
  /// Floats of a row of scores: whole panels.
  private let scoreStride: Int
  private var shape: PanelShape { PanelShape(vector: V.scalarCount) }

  /// - Parameter positions: that a row sees at most.
  init(tileRows: Int, positions: Int) {
    self.tileRows = tileRows
    let columns = PanelShape(vector: V.scalarCount).columns
    scoreStride = (positions + columns - 1) / columns * columns
  }

  var scratchCount: Int { tileRows * (scoreStride + shape.columns) }

  /// - Parameters:
  ///   - rows: of the queries, at most `tileRows`.
  ///   - scratch: `scratchCount` floats.
  ///   - weigh: takes each row's numerators, those that it sees, the largest of its scores before they were scaled, and
  ///     the numerators' sum.
  @inline(__always)
  func attend(
    _ operation: Attention, head: Int, rows: Range<Int>, scratch: UnsafeMutablePointer<Float>,
    weigh: (_ row: Int, _ numerators: UnsafeMutablePointer<Float>, _ maximum: Float, _ sum: Float) -> Void = {
      _, _, _, _ in
    }
  ) {
    let (scores, sums) = (scratch, scratch + tileRows * scoreStride)
    let (size, capacity) = (operation.headSize, operation.capacity)
    let positions = operation.firstPosition + rows.upperBound
    let layout = CacheLayout.panels(vector: V.scalarCount)
    let keys = operation.keys + head * layout.keyStride(capacity: capacity, headSize: size)
    let values = operation.values + head * layout.valueStride(capacity: capacity, headSize: size)
    Probe.enter(.scores)
    for first in stride(from: 0, to: positions, by: shape.columns) {
      let width = shape.width(at: first, outputs: capacity)
      // The last panel may hold positions that no row may see yet.
      let needed = (positions - first + V.scalarCount - 1) / V.scalarCount * V.scalarCount
      PanelRows<FloatSum<V>>(
        x: operation.queries.row(rows.lowerBound) + head * size, stride: operation.queries.stride,
        rows: rows.count, panel: keys + first * size, panelStride: width,
        columns: min(width, needed), words: size, sums: scores + first, sumStride: scoreStride
      ).run(tileRows: tileRows)
    }
    withUnsafeTemporaryAllocation(of: Float.self, capacity: rows.count) { totals in
      Probe.enter(.softmax)
      for row in 0..<rows.count {
        let own = operation.firstPosition + rows.lowerBound + row + 1
        let x = scores + row * scoreStride
        let (sum, maximum) = softmaxNumerators(x, count: own, scale: operation.scale, as: V.self)
        totals[row] = sum
        weigh(rows.lowerBound + row, x, maximum, sum)
        (x + own).update(repeating: 0, count: positions - own)
      }
      Probe.enter(.values)
      let valueShape = PanelShape(vector: V.scalarCount, fitting: size)
      for first in stride(from: 0, to: size, by: valueShape.columns) {
        let width = valueShape.width(at: first, outputs: size)
        PanelRows<FloatSum<V>>(
          x: scores, stride: scoreStride, rows: rows.count, panel: values + first * capacity,
          panelStride: width, columns: width, words: positions, sums: sums, sumStride: width
        ).run(tileRows: tileRows)
        for row in 0..<rows.count {
          let out = operation.output.row(rows.lowerBound + row) + (head * size + first)
          let scale = 1 / totals[row]
          for column in stride(from: 0, to: min(width, size - first), by: V.scalarCount) {
            (V(loading: sums + (row * width + column)) * scale)
              .store(to: out + column, count: min(V.scalarCount, size - first - column))
          }
        }
      }
    }
  }
}
