/// A vector of a tile's sums, and what it takes from a row and from a panel. Both are read in words of four bytes: a
/// float, two numbers of half the size, or four bytes. So one walk and one tile serve every precision of weights; what
/// differs is the arithmetic of a word, which is here.
///
/// Words come in blocks, which a row and a panel begin and end together. Whoever has scales multiplies with them there.
protocol TileSum: BitwiseCopyable {
  associatedtype Vector: FloatVector
  /// A row's word for every lane.
  associatedtype Input: BitwiseCopyable
  /// A word of each lane's output.
  associatedtype Weights: BitwiseCopyable

  /// Words of a block in a panel, 4 or 8, and in a row.
  static var panelWords: Int { get }
  static var rowWords: Int { get }
  /// Words of a row that meet one word of a panel, from its first on.
  static var inputWords: Int { get }
  /// Bytes of an output's scale for a block; 0 where there are none.
  static var scaleBytes: Int { get }
  /// Words that a pass over a panel takes at most.
  static var passWords: Int { get }
  /// Bytes of rows that stay in the L2 cache while panel after panel passes, and what of a row counts among them.
  static var rowBlockBytes: Int { get }
  static func cachedWords(inputs: Int) -> Int
  /// Whether panels are always three vectors wide, and words always whole blocks.
  static var fillsPanels: Bool { get }
  /// Rows of the highest tile whose sums stay in registers, where there are 32 of them: 4 or 8. With 16 it is half. Of
  /// the matrix unit its own.
  static var highestTile: Int { get }
  /// Whether tiles are the matrix unit's, whose height is its own.
  static var isMatrixUnit: Bool { get }

  /// Words of a row of so many inputs.
  static func rowWords(inputs: Int) -> Int

  /// A row of `inputs` floats as words; not called where floats are the words.
  static func convert(_ row: UnsafePointer<Float>, inputs: Int, to words: UnsafeMutablePointer<Float>)

  static func input(_ x: UnsafePointer<Float>) -> Input
  static func weights(_ words: UnsafePointer<Float>) -> Weights
  static func scales(_ halves: UnsafeRawPointer) -> Vector

  init()
  init(loading source: UnsafePointer<Float>)
  func beginning(_ x: UnsafePointer<Float>) -> Self
  func adding(_ x: Input, times weights: Weights) -> Self
  func ending(_ x: UnsafePointer<Float>, scales: Vector) -> Self
  func store(to target: UnsafeMutablePointer<Float>)
}

extension TileSum {
  @inline(__always) static var isMatrixUnit: Bool { false }
}

/// Sums without scales, in blocks of four words.
protocol PlainTileSum: TileSum {
  var sums: Vector { get }
  init(_ sums: Vector)
}

extension PlainTileSum {
  @inline(__always) static var panelWords: Int { 4 }
  @inline(__always) static var inputWords: Int { 1 }
  @inline(__always) static var rowWords: Int { panelWords &* inputWords }
  @inline(__always) static var scaleBytes: Int { 0 }
  /// Eight rows of so many stay in the L1 cache, a panel's share in the L2.
  @inline(__always) static var passWords: Int { 768 }
  @inline(__always) static var rowBlockBytes: Int { 1 << 20 }

  /// One pass: there are few, and a tile takes long with each.
  @inline(__always)
  static func cachedWords(inputs: Int) -> Int { min(rowWords(inputs: inputs), passWords &* inputWords) }
  @inline(__always) static func scales(_ halves: UnsafeRawPointer) -> Vector { Vector(repeating: 0) }

  @inline(__always) init() { self.init(Vector(repeating: 0)) }
  @inline(__always) init(loading source: UnsafePointer<Float>) { self.init(Vector(loading: source)) }
  @inline(__always) func beginning(_ x: UnsafePointer<Float>) -> Self { self }
  @inline(__always) func ending(_ x: UnsafePointer<Float>, scales: Vector) -> Self { self }
  @inline(__always) func store(to target: UnsafeMutablePointer<Float>) { sums.store(to: target) }
}

/// float32 by float32, one fused multiply-add each, in the order of the inputs.
struct FloatSum<Vector: FloatVector>: PlainTileSum {
  let sums: Vector

  @inline(__always) init(_ sums: Vector) { self.sums = sums }
  @inline(__always) static var fillsPanels: Bool { false }
  @inline(__always) static var highestTile: Int { 8 }
  @inline(__always) static func rowWords(inputs: Int) -> Int { inputs }

  @inline(__always)
  static func convert(_ row: UnsafePointer<Float>, inputs: Int, to words: UnsafeMutablePointer<Float>) {
    words.update(from: row, count: inputs)
  }

  @inline(__always) static func input(_ x: UnsafePointer<Float>) -> Vector { Vector(repeating: x.pointee) }
  @inline(__always) static func weights(_ words: UnsafePointer<Float>) -> Vector { Vector(loading: words) }

  @inline(__always)
  func adding(_ x: Vector, times weights: Vector) -> Self { Self(sums.adding(x, times: weights)) }
}
