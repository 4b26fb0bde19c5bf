/// Four vectors that walk the reduction side by side: one activation row's sums for four outputs.
struct Quad {
  var a = SIMD8<Float>.zero, b = SIMD8<Float>.zero, c = SIMD8<Float>.zero, d = SIMD8<Float>.zero

  @inline(__always)
  init() {}

  /// Eight values at `offset` of each of four rows.
  @inline(__always)
  init(loading rows: QuadRows, at offset: Int) {
    a = SIMD8(loading: rows.a + offset)
    b = SIMD8(loading: rows.b + offset)
    c = SIMD8(loading: rows.c + offset)
    d = SIMD8(loading: rows.d + offset)
  }

  /// The last `count` values, 0 to 7, of each row; zeros behind them add nothing to a sum.
  @inline(__always)
  init(loading rows: QuadRows, at offset: Int, count: Int) {
    a = SIMD8(loading: rows.a + offset, count: count)
    b = SIMD8(loading: rows.b + offset, count: count)
    c = SIMD8(loading: rows.c + offset, count: count)
    d = SIMD8(loading: rows.d + offset, count: count)
  }

  @inline(__always)
  mutating func add(_ x: SIMD8<Float>, times other: Quad) {
    a = a.addingProduct(x, other.a)
    b = b.addingProduct(x, other.b)
    c = c.addingProduct(x, other.c)
    d = d.addingProduct(x, other.d)
  }

  /// Each vector's lanes summed as a tree, four results in one register.
  @inline(__always)
  var sums: SIMD4<Float> {
    let (p, q) = (a.lowHalf + a.highHalf, b.lowHalf + b.highHalf)
    let (r, s) = (c.lowHalf + c.highHalf, d.lowHalf + d.highHalf)
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
  var sums = Quad()
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

extension SIMD4<Float> {
  /// Stores the first `count` lanes, 1 to 4 of them.
  @inline(__always)
  func store(to target: UnsafeMutablePointer<Float>, count: Int) {
    if count == 4 {
      UnsafeMutableRawPointer(target).storeBytes(of: self, as: SIMD4<Float>.self)
    } else {
      for lane in 0..<count { target[lane] = self[lane] }
    }
  }

  @inline(__always)
  init(loading source: UnsafePointer<Float>, count: Int) {
    if count == 4 {
      self = UnsafeRawPointer(source).loadUnaligned(as: SIMD4<Float>.self)
    } else {
      self.init(repeating: 0)
      for lane in 0..<count { self[lane] = source[lane] }
    }
  }
}
