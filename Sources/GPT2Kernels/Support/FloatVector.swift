import CSystem

/// A vector register's worth of floats, whatever its width: 4 lanes on NEON and SSE, 8 on AVX, 16 on AVX-512. What
/// the standard library offers for every `SIMD` alike works lane by lane where it multiplies and adds, compares or
/// repeats; these requirements are met per width, by `CSystem` where Swift would go lane by lane: the optimizer puts
/// the lanes together again, but takes its time, and does not always see it.
protocol FloatVector: SIMD, BitwiseCopyable, Sendable where Scalar == Float {
  init(repeating value: Float)
  static func + (a: Self, b: Self) -> Self
  static func - (a: Self, b: Self) -> Self
  static func * (a: Self, b: Self) -> Self
  static func / (a: Self, b: Self) -> Self
  /// self + a · b, rounded once where this build's CPU has one instruction for it; elsewhere the product is rounded too.
  func adding(_ a: Self, times b: Self) -> Self
  /// Each lane taken into `low...high`; NaN stays.
  func clamped(low: Float, high: Float) -> Self
  /// This, with 0 in each lane in which `x` is below `limit`.
  func zeroed(where x: Self, isBelow limit: Float) -> Self
  /// The larger of both lanes; whatever comes first where one of them is NaN.
  func larger(_ other: Self) -> Self
  /// 2ⁿ for each lane whose bits end in the integer n, from −126 to 127.
  var powerOfTwoOfLowBits: Self { get }
  /// The lanes folded in halves until four are left.
  var foldedToFour: SIMD4<Float> { get }
  var largestLane: Float { get }
}

extension Float {
  /// self + a · b, as `FloatVector` has it.
  @inline(__always)
  func adding(_ a: Float, times b: Float) -> Float {
    csystem_fuses_multiply_add() != 0 ? addingProduct(a, b) : self + a * b
  }
}

extension FloatVector {
  /// Sum of the lanes as a tree, the same order on every machine.
  @inline(__always)
  var laneSum: Float {
    let four = foldedToFour
    let two = four.lowHalf + four.highHalf
    return two[0] + two[1]
  }

  /// As many floats as there are lanes, from any address that holds floats.
  @inline(__always)
  init(loading source: UnsafePointer<Float>) { self = UnsafeRawPointer(source).loadUnaligned(as: Self.self) }

  /// The first `count` floats, at most as many as there are lanes, and `padding` in the lanes after.
  @inline(__always)
  init(loading source: UnsafePointer<Float>, count: Int, padding: Float = 0) {
    if count == Self.scalarCount {
      self.init(loading: source)
    } else {
      self.init(repeating: padding)
      for lane in 0..<count { self[lane] = source[lane] }
    }
  }

  @inline(__always)
  func store(to target: UnsafeMutablePointer<Float>) {
    UnsafeMutableRawPointer(target).storeBytes(of: self, as: Self.self)
  }

  /// Stores the first `count` lanes, at most as many as there are.
  @inline(__always)
  func store(to target: UnsafeMutablePointer<Float>, count: Int) {
    if count == Self.scalarCount {
      store(to: target)
    } else {
      for lane in 0..<count { target[lane] = self[lane] }
    }
  }
}

extension SIMD4<Float>: FloatVector {
  @inline(__always) init(repeating value: Float) { self = csystem_repeated_4(value) }
  @inline(__always) func adding(_ a: Self, times b: Self) -> Self { csystem_multiply_add_4(self, a, b) }

  @inline(__always)
  func clamped(low: Float, high: Float) -> Self {
    csystem_clamped_4(self, Self(repeating: low), Self(repeating: high))
  }

  @inline(__always)
  func zeroed(where x: Self, isBelow limit: Float) -> Self {
    csystem_replaced_4(self, csystem_less_4(x, Self(repeating: limit)), Self(repeating: 0))
  }

  @inline(__always) func larger(_ other: Self) -> Self { csystem_larger_4(self, other) }
  @inline(__always) var powerOfTwoOfLowBits: Self { csystem_power_of_two_4(self) }
  @inline(__always) var foldedToFour: SIMD4<Float> { self }

  @inline(__always)
  var largestLane: Float {
    let two = lowHalf.replacing(with: highHalf, where: highHalf .> lowHalf)
    return two[1] > two[0] ? two[1] : two[0]
  }
}

extension SIMD8<Float>: FloatVector {
  @inline(__always) init(repeating value: Float) { self = csystem_repeated_8(value) }
  @inline(__always) func adding(_ a: Self, times b: Self) -> Self { csystem_multiply_add_8(self, a, b) }

  @inline(__always)
  func clamped(low: Float, high: Float) -> Self {
    csystem_clamped_8(self, Self(repeating: low), Self(repeating: high))
  }

  @inline(__always)
  func zeroed(where x: Self, isBelow limit: Float) -> Self {
    csystem_replaced_8(self, csystem_less_8(x, Self(repeating: limit)), Self(repeating: 0))
  }

  @inline(__always) func larger(_ other: Self) -> Self { csystem_larger_8(self, other) }
  @inline(__always) var powerOfTwoOfLowBits: Self { csystem_power_of_two_8(self) }
  @inline(__always) var foldedToFour: SIMD4<Float> { lowHalf + highHalf }
  @inline(__always) var largestLane: Float { lowHalf.larger(highHalf).largestLane }
}

extension SIMD16<Float>: FloatVector {
  @inline(__always) init(repeating value: Float) { self = csystem_repeated_16(value) }
  @inline(__always) func adding(_ a: Self, times b: Self) -> Self { csystem_multiply_add_16(self, a, b) }

  @inline(__always)
  func clamped(low: Float, high: Float) -> Self {
    csystem_clamped_16(self, Self(repeating: low), Self(repeating: high))
  }

  @inline(__always)
  func zeroed(where x: Self, isBelow limit: Float) -> Self {
    csystem_replaced_16(self, csystem_less_16(x, Self(repeating: limit)), Self(repeating: 0))
  }

  @inline(__always) func larger(_ other: Self) -> Self { csystem_larger_16(self, other) }
  @inline(__always) var powerOfTwoOfLowBits: Self { csystem_power_of_two_16(self) }
  @inline(__always) var foldedToFour: SIMD4<Float> { (lowHalf + highHalf).foldedToFour }
  @inline(__always) var largestLane: Float { lowHalf.larger(highHalf).largestLane }
}

/// Four vectors that walk the reduction side by side: one activation row's sums for four outputs.
struct Quad<V: FloatVector>: BitwiseCopyable {
  var a = V(repeating: 0), b = V(repeating: 0), c = V(repeating: 0), d = V(repeating: 0)

  @inline(__always) init() {}

  /// A vector's worth of values at `offset` of each of four rows.
  @inline(__always)
  init(loading rows: QuadRows, at offset: Int) {
    a = V(loading: rows.a + offset)
    b = V(loading: rows.b + offset)
    c = V(loading: rows.c + offset)
    d = V(loading: rows.d + offset)
  }

  /// The last `count` values, fewer than there are lanes, of each row; zeros after them add nothing to a sum.
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
