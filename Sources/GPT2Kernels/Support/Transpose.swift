/// target[c, r] = source[r, c] for a matrix of (rows, columns), whose rows lie `sourceStride` apart, the target's
/// `targetStride`. A cache line's worth of columns at a time for some rows: the lines that are read and those that are
/// written stay in the first-level cache until they are whole.
func transpose(
  _ source: UnsafePointer<Float>, stride sourceStride: Int, rows: Int, columns: Int,
  to target: UnsafeMutablePointer<Float>, stride targetStride: Int
) {
  let (rowBlock, columnBlock) = (64, 16)
  for firstRow in stride(from: 0, to: rows, by: rowBlock) {
    let lastRow = min(firstRow + rowBlock, rows)
    for firstColumn in stride(from: 0, to: columns, by: columnBlock) {
      transposeBlock(
        source + (firstRow &* sourceStride &+ firstColumn), sourceStride, rows: lastRow &- firstRow,
        columns: min(columnBlock, columns &- firstColumn),
        to: target + (firstColumn &* targetStride &+ firstRow), targetStride)
    }
  }
}

private func transposeBlock(
  _ source: UnsafePointer<Float>, _ sourceStride: Int, rows: Int, columns: Int,
  to target: UnsafeMutablePointer<Float>, _ targetStride: Int
) {
  let (wholeRows, wholeColumns) = (rows & ~3, columns & ~3)
  var row = 0
  while row < wholeRows {
    var column = 0
    while column < wholeColumns {
      transposeFour(
        source + (row &* sourceStride &+ column), sourceStride, to: target + (column &* targetStride &+ row),
        targetStride)
      column &+= 4
    }
    row &+= 4
  }
  guard wholeRows < rows || wholeColumns < columns else { return }
  for row in 0..<rows {
    for column in (row < wholeRows ? wholeColumns : 0)..<columns {
      target[column &* targetStride &+ row] = source[row &* sourceStride &+ column]
    }
  }
}

/// Four by four, in registers.
@inline(__always)
private func transposeFour(
  _ source: UnsafePointer<Float>, _ sourceStride: Int, to target: UnsafeMutablePointer<Float>,
  _ targetStride: Int
) {
  let (a, b) = (SIMD4(loading: source), SIMD4(loading: source + sourceStride))
  let (c, d) = (SIMD4(loading: source + 2 &* sourceStride), SIMD4(loading: source + 3 &* sourceStride))
  let (ab, cd) = (SIMD4(a[0], b[0], a[1], b[1]), SIMD4(c[0], d[0], c[1], d[1]))
  let (abHigh, cdHigh) = (SIMD4(a[2], b[2], a[3], b[3]), SIMD4(c[2], d[2], c[3], d[3]))
  SIMD4(lowHalf: ab.lowHalf, highHalf: cd.lowHalf).store(to: target)
  SIMD4(lowHalf: ab.highHalf, highHalf: cd.highHalf).store(to: target + targetStride)
  SIMD4(lowHalf: abHigh.lowHalf, highHalf: cdHigh.lowHalf).store(to: target + 2 &* targetStride)
  SIMD4(lowHalf: abHigh.highHalf, highHalf: cdHigh.highHalf).store(to: target + 3 &* targetStride)
}
