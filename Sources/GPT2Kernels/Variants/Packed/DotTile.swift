/// The sums of a tile whose vectors run along the reduction: some rows of the input by four outputs.
protocol DotTile: BitwiseCopyable {
  associatedtype Vector: FloatVector

  static var rows: Int { get }

  /// All zeros.
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

  @inline(__always)
  static var rows: Int { 1 }

  @inline(__always)
  init() {}

  @inline(__always)
  mutating func add(_ x: UnsafePointer<Float>, stride: Int, times weights: Quad<Vector>) {
    sums.add(Vector(loading: x), times: weights)
  }

  @inline(__always)
  mutating func add(
    _ x: UnsafePointer<Float>, stride: Int, count: Int, times weights: Quad<Vector>
  ) {
    sums.add(Vector(loading: x, count: count), times: weights)
  }

  @inline(__always)
  func store(to target: UnsafeMutablePointer<Float>, stride: Int) { sums.sums.store(to: target) }
}

struct DotPair<Half: DotTile>: DotTile {
  var upper = Half(), lower = Half()

  @inline(__always)
  static var rows: Int { 2 &* Half.rows }

  @inline(__always)
  init() {}

  @inline(__always)
  mutating func add(_ x: UnsafePointer<Float>, stride: Int, times weights: Quad<Half.Vector>) {
    upper.add(x, stride: stride, times: weights)
    lower.add(x + Half.rows &* stride, stride: stride, times: weights)
  }

  @inline(__always)
  mutating func add(
    _ x: UnsafePointer<Float>, stride: Int, count: Int, times weights: Quad<Half.Vector>
  ) {
    upper.add(x, stride: stride, count: count, times: weights)
    lower.add(x + Half.rows &* stride, stride: stride, count: count, times: weights)
  }

  @inline(__always)
  func store(to target: UnsafeMutablePointer<Float>, stride: Int) {
    upper.store(to: target, stride: stride)
    lower.store(to: target + Half.rows &* stride, stride: stride)
  }
}
