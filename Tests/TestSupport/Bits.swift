/// The first index at which two arrays differ in a bit or end; nil where they are the same, NaNs included.
public func firstBitDifference(
  _ left: some Collection<Float>, _ right: some Collection<Float>
) -> Int? {
  var index = 0
  for (x, y) in zip(left, right) {
    if x.bitPattern != y.bitPattern { return index }
    index += 1
  }
  return left.count == right.count ? nil : index
}

/// The distance of `x` from an exact value, in units of the exact value's last place in float32.
public func ulps(_ x: Float, from exact: Double) -> Double {
  abs(Double(x) - exact) / Double(Float(exact).ulp)
}

/// FNV-1a over bytes, 64 bits.
/// Fowler, Noll, Vo: https://datatracker.ietf.org/doc/draft-eastlake-fnv/
public func fnv1a64(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
  var hash: UInt64 = 0xCBF2_9CE4_8422_2325
  for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
  return hash
}
