/// Four vectors that walk the reduction side by side: one activation row's sums for four outputs.
struct Quad<V: FloatVector>: BitwiseCopyable {
  var a = V(repeating: 0), b = V(repeating: 0), c = V(repeating: 0), d = V(repeating: 0)

  @inline(__always)
  init() {}

  /// A vector's worth of values at `offset` of each of four rows.
  @inline(__always)
  init(loading rows: QuadRows, at offset: Int) {
    a = V(loading: rows.a + offset)
    b = V(loading: rows.b + offset)
    c = V(loading: rows.c + offset)
    d = V(loading: rows.d + offset)
  }

  /// The last `count` values, fewer than there are lanes, of each row; zeros behind them add nothing to a sum.
  @inline(__always)
  init(loading rows: QuadRows, at offset: Int, count: Int) {
    a = V(loading: rows.a + offset, count: count)
    b = V(loading: rows.b + offset, count: count)
    c = V(loading: rows.c + offset, count: count)
    d = V(loading: rows.d + offset, count: count)
  }

  @inline(__always)
  mutating func add(_ x: V, times other: Quad) {
    a = a.adding(x, times: other.a)
    b = b.adding(x, times: other.b)
    c = c.adding(x, times: other.c)
    d = d.adding(x, times: other.d)
  }

  /// Each vector's lanes summed as a tree, four results in one register.
  @inline(__always)
  var sums: SIMD4<Float> {
    let (p, q, r, s) = (a.foldedToFour, b.foldedToFour, c.foldedToFour, d.foldedToFour)
    let pq = SIMD4(p[0], p[1], q[0], q[1]) + SIMD4(p[2], p[3], q[2], q[3])
    let rs = SIMD4(r[0], r[1], s[0], s[1]) + SIMD4(r[2], r[3], s[2], s[3])
    return SIMD4(pq[0], pq[2], rs[0], rs[2]) + SIMD4(pq[1], pq[3], rs[1], rs[3])
  }
}

/// Four rows of a row-major matrix. Where fewer than four are left the last one stands in for the missing, so
/// that an edge runs the same code, in the same order of additions, as the middle.
struct QuadRows {
  let a, b, c, d: UnsafePointer<Float>

  @inline(__always)
  init(_ base: UnsafePointer<Float>, stride: Int, count: Int) {
    a = base
    b = base + (count > 1 ? stride : 0)
    c = base + (count > 2 ? 2 &* stride : (count &- 1) &* stride)
    d = base + (count > 3 ? 3 &* stride : (count &- 1) &* stride)
  }
}

/// x · row for four rows at once.
@inline(__always)
func dotQuad(_ x: UnsafePointer<Float>, _ rows: QuadRows, count: Int) -> SIMD4<Float> {
  var sums = Quad<SIMD8<Float>>()
  let whole = count & ~7
  var k = 0
  while k < whole {
    sums.add(SIMD8(loading: x + k), times: Quad(loading: rows, at: k))
    k &+= 8
  }
  if k < count {
    let rest = count &- k
    sums.add(SIMD8(loading: x + k, count: rest), times: Quad(loading: rows, at: k, count: rest))
  }
  return sums.sums
}
