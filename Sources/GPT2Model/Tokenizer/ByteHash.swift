/// A hash of a short byte string: eight bytes at a time, multiplied and folded. Not for hostile input
/// beyond this process: the tables that use it stay correct, if slower, under collisions.
@inline(__always)
func byteHash(_ bytes: UnsafeBufferPointer<UInt8>) -> UInt64 {
  let multiplier: UInt64 = 0x9E37_79B9_7F4A_7C15
  var hash = UInt64(truncatingIfNeeded: bytes.count) &* multiplier
  guard let base = UnsafeRawPointer(bytes.baseAddress) else { return hash }
  var position = 0
  while position + 8 <= bytes.count {
    hash = fold(hash ^ base.loadUnaligned(fromByteOffset: position, as: UInt64.self), multiplier)
    position += 8
  }
  var tail: UInt64 = 0
  if bytes.count - position >= 4 {
    tail = UInt64(base.loadUnaligned(fromByteOffset: position, as: UInt32.self))
    position += 4
  }
  while position < bytes.count {
    tail = tail << 8 | UInt64(bytes[position])
    position += 1
  }
  return fold(hash ^ tail, multiplier)
}

/// The two halves of the 128-bit product, one over the other.
@inline(__always)
func fold(_ value: UInt64, _ multiplier: UInt64) -> UInt64 {
  let product = value.multipliedFullWidth(by: multiplier)
  return product.high ^ product.low
}
