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
    let tile = HeadTile<Sum>(
      tileRows: tileRows, cache: cache,
      positions: operations.lazy.map { $0.firstPosition + $0.queries.rows }.max() ?? 0,
      headSize: operations.first?.headSize ?? 0)
    pool.split(0..<parts.count, grain: 1) { range in
      withThreadMemory(tile.scratchCount) { scratch in
        for part in range.lazy.map({ parts[$0] }) {
          for row in stride(from: part.rows.lowerBound, to: part.rows.upperBound, by: tileRows) {
            tile.attend(
              operations[part.operation], head: part.head,
              rows: row..<min(row + tileRows, part.rows.upperBound), scratch: scratch)
          }
        }
        Probe.enter(.operation)
      }
    }
  }
}

/// Attention of a tile's rows in one head, against keys and values in panels.
struct HeadTile<Sum: TileSum> {
  typealias V = Sum.Vector

  let tileRows: Int
  /// What the panels hold.
  private let cache: WeightPrecision
  /// Floats of a row of scores: whole panels.
  private let scoreStride: Int
  /// Floats of a row of queries, in words as they are multiplied.
  private let queryWords: Int
  private let keyShape: PanelShape

  /// - Parameters:
  ///   - cache: float32, or what `Sum` reads.
  ///   - positions: that a row sees at most.
  init(tileRows: Int, cache: WeightPrecision = .f32, positions: Int, headSize: Int) {
    (self.tileRows, self.cache) = (tileRows, cache)
    keyShape = PanelShape(vector: V.scalarCount, cache)
    scoreStride = (positions + keyShape.columns - 1) / keyShape.columns * keyShape.columns
    queryWords = Sum.rowWords(inputs: headSize)
  }

  var scratchCount: Int { tileRows * (scoreStride + keyShape.columns + queryWords) }

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
    // (tile rows, scoreStride), (tile rows, panel columns), (tile rows, queryWords)
    let (scores, sums) = (scratch, scratch + tileRows * scoreStride)
    let copies = sums + tileRows * keyShape.columns
    let (size, capacity) = (operation.headSize, operation.capacity)
    let positions = operation.firstPosition + rows.upperBound
    let layout = CacheLayout.panels(vector: V.scalarCount, of: cache)
    let keys = operation.keys + head * layout.keyStride(capacity: capacity, headSize: size)
    let values = operation.values + head * layout.valueStride(capacity: capacity, headSize: size)
    Probe.enter(.scores)
    let (queries, queryStride) = queries(of: operation, head: head, rows: rows, copies)
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
        let (sum, maximum) = softmaxNumerators(x, count: own, scale: operation.scale, as: V.self)
        totals[row] = sum
        weigh(rows.lowerBound + row, x, maximum, sum)
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
  private func queries(
    of operation: Attention, head: Int, rows: Range<Int>, _ copies: UnsafeMutablePointer<Float>
  ) -> (base: UnsafePointer<Float>, stride: Int) {
    let size = operation.headSize
    let first = operation.queries.row(rows.lowerBound) + head * size
    guard queryWords > size else { return (first, operation.queries.stride) }
    for row in 0..<rows.count {
      Sum.convert(first + row * operation.queries.stride, inputs: size, to: copies + row * queryWords)
    }
    return (UnsafePointer(copies), queryWords)
  }
}
