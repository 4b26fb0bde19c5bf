extension Variant {
  static let int4 = Variant(
    name: "int4",
    summary: "int8 with weights of half a byte, unpacked in registers",
    decoding: .cache, isThreaded: true, weights: .int4,
    makeKernel: { LowPrecision(.int4, pool: $0) },
    makeNarrowCacheKernel: { LowPrecision(.int4, pool: $0, cache: .bf16) })
}

/// Weights of half a byte: a word is four inputs of an output in its bytes' lower halves and the four that are sixteen
/// inputs after them in the upper ones, each 8 too large.
struct NibbleSum<Dot: ByteDot>: BlockSum {
  typealias Vector = Dot.Integers.Floats

  let sums: Vector
  let integers: Dot.Integers

  struct Halves: BitwiseCopyable { let low, high: Dot.Integers }

  @inline(__always)
  init(_ sums: Vector, _ integers: Dot.Integers) { (self.sums, self.integers) = (sums, integers) }

  @inline(__always) static var panelWords: Int { 4 }
  @inline(__always) static var weightOffset: Int32 { 8 }

  @inline(__always)
  static func input(_ x: UnsafePointer<Float>) -> Halves { Halves(low: word(x), high: word(x + 4)) }

  @inline(__always)
  static func weights(_ words: UnsafePointer<Float>) -> Halves {
    let bytes = Self.words(words)
    return Halves(low: bytes.lowNibbles, high: bytes.highNibbles)
  }

  @inline(__always)
  func adding(_ x: Halves, times weights: Halves) -> Self {
    Self(sums, Dot.addNibbles(Dot.addNibbles(integers, weights.low, x.low), weights.high, x.high))
  }
}
