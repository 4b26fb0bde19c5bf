/// A mask that follows from a seed and an element's index alone, so that nobody stores it: forward and backward, on
/// whatever thread, it is the same.
public struct Dropout: Sendable, Equatable {
  /// The share of elements that become 0: from 0, none, to below 1.
  public let rate: Float
  public let seed: UInt64

  /// Elements whose number is below it become 0.
  private let limit: UInt32
  /// 1/(1 − rate)
  private let gain: Float

  public static let none = Dropout(rate: 0, seed: 0)

  public init(rate: Float, seed: UInt64) {
    assert(rate >= 0 && rate < 1)
    (self.rate, self.seed) = (rate, seed)
    limit = UInt32((Double(rate) * 0x1p32).rounded())
    gain = 1 / (1 - rate)
  }

  /// 0, or 1/(1 − rate).
  public func factor(_ index: Int) -> Float {
    var factor: Float = 1
    scale(&factor, count: 1, from: index)
    return factor
  }

  /// values[i] ← values[i] · factor(first + i).
  func scale(_ values: UnsafeMutablePointer<Float>, count: Int, from first: Int) {
    guard rate > 0 else { return }
    var done = 0
    while done < count {
      // Of an index the lower half goes through the arithmetic of 32 bits, which fills vectors; the upper one is a key.
      let (low, high) = (UInt32(truncatingIfNeeded: first &+ done), UInt64(first &+ done) >> 32)
      let part = min(count &- done, Int(UInt32.max &- low) &+ 1)
      let key = Self.mixed(seed ^ Self.mixed(high &+ 0x9E37_79B9_7F4A_7C15))
      scale(
        values + done, count: part, from: low, keys: (UInt32(truncatingIfNeeded: key), UInt32(key >> 32)))
      done &+= part
    }
  }

  /// Not inlined: a loop of its own, which the compiler turns into vectors. The numbers are those of MurmurHash3's
  /// 32-bit finaliser (Appleby), once with each half of the key.
  @inline(never)
  private func scale(
    _ values: UnsafeMutablePointer<Float>, count: Int, from first: UInt32, keys: (UInt32, UInt32)
  ) {
    for i in 0..<count {
      var x = Self.mixed(first &+ UInt32(truncatingIfNeeded: i) ^ keys.0)
      x = Self.mixed(x &+ keys.1)
      values[i] = x < limit ? 0 : values[i] * gain
    }
  }

  @inline(__always)
  private static func mixed(_ number: UInt32) -> UInt32 {
    var x = number
    x = (x ^ (x >> 16)) &* 0x85EB_CA6B
    x = (x ^ (x >> 13)) &* 0xC2B2_AE35
    return x ^ (x >> 16)
  }

  /// The finaliser of SplitMix64 (Steele, Lea and Flood, 2014).
  private static func mixed(_ number: UInt64) -> UInt64 {
    var x = number
    x = (x ^ (x >> 30)) &* 0xBF58_476D_1CE4_E5B9
    x = (x ^ (x >> 27)) &* 0x94D0_49BB_1331_11EB
    return x ^ (x >> 31)
  }
}

/// values[i] ← values[i] · factor(i), in place: of activations forward, of their gradients backward.
public struct DropoutScaling: @unchecked Sendable {
  public let values: UnsafeMutablePointer<Float>
  public let count: Int
  public let dropout: Dropout

  public init(_ values: UnsafeMutablePointer<Float>, count: Int, dropout: Dropout) {
    (self.values, self.count, self.dropout) = (values, count, dropout)
  }
}

extension Kernel {
  public func run(_ operation: DropoutScaling) {
    guard operation.dropout.rate > 0 else { return }
    forEachPiece(of: operation.count, size: 8192) { piece in
      let first = piece.lowerBound
      operation.dropout.scale(operation.values + first, count: piece.count, from: first)
    }
  }
}
