extension SIMD8<Float> {
  /// Eight floats from any address that holds floats.
  @inline(__always)
  init(loading source: UnsafePointer<Float>) {
    self = UnsafeRawPointer(source).loadUnaligned(as: SIMD8<Float>.self)
  }

  /// The first `count` floats, 0 to 7 of them, and `padding` in the lanes behind.
  @inline(__always)
  init(loading source: UnsafePointer<Float>, count: Int, padding: Float = 0) {
    self.init(repeating: padding)
    for lane in 0..<count { self[lane] = source[lane] }
  }

  @inline(__always)
  func store(to target: UnsafeMutablePointer<Float>) {
    UnsafeMutableRawPointer(target).storeBytes(of: self, as: SIMD8<Float>.self)
  }

  /// Stores the first `count` lanes, 0 to 7 of them.
  @inline(__always)
  func store(to target: UnsafeMutablePointer<Float>, count: Int) {
    for lane in 0..<count { target[lane] = self[lane] }
  }

  /// Sum of the lanes as a tree, the same order on every machine.
  @inline(__always)
  var laneSum: Float {
    let four = lowHalf + highHalf
    let two = four.lowHalf + four.highHalf
    return two[0] + two[1]
  }
}
