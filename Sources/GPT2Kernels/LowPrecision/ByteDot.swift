import CSystem

/// How four products of bytes are added to each of a vector of integers. Every way gives the same integers.
protocol ByteDot {
  associatedtype Integers: IntegerVector

  /// Whether `addBytes` takes weights as they lie, 128 too large. The sums are then too large by 128 · Σ x.
  static var countsOffset: Bool { get }

  /// Adds products of unsigned bytes, weights and 128, with signed ones.
  static func addBytes(_ sums: Integers, _ weights: Integers, _ x: Integers) -> Integers

  /// The same of weights that are at most 15.
  static func addNibbles(_ sums: Integers, _ weights: Integers, _ x: Integers) -> Integers
}

/// `vpdpbusd` of 512 bits.
enum AVX512ByteDot: ByteDot {
  @inline(__always) static var countsOffset: Bool { true }

  @inline(__always)
  static func addBytes(_ sums: SIMD16<Int32>, _ weights: SIMD16<Int32>, _ x: SIMD16<Int32>) -> SIMD16<Int32> {
    csystem_dot_bytes_16(sums, weights, x)
  }

  @inline(__always)
  static func addNibbles(_ sums: SIMD16<Int32>, _ weights: SIMD16<Int32>, _ x: SIMD16<Int32>) -> SIMD16<Int32>
  {
    csystem_dot_bytes_16(sums, weights, x)
  }
}

/// `vpdpbusd` of 256 bits.
enum AVXByteDot: ByteDot {
  @inline(__always) static var countsOffset: Bool { true }

  @inline(__always)
  static func addBytes(_ sums: SIMD8<Int32>, _ weights: SIMD8<Int32>, _ x: SIMD8<Int32>) -> SIMD8<Int32> {
    csystem_dot_bytes_8(sums, weights, x)
  }

  @inline(__always)
  static func addNibbles(_ sums: SIMD8<Int32>, _ weights: SIMD8<Int32>, _ x: SIMD8<Int32>) -> SIMD8<Int32> {
    csystem_dot_bytes_8(sums, weights, x)
  }
}

/// `vpmaddubsw` and `vpmaddwd`. The first adds two products in 16 bits, too few for a byte of 255; so bytes are made
/// signed again.
enum AVX2ByteDot: ByteDot {
  @inline(__always) static var countsOffset: Bool { false }

  @inline(__always)
  static func addBytes(_ sums: SIMD8<Int32>, _ weights: SIMD8<Int32>, _ x: SIMD8<Int32>) -> SIMD8<Int32> {
    csystem_dot_signed_bytes_8(sums, weights ^ SIMD8(repeating: Int32(bitPattern: 0x8080_8080)), x)
  }

  @inline(__always)
  static func addNibbles(_ sums: SIMD8<Int32>, _ weights: SIMD8<Int32>, _ x: SIMD8<Int32>) -> SIMD8<Int32> {
    csystem_dot_small_bytes_8(sums, weights, x)
  }
}

/// One byte after the other: what every other way is held against, and what runs where there is none.
enum ScalarByteDot: ByteDot {
  @inline(__always) static var countsOffset: Bool { true }

  @inline(__always)
  static func addBytes(_ sums: SIMD8<Int32>, _ weights: SIMD8<Int32>, _ x: SIMD8<Int32>) -> SIMD8<Int32> {
    var sums = sums
    for byte in 0..<4 {
      let weight = (weights &>> SIMD8(repeating: Int32(8 &* byte))) & SIMD8(repeating: 255)
      let value = (x &<< SIMD8(repeating: Int32(24 &- 8 &* byte))) &>> SIMD8(repeating: 24)
      sums = sums &+ weight &* value
    }
    return sums
  }

  @inline(__always)
  static func addNibbles(_ sums: SIMD8<Int32>, _ weights: SIMD8<Int32>, _ x: SIMD8<Int32>) -> SIMD8<Int32> {
    addBytes(sums, weights, x)
  }
}

/// A vector of integers beside a vector of floats, as `FloatVector` is one of floats.
protocol IntegerVector: SIMD, BitwiseCopyable, Sendable where Scalar == Int32 {
  associatedtype Floats: FloatVector
  init(repeating value: Int32)
  var floats: Floats { get }
  func larger(_ other: Self) -> Self
  var largestLane: Int32 { get }
  /// Without what does not fit 32 bits.
  var laneSum: Int32 { get }
  /// The lower and the upper half of each byte, as bytes.
  var lowNibbles: Self { get }
  var highNibbles: Self { get }
  /// The lowest byte of each lane, one after the other.
  func storeBytes(to target: UnsafeMutableRawPointer)
  /// As many numbers of half precision as there are lanes.
  static func halves(_ source: UnsafeRawPointer) -> Floats
}

extension SIMD8<Int32>: IntegerVector {
  @inline(__always) init(repeating value: Int32) { self = csystem_repeated_integers_8(value) }
  @inline(__always) var floats: SIMD8<Float> { csystem_floats_8(self) }
  @inline(__always) func larger(_ other: Self) -> Self { csystem_larger_integers_8(self, other) }
  @inline(__always) var largestLane: Int32 { csystem_largest_integer_8(self) }
  @inline(__always) var laneSum: Int32 { csystem_integer_sum_8(self) }
  @inline(__always) var lowNibbles: Self { csystem_low_nibbles_8(self) }
  @inline(__always) var highNibbles: Self { csystem_high_nibbles_8(self) }
  @inline(__always) func storeBytes(to target: UnsafeMutableRawPointer) {
    csystem_store_bytes_8(target, self)
  }
  @inline(__always) static func halves(_ source: UnsafeRawPointer) -> SIMD8<Float> {
    csystem_load_halves_8(source)
  }
}

extension SIMD16<Int32>: IntegerVector {
  @inline(__always) init(repeating value: Int32) { self = csystem_repeated_integers_16(value) }
  @inline(__always) var floats: SIMD16<Float> { csystem_floats_16(self) }
  @inline(__always) func larger(_ other: Self) -> Self { csystem_larger_integers_16(self, other) }
  @inline(__always) var largestLane: Int32 { csystem_largest_integer_16(self) }
  @inline(__always) var laneSum: Int32 { csystem_integer_sum_16(self) }
  @inline(__always) var lowNibbles: Self { csystem_low_nibbles_16(self) }
  @inline(__always) var highNibbles: Self { csystem_high_nibbles_16(self) }
  @inline(__always) func storeBytes(to target: UnsafeMutableRawPointer) {
    csystem_store_bytes_16(target, self)
  }
  @inline(__always) static func halves(_ source: UnsafeRawPointer) -> SIMD16<Float> {
    csystem_load_halves_16(source)
  }
}

/// Sums of blocks of 32 inputs: products of integers within a block, the blocks' sums times both scales in float32. A
/// row's block is eight words of bytes, its scale, and what an offset of the weights has added too much:
/// x ≈ scale · q, scale = max |x| / 127. It is ggml's Q8_0 with a scale in float32 (ggml-quants.c).
protocol BlockSum: TileSum where Vector == Dot.Integers.Floats {
  associatedtype Dot: ByteDot
  var sums: Vector { get }
  /// Of the block so far.
  var integers: Dot.Integers { get }
  init(_ sums: Vector, _ integers: Dot.Integers)
  /// What the panels' integers are too large by.
  static var weightOffset: Int32 { get }
}

extension BlockSum {
  @inline(__always) static var rowWords: Int { 10 }
  @inline(__always) static var inputWords: Int { 1 }
  @inline(__always) static var scaleBytes: Int { 2 }
  @inline(__always) static var fillsPanels: Bool { true }
  /// A tile of four rows is done with a word too soon to have the next from the L2 cache: a panel's share is to stay in
  /// the L1.
  @inline(__always) static var passWords: Int { 12 &* panelWords }
  @inline(__always) static var rowBlockBytes: Int { 1 << 19 }
  @inline(__always) static func cachedWords(inputs: Int) -> Int { rowWords(inputs: inputs) }
  @inline(__always) static var highestTile: Int { 4 }

  @inline(__always) static func rowWords(inputs: Int) -> Int { (inputs &+ 31) / 32 &* rowWords }

  static func convert(_ row: UnsafePointer<Float>, inputs: Int, to words: UnsafeMutablePointer<Float>) {
    let whole = inputs / 32
    for block in 0..<whole { convertBlock(row + 32 &* block, to: words + rowWords &* block) }
    guard inputs % 32 > 0 else { return }
    withUnsafeTemporaryAllocation(of: Float.self, capacity: 32) { last in
      last.initialize(repeating: 0)
      last.baseAddress!.update(from: row + 32 &* whole, count: inputs % 32)
      convertBlock(last.baseAddress!, to: words + rowWords &* whole)
    }
  }

  /// Not a number among the inputs, or an infinite one, makes the scale no number. Magnitudes are compared as integers,
  /// whose order is theirs; there an infinite one and what is no number come after all others.
  @inline(__always)
  private static func convertBlock(_ x: UnsafePointer<Float>, to words: UnsafeMutablePointer<Float>) {
    typealias Integers = Dot.Integers
    let lanes = Vector.scalarCount
    var magnitudes = Integers(repeating: 0)
    for i in stride(from: 0, to: 32, by: lanes) {
      let values = unsafeBitCast(Vector(loading: x + i), to: Integers.self)
      magnitudes = magnitudes.larger(values & Integers(repeating: .max))
    }
    let maximum = Float(bitPattern: UInt32(bitPattern: magnitudes.largestLane))
    // Below, 127 / maximum may be infinite.
    let inverse: Float = maximum > 0x1p-100 ? 127 / maximum : 0
    // Adding 1.5 · 2²³ rounds to an integer, which then stands in the low bits.
    let magic = Vector(repeating: 12_582_912)
    var total = Integers(repeating: 0)
    for i in stride(from: 0, to: 32, by: lanes) {
      let shifted = Vector(loading: x + i) * Vector(repeating: inverse) + magic
      let integers = unsafeBitCast(shifted, to: Integers.self) &- unsafeBitCast(magic, to: Integers.self)
      integers.storeBytes(to: UnsafeMutableRawPointer(words) + i)
      total = total &+ integers
    }
    words[8] = maximum.isFinite ? maximum / 127 : .nan
    words[9] = Float(bitPattern: UInt32(bitPattern: 0 &- weightOffset &* total.laneSum))
  }

  @inline(__always) static func scales(_ halves: UnsafeRawPointer) -> Vector { Dot.Integers.halves(halves) }

  @inline(__always)
  init() { self.init(Vector(repeating: 0), Dot.Integers(repeating: 0)) }

  @inline(__always)
  init(loading source: UnsafePointer<Float>) {
    self.init(Vector(loading: source), Dot.Integers(repeating: 0))
  }

  @inline(__always)
  func beginning(_ x: UnsafePointer<Float>) -> Self {
    Self(sums, Dot.Integers(repeating: Self.weightOffset == 0 ? 0 : Int32(bitPattern: x[9].bitPattern)))
  }

  @inline(__always)
  func ending(_ x: UnsafePointer<Float>, scales: Vector) -> Self {
    Self(sums.adding(integers.floats, times: scales * Vector(repeating: x[8])), integers)
  }

  @inline(__always) func store(to target: UnsafeMutablePointer<Float>) { sums.store(to: target) }

  /// A word of a row for every lane.
  @inline(__always)
  static func word(_ x: UnsafePointer<Float>) -> Dot.Integers {
    Dot.Integers(repeating: Int32(bitPattern: x.pointee.bitPattern))
  }

  @inline(__always)
  static func words(_ words: UnsafePointer<Float>) -> Dot.Integers {
    UnsafeRawPointer(words).loadUnaligned(as: Dot.Integers.self)
  }
}
