extension Variant {
  static let int8 = Variant(
    name: "int8",
    summary: "packed with weights and rows in blocks of 32 bytes, a scale each; integer dot products",
    decoding: .cache, isThreaded: true, weights: .int8,
    makeKernel: { LowPrecision(.int8, pool: $0) },
    makeNarrowCacheKernel: { LowPrecision(.int8, pool: $0, cache: .bf16) })
}

/// Weights of a byte: a word is four inputs of an output, each 128 too large.
struct ByteSum<Dot: ByteDot>: BlockSum {
  typealias Vector = Dot.Integers.Floats

  let sums: Vector
  let integers: Dot.Integers

  @inline(__always)
  init(_ sums: Vector, _ integers: Dot.Integers) { (self.sums, self.integers) = (sums, integers) }

  @inline(__always) static var panelWords: Int { 8 }
  @inline(__always) static var weightOffset: Int32 { Dot.countsOffset ? 128 : 0 }

  @inline(__always) static func input(_ x: UnsafePointer<Float>) -> Dot.Integers { word(x) }
  @inline(__always) static func weights(_ words: UnsafePointer<Float>) -> Dot.Integers { Self.words(words) }

  @inline(__always)
  func adding(_ x: Dot.Integers, times weights: Dot.Integers) -> Self {
    Self(sums, Dot.addBytes(integers, weights, x))
  }
}
