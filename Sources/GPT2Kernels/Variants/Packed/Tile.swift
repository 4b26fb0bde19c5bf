import CSystem

/// The sums of a register tile: some rows of the input by the columns of a panel.
///
/// A tile of eight rows is a pair of pairs of pairs of rows. Built that way each height is one type, whose sums the
/// compiler keeps in registers, each under a name of its own.
protocol Tile: BitwiseCopyable {
  associatedtype Columns: Strip

  static var rows: Int { get }

  /// All zeros.
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

  @inline(__always)
  static var rows: Int { 1 }

  @inline(__always)
  init() {}

  @inline(__always)
  init(loading source: UnsafePointer<Float>, stride: Int) { sums = Columns(loading: source) }

  @inline(__always)
  mutating func add(_ x: UnsafePointer<Float>, stride: Int, times weights: Columns) {
    sums.add(x.pointee, times: weights)
  }

  @inline(__always)
  func store(to target: UnsafeMutablePointer<Float>, stride: Int) { sums.store(to: target) }
}

struct Pair<Half: Tile>: Tile {
  var upper = Half(), lower = Half()

  @inline(__always)
  static var rows: Int { 2 &* Half.rows }

  @inline(__always)
  init() {}

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
  /// Cache lines to ask for with every four inputs, from there on: what the next panel needs from memory while
  /// this one computes.
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
