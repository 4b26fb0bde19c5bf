import CSystem

/// Some rows of an input against one panel, cut into tiles.
struct PanelRows<Sum: TileSum> {
  /// The first row's first word, and words from one row to the next.
  let x: UnsafePointer<Float>
  let stride: Int
  let rows: Int
  /// (words, panelStride)
  let panel: UnsafePointer<Float>
  let panelStride: Int
  /// Columns to compute: one to three vectors of floats.
  let columns: Int
  /// Words of each column of the panel.
  let words: Int
  /// (blocks, panelStride) in half precision, where the sums have scales.
  var scales: UnsafeRawPointer?
  /// (rows, columns), the rows `sumStride` apart; only as many as a tile has where `reusesSums`.
  let sums: UnsafeMutablePointer<Float>
  let sumStride: Int
  /// Whether every tile puts its sums in the same place.
  var reusesSums = false
  /// Whether the sums go on from what is there.
  var continues = false
  /// What is wanted next, if anything.
  var next: CacheLines?

  /// - Parameters:
  ///   - tileRows: rows of the highest tile: 2, 4 or 8, or the matrix unit's.
  ///   - finish: takes each tile's rows as soon as their sums are stored, while they are in the first-level cache
  ///     and the next tile's arithmetic can hide what finishing them stores.
  @inline(__always)
  func run(tileRows: Int, finish: (Range<Int>) -> Void) {
    if Sum.fillsPanels { return run(Strip3<Sum>.self, tileRows, finish) }
    switch columns / Sum.Vector.scalarCount {
    case 1: run(Strip1<Sum>.self, tileRows, finish)
    case 2: run(Strip2<Sum>.self, tileRows, finish)
    default: run(Strip3<Sum>.self, tileRows, finish)
    }
  }

  @inline(__always) func run(tileRows: Int) { run(tileRows: tileRows) { _ in } }

  @inline(__always)
  private func run<Columns: Strip>(_: Columns.Type, _ tileRows: Int, _ finish: (Range<Int>) -> Void) {
    // The lines of the next panel, shared out among this one's tiles.
    let blocks = max(words / Sum.panelWords, 1)
    let lines = next.map { $0.rows &* $0.perRow } ?? 0
    let shares = max(rows / tileRows, 1) &* blocks
    let linesPerBlock = lines == 0 ? 0 : (lines &+ shares &- 1) / shares
    let linesPerTile = linesPerBlock &* blocks
    var row = 0
    var tile = 0
    while row < rows {
      let left = Sum.isMatrixUnit ? MatrixTile.height(of: rows &- row) : rows &- row
      var product = TileProduct(
        x: x + row &* stride, stride: stride, panel: panel, panelStride: panelStride, words: words,
        scales: scales ?? UnsafeRawPointer(panel), sums: reusesSums ? sums : sums + row &* sumStride,
        sumStride: sumStride, continues: continues)
      if let next, tile &* linesPerTile < lines {
        product.prefetched = next.line(tile &* linesPerTile)
        product.prefetchStep = next.step
        product.linesPerBlock = linesPerBlock
      }
      let first = row
      tile &+= 1
      if Sum.isMatrixUnit {
        MatrixTile.run(product, rows: left)
        row &+= left
      } else if Sum.highestTile >= 8, left >= 8, tileRows == 8 {
        Pair<Pair<Pair<Row<Columns>>>>.run(product)
        row &+= 8
      } else if left >= 4, tileRows >= 4 {
        Pair<Pair<Row<Columns>>>.run(product)
        row &+= 4
      } else if left >= 2 {
        Pair<Row<Columns>>.run(product)
        row &+= 2
      } else {
        Row<Columns>.run(product)
        row &+= 1
      }
      finish(first..<row)
    }
  }
}

/// Cache lines of some rows, which are asked for one below the other: first each row's first line, then its second.
struct CacheLines {
  let base: UnsafePointer<Float>
  let rows: Int
  /// Floats from one row to the next.
  let step: Int
  let perRow: Int

  @inline(__always)
  init(_ base: UnsafePointer<Float>, rows: Int, step: Int, floatsPerRow: Int) {
    (self.base, self.rows, self.step, perRow) = (base, rows, step, (floatsPerRow &+ 15) / 16)
  }

  /// Memory without a gap.
  @inline(__always)
  init(_ base: UnsafePointer<Float>, count: Int) {
    self.init(base, rows: (count &+ 15) / 16, step: 16, floatsPerRow: 16)
  }

  @inline(__always)
  func line(_ index: Int) -> UnsafePointer<Float> {
    base + (index % max(rows, 1) &* step &+ index / max(rows, 1) &* 16)
  }
}

/// The sums of a register tile: some rows of the input by the columns of a panel. A tile of eight rows is a pair of
/// pairs of pairs of rows. Built that way each height is one type, whose sums stay in registers, each under its name.
protocol Tile: BitwiseCopyable {
  associatedtype Columns: Strip
  static var rows: Int { get }
  init()

  /// From (rows, columns), the rows `stride` apart.
  init(loading source: UnsafePointer<Float>, stride: Int)

  /// Begins a block, whose words begin at `x`, those of the rows `stride` apart.
  func beginning(_ x: UnsafePointer<Float>, stride: Int) -> Self

  /// With one word's products added.
  func adding(_ x: UnsafePointer<Float>, stride: Int, times weights: Columns.Weights) -> Self

  /// Ends the block that was begun.
  func ending(_ x: UnsafePointer<Float>, stride: Int, scales: Columns.Scales) -> Self

  /// As (rows, columns), the rows `stride` apart.
  func store(to target: UnsafeMutablePointer<Float>, stride: Int)
}

struct Row<Columns: Strip>: Tile {
  let sums: Columns

  @inline(__always) static var rows: Int { 1 }
  @inline(__always) init(_ sums: Columns) { self.sums = sums }
  @inline(__always) init() { sums = Columns() }

  @inline(__always)
  init(loading source: UnsafePointer<Float>, stride: Int) { sums = Columns(loading: source) }

  @inline(__always)
  func beginning(_ x: UnsafePointer<Float>, stride: Int) -> Self { Self(sums.beginning(x)) }

  @inline(__always)
  func adding(_ x: UnsafePointer<Float>, stride: Int, times weights: Columns.Weights) -> Self {
    Self(sums.adding(Columns.Sum.input(x), times: weights))
  }

  @inline(__always)
  func ending(_ x: UnsafePointer<Float>, stride: Int, scales: Columns.Scales) -> Self {
    Self(sums.ending(x, scales: scales))
  }

  @inline(__always) func store(to target: UnsafeMutablePointer<Float>, stride: Int) { sums.store(to: target) }
}

struct Pair<Half: Tile>: Tile {
  typealias Columns = Half.Columns

  let upper, lower: Half

  @inline(__always) static var rows: Int { 2 &* Half.rows }
  @inline(__always) init(_ upper: Half, _ lower: Half) { (self.upper, self.lower) = (upper, lower) }
  @inline(__always) init() { self.init(Half(), Half()) }

  @inline(__always)
  init(loading source: UnsafePointer<Float>, stride: Int) {
    self.init(
      Half(loading: source, stride: stride), Half(loading: source + Half.rows &* stride, stride: stride))
  }

  @inline(__always)
  func beginning(_ x: UnsafePointer<Float>, stride: Int) -> Self {
    Self(upper.beginning(x, stride: stride), lower.beginning(x + Half.rows &* stride, stride: stride))
  }

  @inline(__always)
  func adding(_ x: UnsafePointer<Float>, stride: Int, times weights: Columns.Weights) -> Self {
    Self(
      upper.adding(x, stride: stride, times: weights),
      lower.adding(x + Half.rows &* stride, stride: stride, times: weights))
  }

  @inline(__always)
  func ending(_ x: UnsafePointer<Float>, stride: Int, scales: Columns.Scales) -> Self {
    Self(
      upper.ending(x, stride: stride, scales: scales),
      lower.ending(x + Half.rows &* stride, stride: stride, scales: scales))
  }

  @inline(__always)
  func store(to target: UnsafeMutablePointer<Float>, stride: Int) {
    upper.store(to: target, stride: stride)
    lower.store(to: target + Half.rows &* stride, stride: stride)
  }
}

/// What one run of a tile reads and writes.
struct TileProduct {
  /// The first row's first word; the rows lie `stride` apart.
  let x: UnsafePointer<Float>
  let stride: Int
  /// The panel from that word on, (words, columns), `panelStride` from one to the next.
  let panel: UnsafePointer<Float>
  let panelStride: Int
  let words: Int
  /// Of the panel's first block; unread where the sums have none.
  let scales: UnsafeRawPointer
  /// (rows, columns), the rows `sumStride` apart.
  let sums: UnsafeMutablePointer<Float>
  let sumStride: Int
  /// Whether the sums go on from what is there; they start from 0 otherwise.
  let continues: Bool
  /// Cache lines to ask for with every block, from there on: what the next panel needs meanwhile.
  var prefetched: UnsafePointer<Float>?
  /// Floats from one line to the next.
  var prefetchStep = 16
  var linesPerBlock = 0
}

/// The tile of a matrix unit.
enum MatrixTile {
  /// Of the highest.
  static var rows: Int { 32 }

  /// Rows of the next tile where so many are left.
  @inline(__always) static func height(of left: Int) -> Int { left >= rows ? rows : min(left, rows / 2) }

  static func run(_ product: TileProduct, rows: Int) {
    csystem_amx_bf16_product(
      csystem_tile_product(
        x: product.x, stride: product.stride, rows: rows, panel: product.panel,
        panel_stride: product.panelStride, words: product.words, sums: product.sums,
        sum_stride: product.sumStride, continues: product.continues ? 1 : 0,
        prefetched: product.prefetched ?? product.panel, prefetch_step: product.prefetchStep,
        lines_per_block: product.linesPerBlock))
  }
}

extension Tile {
  /// sums[r, c] (+)= Σₖ x[r, k] · panel[k, c], in the order of the words: the same sums whatever the tile's height and
  /// however the words are blocked.
  @inline(never)
  static func run(_ product: TileProduct) {
    var sums = product.continues ? Self(loading: product.sums, stride: product.sumStride) : Self()
    let panelStride = product.panelStride
    let (stride, words, lines) = (product.stride, product.words, product.linesPerBlock)
    let prefetchStep = product.prefetchStep
    var (x, panel, scales) = (product.x, product.panel, product.scales)
    var prefetched = product.prefetched ?? product.panel
    var word = 0
    while word &+ Columns.Sum.panelWords <= words {
      for _ in 0..<lines {
        csystem_prefetch_ahead(prefetched)
        prefetched += prefetchStep
      }
      sums = sums.addingBlock(x, stride: stride, panel: panel, panelStride: panelStride, scales: scales)
      x += Columns.Sum.rowWords
      panel += Columns.Sum.panelWords &* panelStride
      scales += Columns.Sum.scaleBytes &* panelStride
      word &+= Columns.Sum.panelWords
    }
    while word < words {
      sums = sums.adding(x, stride: stride, times: Columns.weights(panel))
      x += Columns.Sum.inputWords
      panel += panelStride
      word &+= 1
    }
    sums.store(to: product.sums, stride: product.sumStride)
  }

  @inline(__always)
  func addingBlock(
    _ x: UnsafePointer<Float>, stride: Int, panel: UnsafePointer<Float>, panelStride: Int,
    scales: UnsafeRawPointer
  ) -> Self {
    var sums = beginning(x, stride: stride)
    var word = 0
    while word < Columns.Sum.panelWords {
      sums = sums.adding(
        x + word &* Columns.Sum.inputWords, stride: stride,
        times: Columns.weights(panel + word &* panelStride))
      word &+= 1
    }
    return sums.ending(x, stride: stride, scales: Columns.scales(scales))
  }
}

/// One row of a register tile: as many vectors of sums as a panel is wide, built as a tile is of rows.
protocol Strip: BitwiseCopyable {
  associatedtype Sum: TileSum
  associatedtype Weights
  associatedtype Scales
  static var columns: Int { get }
  init()
  init(loading source: UnsafePointer<Float>)
  static func weights(_ words: UnsafePointer<Float>) -> Weights
  static func scales(_ halves: UnsafeRawPointer) -> Scales
  func beginning(_ x: UnsafePointer<Float>) -> Self
  func adding(_ x: Sum.Input, times weights: Weights) -> Self
  func ending(_ x: UnsafePointer<Float>, scales: Scales) -> Self
  func store(to target: UnsafeMutablePointer<Float>)
}

typealias Strip2<Sum: TileSum> = Beside<Strip1<Sum>, Strip1<Sum>>
typealias Strip3<Sum: TileSum> = Beside<Strip2<Sum>, Strip1<Sum>>

struct Strip1<Sum: TileSum>: Strip {
  let sum: Sum

  @inline(__always) static var columns: Int { Sum.Vector.scalarCount }
  @inline(__always) init(_ sum: Sum) { self.sum = sum }
  @inline(__always) init() { sum = Sum() }
  @inline(__always) init(loading source: UnsafePointer<Float>) { sum = Sum(loading: source) }

  @inline(__always) static func weights(_ words: UnsafePointer<Float>) -> Sum.Weights { Sum.weights(words) }
  @inline(__always) static func scales(_ halves: UnsafeRawPointer) -> Sum.Vector { Sum.scales(halves) }

  @inline(__always) func beginning(_ x: UnsafePointer<Float>) -> Self { Self(sum.beginning(x)) }

  @inline(__always)
  func adding(_ x: Sum.Input, times weights: Sum.Weights) -> Self { Self(sum.adding(x, times: weights)) }

  @inline(__always)
  func ending(_ x: UnsafePointer<Float>, scales: Sum.Vector) -> Self { Self(sum.ending(x, scales: scales)) }

  @inline(__always) func store(to target: UnsafeMutablePointer<Float>) { sum.store(to: target) }
}

struct Beside<Left: Strip, Right: Strip>: Strip where Left.Sum == Right.Sum {
  typealias Sum = Left.Sum

  let left: Left
  let right: Right

  @inline(__always) static var columns: Int { Left.columns &+ Right.columns }
  @inline(__always) init(_ left: Left, _ right: Right) { (self.left, self.right) = (left, right) }
  @inline(__always) init() { self.init(Left(), Right()) }

  @inline(__always)
  init(loading source: UnsafePointer<Float>) {
    self.init(Left(loading: source), Right(loading: source + Left.columns))
  }

  @inline(__always)
  static func weights(_ words: UnsafePointer<Float>) -> (Left.Weights, Right.Weights) {
    (Left.weights(words), Right.weights(words + Left.columns))
  }

  @inline(__always)
  static func scales(_ halves: UnsafeRawPointer) -> (Left.Scales, Right.Scales) {
    (Left.scales(halves), Right.scales(halves + 2 &* Left.columns))
  }

  @inline(__always)
  func beginning(_ x: UnsafePointer<Float>) -> Self { Self(left.beginning(x), right.beginning(x)) }

  @inline(__always)
  func adding(_ x: Sum.Input, times weights: (Left.Weights, Right.Weights)) -> Self {
    Self(left.adding(x, times: weights.0), right.adding(x, times: weights.1))
  }

  @inline(__always)
  func ending(_ x: UnsafePointer<Float>, scales: (Left.Scales, Right.Scales)) -> Self {
    Self(left.ending(x, scales: scales.0), right.ending(x, scales: scales.1))
  }

  @inline(__always)
  func store(to target: UnsafeMutablePointer<Float>) {
    left.store(to: target)
    right.store(to: target + Left.columns)
  }
}
