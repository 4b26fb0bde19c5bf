import CSystem

/// A vector register's worth of floats, whatever its width: 4 lanes on NEON and SSE, 8 on AVX, 16 on AVX-512.
///
/// What the standard library offers for every `SIMD` alike works lane by lane where it compares or converts; these
/// requirements are met per width, so that generic code compiles to the same instructions as concrete code.
protocol FloatVector: SIMD, BitwiseCopyable, Sendable where Scalar == Float {
  static func + (a: Self, b: Self) -> Self
  static func - (a: Self, b: Self) -> Self
  static func * (a: Self, b: Self) -> Self
  static func / (a: Self, b: Self) -> Self
  func addingProduct(_ a: Self, _ b: Self) -> Self
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
  /// self + a · b, rounded once where this build's CPU has one instruction for it. Elsewhere a fused operation would be
  /// a call of the C library for each lane, a hundred times as long; there the product is rounded too.
  @inline(__always)
  func adding(_ a: Self, times b: Self) -> Self {
    csystem_fuses_multiply_add() != 0 ? addingProduct(a, b) : self + a * b
  }

  /// Sum of the lanes as a tree, the same order on every machine.
  @inline(__always)
  var laneSum: Float {
    let four = foldedToFour
    let two = four.lowHalf + four.highHalf
    return two[0] + two[1]
  }

  /// As many floats as there are lanes, from any address that holds floats.
  @inline(__always)
  init(loading source: UnsafePointer<Float>) {
    self = UnsafeRawPointer(source).loadUnaligned(as: Self.self)
  }

  /// The first `count` floats, at most as many as there are lanes, and `padding` in the lanes behind.
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
  @inline(__always)
  func clamped(low: Float, high: Float) -> Self {
    replacing(with: low, where: self .< low).replacing(with: high, where: self .> high)
  }

  @inline(__always)
  func zeroed(where x: Self, isBelow limit: Float) -> Self { replacing(with: 0, where: x .< limit) }

  @inline(__always)
  func larger(_ other: Self) -> Self { replacing(with: other, where: other .> self) }

  @inline(__always)
  var powerOfTwoOfLowBits: Self {
    let bits = unsafeBitCast(self, to: SIMD4<Int32>.self) &<< 23
    return unsafeBitCast(bits &+ SIMD4<Int32>(repeating: 127 << 23), to: Self.self)
  }

  @inline(__always)
  var foldedToFour: SIMD4<Float> { self }

  @inline(__always)
  var largestLane: Float {
    let two = lowHalf.replacing(with: highHalf, where: highHalf .> lowHalf)
    return two[1] > two[0] ? two[1] : two[0]
  }
}

extension SIMD8<Float>: FloatVector {
  @inline(__always)
  func clamped(low: Float, high: Float) -> Self {
    replacing(with: low, where: self .< low).replacing(with: high, where: self .> high)
  }

  @inline(__always)
  func zeroed(where x: Self, isBelow limit: Float) -> Self { replacing(with: 0, where: x .< limit) }

  @inline(__always)
  func larger(_ other: Self) -> Self { replacing(with: other, where: other .> self) }

  @inline(__always)
  var powerOfTwoOfLowBits: Self {
    let bits = unsafeBitCast(self, to: SIMD8<Int32>.self) &<< 23
    return unsafeBitCast(bits &+ SIMD8<Int32>(repeating: 127 << 23), to: Self.self)
  }

  @inline(__always)
  var foldedToFour: SIMD4<Float> { lowHalf + highHalf }

  @inline(__always)
  var largestLane: Float { lowHalf.larger(highHalf).largestLane }
}

extension SIMD16<Float>: FloatVector {
  @inline(__always)
  func clamped(low: Float, high: Float) -> Self {
    replacing(with: low, where: self .< low).replacing(with: high, where: self .> high)
  }

  @inline(__always)
  func zeroed(where x: Self, isBelow limit: Float) -> Self { replacing(with: 0, where: x .< limit) }

  @inline(__always)
  func larger(_ other: Self) -> Self { replacing(with: other, where: other .> self) }

  @inline(__always)
  var powerOfTwoOfLowBits: Self {
    let bits = unsafeBitCast(self, to: SIMD16<Int32>.self) &<< 23
    return unsafeBitCast(bits &+ SIMD16<Int32>(repeating: 127 << 23), to: Self.self)
  }

  @inline(__always)
  var foldedToFour: SIMD4<Float> { (lowHalf + highHalf).foldedToFour }

  @inline(__always)
  var largestLane: Float { lowHalf.larger(highHalf).largestLane }
}
