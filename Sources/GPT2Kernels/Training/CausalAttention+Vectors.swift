import CSystem
import Foundation

extension CausalAttention {
  /// A head's keys and values go into panels; then it is the attention of new positions that there are all of.
  func run<V: FloatVector>(on kernel: any Kernel, as _: V.Type) {
    let channels = output.columns
    let size = channels / heads
    let panels = HeadPanels<V>(context: context, size: size)
    let tile = HeadTile<FloatSum<V>>(tileRows: highestTile, positions: context, headSize: size)
    kernel.forEach(batch * heads) { part in
      let (firstRow, column) = (part / heads * context, part % heads * size)
      let q = qkv.row(firstRow) + column
      withThreadMemory(panels.keyCount + panels.rowCount + tile.scratchCount) { keys in
        let (values, scratch) = (keys + panels.keyCount, keys + panels.keyCount + panels.rowCount)
        panels.packKeys(q + channels, stride: qkv.stride, to: keys)
        panels.packRows(q + 2 * channels, stride: qkv.stride, rows: context, capacity: context, to: values)
        let attention = Attention(
          queries: Matrix(q, rows: context, columns: size, stride: qkv.stride), keys: keys, values: values,
          heads: 1, headSize: size, capacity: context, firstPosition: 0,
          output: MutableMatrix(
            output.row(firstRow) + column, rows: context, columns: size, stride: output.stride),
          scores: scratch)
        for row in stride(from: 0, to: context, by: tile.tileRows) {
          tile.attend(
            attention, head: 0, rows: row..<min(row + tile.tileRows, context), scratch: scratch
          ) { query, numerators, maximum, sum in
            let index = part * context + query
            logSums[index] = maximum * attention.scale + logf(sum)
            dropout.scale(numerators, count: query + 1, from: index * context)
          }
        }
        Probe.enter(.operation)
      }
    }
  }
}

/// Rows of the highest tile whose sums stay in registers.
private var highestTile: Int { csystem_vector_registers() >= 32 ? 8 : 4 }

/// How one head's positions lie as panels: as the outputs of a matrix, which scores are products with, and as its inputs,
/// which sums of positions are.
private struct HeadPanels<V: FloatVector> {
  let context, size: Int
  /// Of the panels with a position for each output.
  let keyShape = PanelShape(vector: V.scalarCount)
  /// Of the panels with a position for each input.
  let rowShape: PanelShape

  init(context: Int, size: Int) {
    (self.context, self.size) = (context, size)
    rowShape = PanelShape(vector: V.scalarCount, fitting: size)
  }

  var keyCount: Int { keyShape.count(outputs: context, inputs: size) }
  var rowCount: Int { rowCount(context) }
  func rowCount(_ rows: Int) -> Int { rowShape.count(outputs: size, inputs: rows) }

  func packKeys(
    _ source: UnsafePointer<Float>, stride sourceStride: Int, to target: UnsafeMutablePointer<Float>
  ) {
    for first in stride(from: 0, to: context, by: keyShape.columns) {
      let width = keyShape.width(at: first, outputs: context)
      packColumns(
        source + first * sourceStride, stride: sourceStride, rows: min(width, context - first), columns: size,
        width: width, to: target + first * size)
    }
  }

  /// - Parameter capacity: rows that each panel has room for.
  func packRows(
    _ source: UnsafePointer<Float>, stride sourceStride: Int, rows: Int, capacity: Int,
    to target: UnsafeMutablePointer<Float>
  ) {
    forEachRowPanel { first, width, used in
      GPT2Kernels.packRows(
        source + first, stride: sourceStride, rows: rows, columns: used, width: width,
        to: target + first * capacity, as: V.self)
    }
  }

  /// What `packRows` has done, undone.
  func unpackRows(
    _ source: UnsafePointer<Float>, rows: Int, capacity: Int, to target: UnsafeMutablePointer<Float>,
    stride targetStride: Int
  ) {
    forEachRowPanel { first, width, used in
      for row in 0..<rows {
        (target + (row * targetStride + first)).update(
          from: source + (first * capacity + row * width), count: used)
      }
    }
  }

  /// Calls `body` with the first channel of each panel, the panel's width, and how many channels it holds.
  @inline(__always)
  func forEachRowPanel(_ body: (_ first: Int, _ width: Int, _ used: Int) -> Void) {
    for first in stride(from: 0, to: size, by: rowShape.columns) {
      let width = rowShape.width(at: first, outputs: size)
      body(first, width, min(width, size - first))
    }
  }
}

extension CausalAttentionGradient {
  func run<V: FloatVector>(on kernel: any Kernel, as _: V.Type) {
    let head = HeadGradient<V>(self)
    kernel.forEach(batch * heads) { part in
      withThreadMemory(head.scratchCount) { head.run(part, $0) }
    }
  }
}

/// Sums of rows whose words lie a block of keys apart: the transpose of what a block of queries holds for those keys.
private struct KeySum<Vector: FloatVector>: PlainTileSum {
  let sums: Vector

  @inline(__always) init(_ sums: Vector) { self.sums = sums }
  @inline(__always) static var fillsPanels: Bool { false }
  @inline(__always) static var highestTile: Int { 8 }
  @inline(__always) static var inputWords: Int { keyBlock }
  @inline(__always) static func rowWords(inputs: Int) -> Int { inputs &* keyBlock }

  /// Keys of a block: whole panels at every width of vectors.
  @inline(__always) static var keyBlock: Int { 96 }

  static func convert(_ row: UnsafePointer<Float>, inputs: Int, to words: UnsafeMutablePointer<Float>) {
    for input in 0..<inputs { words[input &* keyBlock] = row[input] }
  }

  @inline(__always) static func input(_ x: UnsafePointer<Float>) -> Vector { Vector(repeating: x.pointee) }
  @inline(__always) static func weights(_ words: UnsafePointer<Float>) -> Vector { Vector(loading: words) }

  @inline(__always)
  func adding(_ x: Vector, times weights: Vector) -> Self { Self(sums.adding(x, times: weights)) }
}

/// The gradient of one head of one sequence. Probabilities are computed anew, for a block of queries and a block of keys
/// at a time, and five products are made of them on the register tile (Dao, "FlashAttention-2", 2023, section 3.1).
private struct HeadGradient<V: FloatVector> {
  private let operation: CausalAttentionGradient
  private let panels: HeadPanels<V>
  private let channels, size, context: Int
  private let scale: Float
  private let tileRows = highestTile

  private static var queryBlock: Int { 64 }
  private static var keyBlock: Int { KeySum<V>.keyBlock }
  private static var blockCount: Int { queryBlock * keyBlock }

  init(_ operation: CausalAttentionGradient) {
    self.operation = operation
    (channels, context) = (operation.output.columns, operation.context)
    size = channels / operation.heads
    scale = 1 / Float(size).squareRoot()
    panels = HeadPanels(context: context, size: size)
  }

  var scratchCount: Int {
    2 * panels.keyCount + 3 * panels.rowCount + 3 * panels.rowCount(Self.queryBlock) + 2 * Self.blockCount
      + Self.queryBlock + Self.keyBlock
  }

  /// What a head's walk reads and writes, in scratch.
  private struct Memory {
    /// Panels of all positions: keys and values for scores, keys for sums; the gradients of both.
    let keys, values, keyRows, keyGradients, valueGradients: UnsafeMutablePointer<Float>
    /// Panels of a block of queries: themselves, their outputs' gradients, their own gradients.
    let queries, outputGradients, queryGradients: UnsafeMutablePointer<Float>
    /// (queries of a block, keys of a block): probabilities, with dropout, and the gradients of scores.
    let probabilities, scoreGradients: UnsafeMutablePointer<Float>
    /// Of each query of a block its output's gradient times its output.
    let means: UnsafeMutablePointer<Float>
    /// (keys of a block)
    let factors: UnsafeMutablePointer<Float>
  }

  private func cut(_ scratch: UnsafeMutablePointer<Float>) -> Memory {
    var next = scratch
    func take(_ count: Int) -> UnsafeMutablePointer<Float> {
      defer { next += count }
      return next
    }
    let (keys, rows, block) = (panels.keyCount, panels.rowCount, panels.rowCount(Self.queryBlock))
    return Memory(
      keys: take(keys), values: take(keys), keyRows: take(rows), keyGradients: take(rows),
      valueGradients: take(rows), queries: take(block), outputGradients: take(block),
      queryGradients: take(block), probabilities: take(Self.blockCount),
      scoreGradients: take(Self.blockCount),
      means: take(Self.queryBlock), factors: take(Self.keyBlock))
  }

  /// - Parameter part: the sequence's index times heads, plus the head's.
  func run(_ part: Int, _ scratch: UnsafeMutablePointer<Float>) {
    let memory = cut(scratch)
    let (firstRow, column) = (part / operation.heads * context, part % operation.heads * size)
    let (q, stride) = (operation.qkv.row(firstRow) + column, operation.qkv.stride)
    let dq = operation.qkvGradient.row(firstRow) + column
    let dqStride = operation.qkvGradient.stride
    panels.packKeys(q + channels, stride: stride, to: memory.keys)
    panels.packKeys(q + 2 * channels, stride: stride, to: memory.values)
    panels.packRows(q + channels, stride: stride, rows: context, capacity: context, to: memory.keyRows)
    for first in Swift.stride(from: 0, to: context, by: Self.queryBlock) {
      let queries = first..<min(first + Self.queryBlock, context)
      let (o, dO) = (
        operation.output.row(firstRow + first) + column,
        operation.outputGradient.row(firstRow + first) + column
      )
      let (oStride, dOStride) = (operation.output.stride, operation.outputGradient.stride)
      panels.packRows(
        q + first * stride, stride: stride, rows: queries.count, capacity: Self.queryBlock, to: memory.queries
      )
      panels.packRows(
        dO, stride: dOStride, rows: queries.count, capacity: Self.queryBlock, to: memory.outputGradients)
      for row in 0..<queries.count {
        memory.means[row] = product(o + row * oStride, dO + row * dOStride, count: size)
      }
      for firstKey in Swift.stride(from: 0, to: queries.upperBound, by: Self.keyBlock) {
        let keys = firstKey..<min(firstKey + Self.keyBlock, queries.upperBound)
        multiply(queries, keys, q + first * stride, stride, memory.keys, to: memory.probabilities)
        multiply(queries, keys, dO, dOStride, memory.values, to: memory.scoreGradients)
        for row in 0..<queries.count { finishScores(part, queries.lowerBound + row, row, keys, memory) }
        addToKeys(queries, keys, memory.probabilities, memory.outputGradients, to: memory.valueGradients)
        addToKeys(queries, keys, memory.scoreGradients, memory.queries, to: memory.keyGradients)
        addToQueries(queries, keys, memory)
      }
      panels.unpackRows(
        memory.queryGradients, rows: queries.count, capacity: Self.queryBlock, to: dq + first * dqStride,
        stride: dqStride)
    }
    panels.unpackRows(
      memory.keyGradients, rows: context, capacity: context, to: dq + channels, stride: dqStride)
    panels.unpackRows(
      memory.valueGradients, rows: context, capacity: context, to: dq + 2 * channels, stride: dqStride)
  }

  /// Products of a block of rows, the first at `x`, with a block of positions. Of each panel only the tiles that see a
  /// position in it.
  private func multiply(
    _ queries: Range<Int>, _ keys: Range<Int>, _ x: UnsafePointer<Float>, _ stride: Int,
    _ positions: UnsafePointer<Float>, to target: UnsafeMutablePointer<Float>
  ) {
    let lanes = V.scalarCount
    for first in Swift.stride(from: keys.lowerBound, to: keys.upperBound, by: panels.keyShape.columns) {
      let width = panels.keyShape.width(at: first, outputs: context)
      let needed = (keys.upperBound - first + lanes - 1) / lanes * lanes
      let row = max(first - queries.lowerBound, 0) / tileRows * tileRows
      PanelRows<FloatSum<V>>(
        x: x + row * stride, stride: stride, rows: queries.count - row, panel: positions + first * size,
        panelStride: width, columns: min(width, needed), words: size,
        sums: target + (row * Self.keyBlock + first - keys.lowerBound), sumStride: Self.keyBlock
      ).run(tileRows: tileRows)
    }
  }

  /// From a row of scores and one of the probabilities' gradients to its probabilities and the scores' gradients; 0 for
  /// the positions after the query that a tile may still read.
  private func finishScores(_ part: Int, _ query: Int, _ row: Int, _ keys: Range<Int>, _ memory: Memory) {
    let visible = min(query + 1 - keys.lowerBound, keys.count)
    let p = memory.probabilities + row * Self.keyBlock
    let ds = memory.scoreGradients + row * Self.keyBlock
    if visible > 0 {
      let index = part * context + query
      var factors: UnsafeMutablePointer<Float>?
      if operation.dropout.rate > 0 {
        memory.factors.update(repeating: 1, count: Self.keyBlock)
        operation.dropout.scale(memory.factors, count: visible, from: index * context + keys.lowerBound)
        factors = memory.factors
      }
      differentiate(
        p, ds, count: visible, logSum: operation.logSums[index], mean: memory.means[row], scale: scale,
        factors: factors, as: V.self)
    }
    let (first, end) = (max(visible, 0), min(visible + 8, Self.keyBlock))
    guard first < end else { return }
    (p + first).update(repeating: 0, count: end - first)
    (ds + first).update(repeating: 0, count: end - first)
  }

  /// Adds Σ over the queries of values[query, key] · rows[query] to each key's sums.
  private func addToKeys(
    _ queries: Range<Int>, _ keys: Range<Int>, _ values: UnsafePointer<Float>, _ rows: UnsafePointer<Float>,
    to sums: UnsafeMutablePointer<Float>
  ) {
    for key in stride(from: keys.lowerBound, to: keys.upperBound, by: 8) {
      let query = max(key - queries.lowerBound, 0)
      panels.forEachRowPanel { first, width, _ in
        PanelRows<KeySum<V>>(
          x: values + (query * Self.keyBlock + key - keys.lowerBound), stride: 1,
          rows: min(8, keys.upperBound - key), panel: rows + (first * Self.queryBlock + query * width),
          panelStride: width, columns: width, words: queries.count - query,
          sums: sums + (first * context + key * width), sumStride: width,
          continues: key < queries.lowerBound
        ).run(tileRows: tileRows)
      }
    }
  }

  /// Adds Σ over the keys of the scores' gradients times the keys to each query's sums.
  private func addToQueries(_ queries: Range<Int>, _ keys: Range<Int>, _ memory: Memory) {
    for row in stride(from: 0, to: queries.count, by: 8) {
      let words = min(queries.lowerBound + row + 8 - keys.lowerBound, keys.count)
      guard words > 0 else { continue }
      panels.forEachRowPanel { first, width, _ in
        PanelRows<FloatSum<V>>(
          x: memory.scoreGradients + row * Self.keyBlock, stride: Self.keyBlock,
          rows: min(8, queries.count - row),
          panel: memory.keyRows + (first * context + keys.lowerBound * width), panelStride: width,
          columns: width, words: words, sums: memory.queryGradients + (first * Self.queryBlock + row * width),
          sumStride: width, continues: keys.lowerBound > 0
        ).run(tileRows: tileRows)
      }
    }
  }

  private func product(_ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, count: Int) -> Float {
    var sums = V(repeating: 0)
    for i in stride(from: 0, to: count, by: V.scalarCount) {
      let used = min(V.scalarCount, count &- i)
      sums = sums.adding(V(loading: a + i, count: used), times: V(loading: b + i, count: used))
    }
    return sums.laneSum
  }
}

/// scores[i] ← f · p and gradients[i] ← p · (f · gradients[i] − mean) · scale with p = e^(scores[i] · scale − logSum) and f
/// a factor of dropout, for whole vectors: `count` and what fills the last of them. Not inlined: in a larger function the
/// compiler does not inline the power.
@inline(never)
private func differentiate<V: FloatVector>(
  _ scores: UnsafeMutablePointer<Float>, _ gradients: UnsafeMutablePointer<Float>, count: Int, logSum: Float,
  mean: Float, scale: Float, factors: UnsafePointer<Float>?, as _: V.Type
) {
  let (shift, mean, scale) = (V(repeating: logSum), V(repeating: mean), V(repeating: scale))
  var i = 0
  while i < count {
    let p = exp(V(loading: scores + i) * scale - shift)
    let f = factors.map { V(loading: $0 + i) } ?? V(repeating: 1)
    (p * f).store(to: scores + i)
    (p * (f * V(loading: gradients + i) - mean) * scale).store(to: gradients + i)
    i &+= V.scalarCount
  }
}
