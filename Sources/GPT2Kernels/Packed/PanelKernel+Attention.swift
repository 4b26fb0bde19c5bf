extension PanelKernel {
  /// Query rows of one part: enough that reading the keys pays, few enough that there are parts for many threads.
  private static var queryBlock: Int { 64 }

  /// bfloat16 is widened as it is read: queries and scores stay float32.
  func run(_ operations: [Attention]) {
    if cache == .bf16 { run(operations, WidenedBrainSum<V>.self) } else { run(operations, FloatSum<V>.self) }
  }

  /// A tile of rows at a time: their scores against all keys so far, softmax, the values' sums. The scores of one
  /// tile are all that is stored, tile rows times positions.
  private func run<Sum: TileSum>(_ operations: [Attention], _: Sum.Type) where Sum.Vector == V {
    let parts = HeadBlock.cut(operations, heads: \.heads, rows: \.queries.rows, blockRows: Self.queryBlock)
    let positions = operations.lazy.map { $0.firstPosition + $0.queries.rows }.max() ?? 0
    let scoreStride = (positions + shape.columns - 1) / shape.columns * shape.columns
    let queryWords = Sum.rowWords(inputs: operations.first?.headSize ?? 0)
    let capacity = tileRows * (scoreStride + shape.columns + queryWords)
    pool.split(0..<parts.count, grain: 1) { range in
      withUnsafeTemporaryAllocation(of: Float.self, capacity: capacity) { memory in
        let scores = memory.baseAddress!
        let scratch = Scratch(
          scores: scores, scoreStride: scoreStride, sums: scores + tileRows * scoreStride,
          queries: scores + tileRows * (scoreStride + shape.columns))
        for part in range.lazy.map({ parts[$0] }) {
          for row in stride(from: part.rows.lowerBound, to: part.rows.upperBound, by: tileRows) {
            let rows = row..<min(row + tileRows, part.rows.upperBound)
            attend(operations[part.operation], head: part.head, rows: rows, scratch, Sum.self)
          }
        }
        Probe.enter(.operation)
      }
    }
  }

  /// What a tile of rows needs room for.
  private struct Scratch {
    /// (tile rows, scoreStride)
    let scores: UnsafeMutablePointer<Float>
    let scoreStride: Int
    /// (tile rows, panel columns)
    let sums: UnsafeMutablePointer<Float>
    /// (tile rows, a query's words)
    let queries: UnsafeMutablePointer<Float>
  }

  private func attend<Sum: TileSum>(
    _ operation: Attention, head: Int, rows: Range<Int>, _ scratch: Scratch, _: Sum.Type
  ) where Sum.Vector == V {
    let (size, capacity) = (operation.headSize, operation.capacity)
    let (scores, scoreStride, sums) = (scratch.scores, scratch.scoreStride, scratch.sums)
    let positions = operation.firstPosition + rows.upperBound
    let keys = operation.keys + head * cacheLayout.keyStride(capacity: capacity, headSize: size)
    let values = operation.values + head * cacheLayout.valueStride(capacity: capacity, headSize: size)
    Probe.enter(.scores)
    let keyShape = PanelShape(vector: V.scalarCount, cache)
    let (queries, queryStride) = queries(of: operation, head: head, rows: rows, scratch, Sum.self)
    for first in stride(from: 0, to: positions, by: keyShape.columns) {
      let width = keyShape.width(at: first, outputs: capacity)
      // The last panel may hold positions that no row may see yet.
      let needed = (positions - first + V.scalarCount - 1) / V.scalarCount * V.scalarCount
      PanelRows<Sum>(
        x: queries, stride: queryStride, rows: rows.count,
        panel: keys + keyShape.offset(ofPanelAt: first, inputs: size), panelStride: width,
        columns: min(width, needed), words: cache.words(inputs: size), sums: scores + first,
        sumStride: scoreStride
      ).run(tileRows: tileRows)
    }
    withUnsafeTemporaryAllocation(of: Float.self, capacity: rows.count) { totals in
      Probe.enter(.softmax)
      let words = cache.words(inputs: positions)
      for row in 0..<rows.count {
        let own = operation.firstPosition + rows.lowerBound + row + 1
        let x = scores + row * scoreStride
        totals[row] = softmaxNumerators(x, count: own, scale: operation.scale, as: V.self)
        (x + own).update(repeating: 0, count: words * Sum.inputWords - own)
      }
      Probe.enter(.values)
      let valueShape = PanelShape(vector: V.scalarCount, fitting: size, cache)
      for first in stride(from: 0, to: size, by: valueShape.columns) {
        let width = valueShape.width(at: first, outputs: size)
        PanelRows<Sum>(
          x: scores, stride: scoreStride, rows: rows.count,
          panel: values + valueShape.offset(ofPanelAt: first, inputs: capacity), panelStride: width,
          columns: width, words: words, sums: sums, sumStride: width
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

  /// A head's queries in words: where they lie, or a copy where the last word is more than they have.
  @inline(__always)
  private func queries<Sum: TileSum>(
    of operation: Attention, head: Int, rows: Range<Int>, _ scratch: Scratch, _: Sum.Type
  ) -> (base: UnsafePointer<Float>, stride: Int) {
    let size = operation.headSize
    let first = operation.queries.row(rows.lowerBound) + head * size
    let words = Sum.rowWords(inputs: size)
    guard words > size else { return (first, operation.queries.stride) }
    for row in 0..<rows.count {
      Sum.convert(
        first + row * operation.queries.stride, inputs: size, to: scratch.queries + row * words)
    }
    return (UnsafePointer(scratch.queries), words)
  }
}
