/// One row of a register tile: as many vectors of sums, or of weights, as a panel is wide.
protocol Strip: BitwiseCopyable {
  associatedtype Vector: FloatVector

  /// All zeros.
  init()

  init(loading source: UnsafePointer<Float>)

  mutating func add(_ x: Float, times weights: Self)

  func store(to target: UnsafeMutablePointer<Float>)
}

struct Strip1<Vector: FloatVector>: Strip {
  var a = Vector(repeating: 0)

  @inline(__always)
  init() {}

  @inline(__always)
  init(loading source: UnsafePointer<Float>) { a = Vector(loading: source) }

  @inline(__always)
  mutating func add(_ x: Float, times weights: Self) {
    a = a.adding(Vector(repeating: x), times: weights.a)
  }

  @inline(__always)
  func store(to target: UnsafeMutablePointer<Float>) { a.store(to: target) }
}

struct Strip2<Vector: FloatVector>: Strip {
  var a = Vector(repeating: 0), b = Vector(repeating: 0)

  @inline(__always)
  init() {}

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

  @inline(__always)
  init() {}

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
