import CSystem

extension Variant {
  static let bf16 = Variant(
    name: "bf16",
    summary: "packed with bfloat16 weights, two to a word; products of pairs, sums in float32",
    decoding: .cache, isThreaded: true, weights: .bf16,
    makeKernel: { LowPrecision(.bf16, pool: $0) },
    makeNarrowCacheKernel: { LowPrecision(.bf16, pool: $0, cache: .bf16) })
}

/// Where products of bfloat16 pairs run.
protocol BrainUnit { static var isMatrixUnit: Bool { get } }
/// AVX-512's `vdpbf16ps`, sixteen sums at a time.
enum VectorUnit: BrainUnit { static var isMatrixUnit: Bool { false } }
/// AMX's `tdpbf16ps`, 256 sums at a time.
enum MatrixUnit: BrainUnit { static var isMatrixUnit: Bool { true } }

/// Sixteen sums of bfloat16 pairs' products in float32. A word is two neighbouring inputs, of the row as of an output.
/// Rows are rounded to bfloat16 as well, which is what the instructions take.
struct BrainSum16<Unit: BrainUnit>: PlainTileSum {
  typealias Vector = SIMD16<Float>

  let sums: SIMD16<Float>

  @inline(__always) init(_ sums: SIMD16<Float>) { self.sums = sums }
  @inline(__always) static var fillsPanels: Bool { true }
  @inline(__always) static var isMatrixUnit: Bool { Unit.isMatrixUnit }
  @inline(__always) static var highestTile: Int { isMatrixUnit ? MatrixTile.rows : 8 }

  /// The matrix unit reads a line of each of sixteen rows at a time: rows an odd number of lines apart lie in different
  /// places of the first-level cache.
  @inline(__always)
  static func rowWords(inputs: Int) -> Int {
    let words = (inputs &+ 1) / 2
    return isMatrixUnit ? (words &+ 15) / 16 * 16 | 16 : words
  }

  static func convert(_ row: UnsafePointer<Float>, inputs: Int, to words: UnsafeMutablePointer<Float>) {
    let target = UnsafeMutableRawPointer(words).assumingMemoryBound(to: UInt16.self)
    var input = 0
    while input &+ 16 <= inputs {
      csystem_store_brain_floats_16(target + input, SIMD16(loading: row + input))
      input &+= 16
    }
    while input < inputs {
      target[input] = csystem_brain_float(row[input])
      input &+= 1
    }
    if inputs % 2 == 1 { target[inputs] = 0 }
  }

  @inline(__always) static func input(_ x: UnsafePointer<Float>) -> SIMD16<Float> {
    SIMD16(repeating: x.pointee)
  }
  @inline(__always) static func weights(_ words: UnsafePointer<Float>) -> SIMD16<Float> {
    SIMD16(loading: words)
  }

  @inline(__always)
  func adding(_ x: SIMD16<Float>, times weights: SIMD16<Float>) -> Self {
    Self(csystem_dot_bf16(sums, weights, x))
  }
}

/// With float32's own instructions: each weight is widened to the float32 that it is the upper half of, once for all rows
/// of a tile, and rows stay what they are. Where the CPU has no faster way, or where its `vdpbf16ps` is none.
struct WidenedBrainSum<Vector: BrainVector>: PlainTileSum {
  let sums: Vector

  @inline(__always) init(_ sums: Vector) { self.sums = sums }
  /// Those of a cache are narrower where a head is.
  @inline(__always) static var fillsPanels: Bool { false }
  @inline(__always) static var highestTile: Int { 8 }
  @inline(__always) static var inputWords: Int { 2 }
  @inline(__always) static func rowWords(inputs: Int) -> Int { (inputs &+ 1) / 2 &* 2 }

  /// For an odd number of inputs, whose last word has a second one.
  static func convert(_ row: UnsafePointer<Float>, inputs: Int, to words: UnsafeMutablePointer<Float>) {
    words.update(from: row, count: inputs)
    (words + inputs).update(repeating: 0, count: rowWords(inputs: inputs) - inputs)
  }

  struct Pair: BitwiseCopyable { let first, second: Vector }

  @inline(__always)
  static func input(_ x: UnsafePointer<Float>) -> Pair {
    Pair(first: Vector(repeating: x[0]), second: Vector(repeating: x[1]))
  }

  @inline(__always)
  static func weights(_ words: UnsafePointer<Float>) -> Pair {
    let words = Vector(loading: words)
    return Pair(first: words.lowBrain, second: words.highBrain)
  }

  @inline(__always)
  func adding(_ x: Pair, times weights: Pair) -> Self {
    Self(sums.adding(x.first, times: weights.first).adding(x.second, times: weights.second))
  }
}

/// A vector of words that hold two bfloat16 each.
protocol BrainVector: FloatVector {
  /// The lower of each word's two numbers.
  var lowBrain: Self { get }
  var highBrain: Self { get }
}

extension SIMD4<Float>: BrainVector {
  @inline(__always) var lowBrain: Self { csystem_low_brains_4(self) }
  @inline(__always) var highBrain: Self { csystem_high_brains_4(self) }
}

extension SIMD8<Float>: BrainVector {
  @inline(__always) var lowBrain: Self { csystem_low_brains_8(self) }
  @inline(__always) var highBrain: Self { csystem_high_brains_8(self) }
}

extension SIMD16<Float>: BrainVector {
  @inline(__always) var lowBrain: Self { csystem_low_brains_16(self) }
  @inline(__always) var highBrain: Self { csystem_high_brains_16(self) }
}
