import CSystem

/// Some rows of an input against one panel, cut into tiles.
struct PanelRows<V: FloatVector> {
  /// The first row's first input.
  let x: UnsafePointer<Float>
  let stride: Int
  let rows: Int
  /// (inputs, panelStride)
  let panel: UnsafePointer<Float>
  let panelStride: Int
  /// Columns to compute: one to three vectors of floats.
  let columns: Int
  let inputs: Int
  /// (rows, columns), the rows `sumStride` apart; only as many as a tile has where `reusesSums`.
  let sums: UnsafeMutablePointer<Float>
  let sumStride: Int
  /// Whether every tile puts its sums in the same place.
  var reusesSums = false
  /// Whether the sums go on from what is there.
  var continues = false
  /// Where the memory begins that is wanted next, if any.
  var next: UnsafePointer<Float>?

  /// - Parameters:
  ///   - tileRows: rows of the highest tile, 4 or 8.
  ///   - finish: takes each tile's rows as soon as their sums are stored, while they are in the first-level cache
  ///     and the next tile's arithmetic can hide what finishing them stores.
  @inline(__always)
  func run(tileRows: Int, finish: (Range<Int>) -> Void) {
    switch columns / V.scalarCount {
    case 1: run(Strip1<V>.self, tileRows, finish)
    case 2: run(Strip2<V>.self, tileRows, finish)
    default: run(Strip3<V>.self, tileRows, finish)
    }
  }

  @inline(__always) func run(tileRows: Int) { run(tileRows: tileRows) { _ in } }

  @inline(__always)
  private func run<Columns: Strip>(_: Columns.Type, _ tileRows: Int, _ finish: (Range<Int>) -> Void) {
    // The lines of the next panel, shared out among this one's tiles, at four inputs a step.
    let lines = (4 &* panelStride) / 16
    let tiles = max(rows / tileRows, 1)
    let linesPerStep = next == nil ? 0 : (lines &+ tiles &- 1) / tiles
    let linesPerTile = linesPerStep &* (inputs / 4)
    var row = 0
    var tile = 0
    while row < rows {
      let left = rows &- row
      var product = TileProduct(
        x: x + row &* stride, stride: stride, panel: panel, panelStride: panelStride, inputs: inputs,
        sums: reusesSums ? sums : sums + row &* sumStride, sumStride: sumStride, continues: continues)
      if let next, tile &* linesPerTile &* 16 < inputs &* panelStride {
        product.prefetched = next + tile &* linesPerTile &* 16
        product.linesPerStep = linesPerStep
      }
      let first = row
      tile &+= 1
      if left >= 8, tileRows == 8 {
        Pair<Pair<Pair<Row<Columns>>>>.run(product)
        row &+= 8
      } else if left >= 4 {
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

/// The sums of a register tile: some rows of the input by the columns of a panel. A tile of eight rows is a pair of
/// pairs of pairs of rows. Built that way each height is one type, whose sums stay in registers, each under its name.
protocol Tile: BitwiseCopyable {
  associatedtype Columns: Strip
  static var rows: Int { get }
  init()

  /// From (rows, columns), the rows `stride` apart.
  init(loading source: UnsafePointer<Float>, stride: Int)

  /// Adds one input's products. The rows' inputs lie `stride` apart.
  mutating func add(_ x: UnsafePointer<Float>, stride: Int, times weights: Columns)

  /// As (rows, columns), the rows `stride` apart.
  func store(to target: UnsafeMutablePointer<Float>, stride: Int)
}

struct Row<Columns: Strip>: Tile {
  var sums = Columns()

  @inline(__always) static var rows: Int { 1 }
  @inline(__always) init() {}

  @inline(__always)
  init(loading source: UnsafePointer<Float>, stride: Int) { sums = Columns(loading: source) }

  @inline(__always)
  mutating func add(_ x: UnsafePointer<Float>, stride: Int, times weights: Columns) {
    sums.add(x.pointee, times: weights)
  }

  @inline(__always) func store(to target: UnsafeMutablePointer<Float>, stride: Int) { sums.store(to: target) }
}

struct Pair<Half: Tile>: Tile {
  var upper = Half(), lower = Half()

  @inline(__always) static var rows: Int { 2 &* Half.rows }
  @inline(__always) init() {}

  @inline(__always)
  init(loading source: UnsafePointer<Float>, stride: Int) {
    upper = Half(loading: source, stride: stride)
    lower = Half(loading: source + Half.rows &* stride, stride: stride)
  }

  @inline(__always)
  mutating func add(_ x: UnsafePointer<Float>, stride: Int, times weights: Half.Columns) {
    upper.add(x, stride: stride, times: weights)
    lower.add(x + Half.rows &* stride, stride: stride, times: weights)
  }

  @inline(__always)
  func store(to target: UnsafeMutablePointer<Float>, stride: Int) {
    upper.store(to: target, stride: stride)
    lower.store(to: target + Half.rows &* stride, stride: stride)
  }
}

/// What one run of a tile reads and writes.
struct TileProduct {
  /// The first row's first input; the rows lie `stride` apart.
  let x: UnsafePointer<Float>
  let stride: Int
  /// The panel from that input on, (inputs, columns), `panelStride` from one input to the next.
  let panel: UnsafePointer<Float>
  let panelStride: Int
  let inputs: Int
  /// (rows, columns), the rows `sumStride` apart.
  let sums: UnsafeMutablePointer<Float>
  let sumStride: Int
  /// Whether the sums go on from what is there; they start from 0 otherwise.
  let continues: Bool
  /// Cache lines to ask for with every four inputs, from there on: what the next panel needs meanwhile.
  var prefetched: UnsafePointer<Float>?
  var linesPerStep = 0
}

extension Tile {
  /// sums[r, c] (+)= Σₖ x[r, k] · panel[k, c], in the order of the inputs, one fused multiply-add each: the same
  /// sums whatever the tile's height and however the inputs are blocked.
  @inline(never)
  static func run(_ product: TileProduct) {
    var sums = product.continues ? Self(loading: product.sums, stride: product.sumStride) : Self()
    let panelStride = product.panelStride
    let (x, stride, inputs, lines) = (product.x, product.stride, product.inputs, product.linesPerStep)
    var panel = product.panel
    var prefetched = product.prefetched ?? product.panel
    var k = 0
    while k &+ 4 <= inputs {
      for _ in 0..<lines {
        csystem_prefetch_ahead(prefetched)
        prefetched += 16
      }
      sums.add(x + k, stride: stride, times: Columns(loading: panel))
      sums.add(x + (k &+ 1), stride: stride, times: Columns(loading: panel + panelStride))
      sums.add(x + (k &+ 2), stride: stride, times: Columns(loading: panel + 2 &* panelStride))
      sums.add(x + (k &+ 3), stride: stride, times: Columns(loading: panel + 3 &* panelStride))
      panel += 4 &* panelStride
      k &+= 4
    }
    while k < inputs {
      sums.add(x + k, stride: stride, times: Columns(loading: panel))
      panel += panelStride
      k &+= 1
    }
    sums.store(to: product.sums, stride: product.sumStride)
  }
}

/// One row of a register tile: as many vectors of sums, or of weights, as a panel is wide.
protocol Strip: BitwiseCopyable {
  associatedtype Vector: FloatVector
  init()
  init(loading source: UnsafePointer<Float>)
  mutating func add(_ x: Float, times weights: Self)
  func store(to target: UnsafeMutablePointer<Float>)
}

struct Strip1<Vector: FloatVector>: Strip {
  var a = Vector(repeating: 0)

  @inline(__always) init() {}
  @inline(__always) init(loading source: UnsafePointer<Float>) { a = Vector(loading: source) }

  @inline(__always)
  mutating func add(_ x: Float, times weights: Self) { a = a.adding(Vector(repeating: x), times: weights.a) }
  @inline(__always) func store(to target: UnsafeMutablePointer<Float>) { a.store(to: target) }
}

struct Strip2<Vector: FloatVector>: Strip {
  var a = Vector(repeating: 0), b = Vector(repeating: 0)

  @inline(__always) init() {}

  @inline(__always)
  init(loading source: UnsafePointer<Float>) {
    a = Vector(loading: source)
    b = Vector(loading: source + Vector.scalarCount)
  }

  @inline(__always)
  mutating func add(_ x: Float, times weights: Self) {
    let x = Vector(repeating: x)
    a = a.adding(x, times: weights.a)
    b = b.adding(x, times: weights.b)
  }

  @inline(__always)
  func store(to target: UnsafeMutablePointer<Float>) {
    a.store(to: target)
    b.store(to: target + Vector.scalarCount)
  }
}

struct Strip3<Vector: FloatVector>: Strip {
  var a = Vector(repeating: 0), b = Vector(repeating: 0), c = Vector(repeating: 0)

  @inline(__always) init() {}

  @inline(__always)
  init(loading source: UnsafePointer<Float>) {
    a = Vector(loading: source)
    b = Vector(loading: source + Vector.scalarCount)
    c = Vector(loading: source + 2 &* Vector.scalarCount)
  }

  @inline(__always)
  mutating func add(_ x: Float, times weights: Self) {
    let x = Vector(repeating: x)
    a = a.adding(x, times: weights.a)
    b = b.adding(x, times: weights.b)
    c = c.adding(x, times: weights.c)
  }

  @inline(__always)
  func store(to target: UnsafeMutablePointer<Float>) {
    a.store(to: target)
    b.store(to: target + Vector.scalarCount)
    c.store(to: target + 2 &* Vector.scalarCount)
  }
}
