import CSystem

/// The scales of 16 blocks, a block in each lane, with the least squared error Σ(x − s · q)² of those tried.
///
/// ggml rounds once: with the scale that takes the block's extreme, its value of the largest magnitude, to −8 or to
/// 127. What this gives is tried first here, then scales around that one, of either sign for Q4_0. The integers q of the
/// best get the best scale that half precision has for them, Σxq / Σq² rounded, and are rounded anew with it. So no block
/// is worse than ggml's, and the mean squared error of normal values is 0.80 (Q8_0) and 0.89 (Q4_0) of ggml's. No
/// operation is fused, so that the bits are the same on every machine.
struct BlockFit {
  typealias Lanes = SIMD16<Float>
  static let lanes = Lanes.scalarCount

  private let format: BlockFormat
  /// What half precision holds.
  private var scale = Lanes.zero
  /// What a value is multiplied with before it is rounded.
  private var factor = Lanes.zero
  /// Not 0 where the integers are ggml's own.
  private var isSimple = Lanes(repeating: 1)
  private var error = Lanes.zero

  /// Each lane's value of the largest magnitude, the first of several; nil where one is above the limit, or NaN.
  @inline(__always)
  static func extremes(of values: UnsafePointer<Lanes>, largest limit: Float) -> Lanes? {
    var (extremes, magnitudes) = (Lanes.zero, Lanes.Mask.zero)
    for i in 0..<BlockFormat.length {
      // As an integer NaN is above infinity.
      let isLarger = csystem_less_integers_16(magnitudes, values[i].magnitudeBits)
      extremes = extremes.replaced(by: values[i], where: isLarger)
      magnitudes = extremes.magnitudeBits
    }
    return csystem_largest_integer_16(magnitudes) > limit.bitPattern ? nil : extremes
  }

  /// - Parameter values: 32, finite, none above the format's largest.
  init(_ values: UnsafePointer<Lanes>, extremes: Lanes, format: BlockFormat) {
    self.format = format
    // A scale of Q8_0's may have either sign; ggml's is positive.
    let extremes =
      format == .q8 ? extremes.replaced(by: -extremes, where: extremes.isBelow(0)) : extremes
    let first = extremes / (format == .q8 ? 127 : -8)
    // ggml's factor of the smallest blocks would be infinite.
    let isTiny = first.isBelow(0x1p-126) & first.isAbove(-0x1p-126)
    factor = (1 / first).replaced(by: 0, where: isTiny)
    scale = first.roundedToHalf
    error = Self.error(values, scale, factor) { format.simplyRounded($0) }
    let (low, high) = (Lanes(repeating: format.integers.low), Lanes(repeating: format.integers.high))
    for divisor in format.divisors {
      let candidate = (extremes / divisor).roundedUpToHalf
      let factor = candidate.factor
      let error = Self.error(values, candidate, factor) { $0.rounded(low, high) }
      take(candidate, factor, error)
    }
    for _ in 0..<2 {
      let factor = scale.factor
      let refined = Self.refined(values, scale, factor) { $0.rounded(low, high) }
      take(refined.scale, factor, refined.error)
    }
  }

  /// Takes what is better than what there is.
  @inline(__always)
  private mutating func take(_ scale: Lanes, _ factor: Lanes, _ error: Lanes) {
    let isBetter = csystem_less_16(error, self.error)
    self.scale = self.scale.replaced(by: scale, where: isBetter)
    self.factor = self.factor.replaced(by: factor, where: isBetter)
    self.error = self.error.replaced(by: error, where: isBetter)
    isSimple = isSimple.replaced(by: 0, where: isBetter)
  }

  /// What is left of a value, x − s · q, is exact but for its last bit: a scale has 11 bits, and an integer eight.
  @inline(__always)
  private static func error(
    _ values: UnsafePointer<Lanes>, _ scale: Lanes, _ factor: Lanes, _ round: (Lanes) -> Lanes
  ) -> Lanes {
    var sum = Lanes.zero
    for i in 0..<BlockFormat.length {
      let rest = values[i] - scale * round(values[i] * factor)
      sum += rest * rest
    }
    return sum
  }

  /// The best scale for the integers that a scale gives, and its error: by what that scale leaves, since sums of x²
  /// would lose most of their bits.
  @inline(__always)
  private static func refined(
    _ values: UnsafePointer<Lanes>, _ scale: Lanes, _ factor: Lanes, _ round: (Lanes) -> Lanes
  ) -> (scale: Lanes, error: Lanes) {
    var (rr, rq, qq) = (Lanes.zero, Lanes.zero, Lanes.zero)
    for i in 0..<BlockFormat.length {
      let q = round(values[i] * factor)
      let rest = values[i] - scale * q
      rr += rest * rest
      rq += rest * q
      qq += q * q
    }
    let best = (scale + rq / qq.replaced(by: 1, where: qq.isBelow(1))).roundedToHalf
    let change = best - scale
    return (best, rr - change * (rq + rq - change * qq))
  }

  /// Writes a block for each of the first lanes.
  /// - Parameter stride: bytes from one block to the next.
  func store(
    _ values: UnsafePointer<Lanes>, outputs: Int, stride: Int, to target: UnsafeMutableRawPointer
  ) {
    withUnsafeTemporaryAllocation(of: SIMD16<UInt8>.self, capacity: BlockFormat.length) { memory in
      let integers = memory.baseAddress!
      let (low, high) = (Lanes(repeating: format.integers.low), Lanes(repeating: format.integers.high))
      for i in 0..<BlockFormat.length {
        let x = values[i] * factor
        let q = x.rounded(low, high).replaced(
          by: format.simplyRounded(x), where: isSimple.isAbove(0))
        integers[i] = (format == .q4 ? q + 8 : q).lowBytes
      }
      if format == .q4 {
        for i in 0..<BlockFormat.length / 2 {
          integers[i] |= integers[i + BlockFormat.length / 2] &<< 4
        }
      }
      let bytes = UnsafeRawPointer(integers)
      for output in 0..<outputs {
        let block = target + output &* stride
        block.storeBytes(of: TensorEncoding.narrow(half: scale[output]), as: UInt16.self)
        for i in 0..<format.bytes - 2 {
          let byte = bytes.load(fromByteOffset: i &* Self.lanes &+ output, as: UInt8.self)
          block.storeBytes(of: byte, toByteOffset: 2 &+ i, as: UInt8.self)
        }
      }
    }
  }
}

extension BlockFormat {
  fileprivate var integers: (low: Float, high: Float) {
    switch self {
    case .q8: (-127, 127)
    case .q4: (-8, 7)
    }
  }

  /// What the extreme is divided by for a scale. More than these gain little.
  fileprivate var divisors: [Float] {
    switch self {
    case .q8: Self.q8Divisors
    case .q4: Self.q4Divisors
    }
  }

  private static let q8Divisors = (0..<11).map { 127.4 - 0.5 * Float($0) }
  private static let q4Divisors: [Float] = [
    -8.75, -8.25, -7.75, -7.25, -6.75, -6.25, 8.5, 8, 7.5, 7, 6.5, 6,
  ]

  /// ggml's rounding: of Q8_0 with ties away from zero; of Q4_0 by adding 8.5 and cutting the fraction off.
  @inline(__always)
  fileprivate func simplyRounded(_ x: BlockFit.Lanes) -> BlockFit.Lanes {
    switch self {
    case .q8:
      let magnitude = x.replaced(by: -x, where: x.isBelow(0))
      let even = magnitude.rounded(.zero, .init(repeating: 127))
      // A tie is half a step from its even neighbour, and nothing is farther.
      let whole = (even + 1).replaced(by: even, where: (magnitude - even).isBelow(0.5))
      return whole.replaced(by: -whole, where: x.isBelow(0))
    case .q4:
      let raised = x + 8.5
      let nearest = raised.rounded(.zero, .init(repeating: 16))
      let whole = nearest.replaced(by: nearest - 1, where: csystem_less_16(raised, nearest))
      return whole.replaced(by: 15, where: whole.isAbove(15)) - 8
    }
  }
}

extension SIMD16<Float> {
  /// 1.5 · 2²³, from which on floats are whole: adding it rounds, ties to even, and leaves a whole number in the low bits.
  @inline(__always) private static var whole: Self { Self(repeating: 0x1.8p23) }

  fileprivate typealias Mask = SIMD16<Int32>

  @inline(__always)
  fileprivate func isBelow(_ limit: Float) -> Mask { csystem_less_16(self, Self(repeating: limit)) }

  @inline(__always)
  fileprivate func isAbove(_ limit: Float) -> Mask { csystem_less_16(Self(repeating: limit), self) }

  @inline(__always)
  fileprivate func replaced(by other: Self, where mask: Mask) -> Self {
    csystem_replaced_16(self, mask, other)
  }

  @inline(__always)
  fileprivate func replaced(by other: Float, where mask: Mask) -> Self {
    replaced(by: Self(repeating: other), where: mask)
  }

  /// In the order of the magnitudes.
  @inline(__always)
  fileprivate var magnitudeBits: Mask { unsafeBitCast(self, to: Mask.self) & 0x7FFF_FFFF }

  /// What a value is multiplied with to be divided by this; 0 for 0.
  @inline(__always)
  fileprivate var factor: Self {
    (1 / self).replaced(by: 0, where: csystem_less_integers_16(magnitudeBits, Mask(repeating: 1)))
  }

  /// The nearest whole numbers within two.
  @inline(__always)
  fileprivate func rounded(_ low: Self, _ high: Self) -> Self {
    (csystem_clamped_16(self, low, high) + Self.whole) - Self.whole
  }

  /// The low byte of each whole number.
  @inline(__always)
  fileprivate var lowBytes: SIMD16<UInt8> {
    SIMD16<UInt8>(truncatingIfNeeded: unsafeBitCast(self + Self.whole, to: SIMD16<UInt32>.self))
  }

  /// The nearest of half precision's finite numbers, ties to even.
  @inline(__always)
  var roundedToHalf: Self {
    let bits = unsafeBitCast(self, to: SIMD16<UInt32>.self)
    let normal = unsafeBitCast((bits &+ 0xFFF &+ ((bits &>> 13) & 1)) & ~0x1FFF, to: Self.self)
    // Below 2⁻¹⁴ half precision's step is that of the floats from a half to one.
    let half = unsafeBitCast(bits & 0x8000_0000 | 0x3F00_0000, to: Self.self)
    let isSubnormal = csystem_less_integers_16(
      magnitudeBits, Mask(repeating: Int32(bitPattern: Float(0x1p-14).bitPattern)))
    let largest = BlockFormat.largestScale
    return normal.replaced(by: (self + half) - half, where: isSubnormal)
      .replaced(by: -largest, where: normal.isBelow(-largest))
      .replaced(by: largest, where: normal.isAbove(largest))
  }

  /// Likewise, but where half precision is coarse, below 2⁻¹³, never nearer to zero: no value is cut off, and no scale but
  /// zero becomes zero.
  @inline(__always)
  fileprivate var roundedUpToHalf: Self {
    let nearest = roundedToHalf
    let step = unsafeBitCast(
      unsafeBitCast(self, to: SIMD16<UInt32>.self) & 0x8000_0000 | Float(0x1p-24).bitPattern, to: Self.self)
    return nearest.replaced(
      by: (nearest + step).roundedToHalf,
      where: csystem_less_integers_16(nearest.magnitudeBits, magnitudeBits))
  }
}
