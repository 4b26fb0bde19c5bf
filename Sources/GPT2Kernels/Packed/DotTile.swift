import CSystem

/// The sums of a tile whose vectors run along the reduction: some rows of the input by four outputs.
protocol DotTile: BitwiseCopyable {
  associatedtype Vector: FloatVector
  static var rows: Int { get }
  init()

  /// Adds a vector's worth of inputs. The rows' inputs lie `stride` apart.
  mutating func add(_ x: UnsafePointer<Float>, stride: Int, times weights: Quad<Vector>)

  /// Adds the last `count` inputs, fewer than a vector holds.
  mutating func add(_ x: UnsafePointer<Float>, stride: Int, count: Int, times weights: Quad<Vector>)

  /// Each row's four sums, `stride` apart.
  func store(to target: UnsafeMutablePointer<Float>, stride: Int)
}

struct DotRow<Vector: FloatVector>: DotTile {
  var sums = Quad<Vector>()

  @inline(__always) static var rows: Int { 1 }
  @inline(__always) init() {}

  @inline(__always)
  mutating func add(_ x: UnsafePointer<Float>, stride: Int, times weights: Quad<Vector>) {
    sums.add(Vector(loading: x), times: weights)
  }

  @inline(__always)
  mutating func add(_ x: UnsafePointer<Float>, stride: Int, count: Int, times weights: Quad<Vector>) {
    sums.add(Vector(loading: x, count: count), times: weights)
  }

  @inline(__always)
  func store(to target: UnsafeMutablePointer<Float>, stride: Int) { sums.sums.store(to: target) }
}

struct DotPair<Half: DotTile>: DotTile {
  var upper = Half(), lower = Half()

  @inline(__always) static var rows: Int { 2 &* Half.rows }
  @inline(__always) init() {}

  @inline(__always)
  mutating func add(_ x: UnsafePointer<Float>, stride: Int, times weights: Quad<Half.Vector>) {
    upper.add(x, stride: stride, times: weights)
    lower.add(x + Half.rows &* stride, stride: stride, times: weights)
  }

  @inline(__always)
  mutating func add(_ x: UnsafePointer<Float>, stride: Int, count: Int, times weights: Quad<Half.Vector>) {
    upper.add(x, stride: stride, count: count, times: weights)
    lower.add(x + Half.rows &* stride, stride: stride, count: count, times: weights)
  }

  @inline(__always)
  func store(to target: UnsafeMutablePointer<Float>, stride: Int) {
    upper.store(to: target, stride: stride)
    lower.store(to: target + Half.rows &* stride, stride: stride)
  }
}

/// What one run of a tile reads and writes.
struct DotProduct {
  /// The first row's first input; the rows lie `stride` apart.
  let x: UnsafePointer<Float>
  let stride: Int
  let weights: QuadRows
  let inputs: Int
  /// (rows, lanes), of which each row's first four are written.
  let sums: UnsafeMutablePointer<Float>
  /// Cache lines to ask for with every vector of inputs, from there on.
  let next: UnsafePointer<Float>
  let linesPerStep: Int
}

extension DotTile {
  /// sums[r, c] = Σₖ x[r, k] · weights[c, k], each in as many partial sums as there are lanes: the same at any height.
  @inline(never)
  static func run(_ product: DotProduct) {
    let (x, stride, weights, inputs) = (product.x, product.stride, product.weights, product.inputs)
    let (lanes, lines) = (Vector.scalarCount, product.linesPerStep)
    var next = product.next
    var tile = Self()
    var k = 0
    while k &+ lanes <= inputs {
      for _ in 0..<lines {
        csystem_prefetch_ahead(next)
        next += lanes
      }
      tile.add(x + k, stride: stride, times: Quad(loading: weights, at: k))
      k &+= lanes
    }
    if k < inputs {
      var whole = tile
      whole.addRest(of: product, from: k)
      tile = whole
    }
    tile.store(to: product.sums, stride: lanes)
  }

  /// The inputs that do not fill a vector. Not inlined: lanes one by one would cost the loop registers.
  @inline(never)
  private mutating func addRest(of product: DotProduct, from k: Int) {
    let count = product.inputs &- k
    add(
      product.x + k, stride: product.stride, count: count,
      times: Quad(loading: product.weights, at: k, count: count))
  }
}
