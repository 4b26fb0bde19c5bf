/// SplitMix64 (Steele, Lea, Flood, OOPSLA 2014, doi 10.1145/2660193.2660195): the same numbers on every machine.
public struct RandomStream: RandomNumberGenerator, Sendable {
  private var state: UInt64

  public init(seed: UInt64) { state = seed }

  public mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  /// A multiple of 2⁻²³ in [-1, 1).
  public mutating func float() -> Float { Float(next() >> 40) * 0x1p-23 - 1 }

  /// `count` values in [center - spread, center + spread).
  public mutating func floats(_ count: Int, center: Float = 0, spread: Float = 1) -> [Float] {
    (0..<count).map { _ in center + spread * float() }
  }

  public mutating func ids(_ count: Int, below vocabulary: Int) -> [Int] {
    (0..<count).map { _ in Int(next() % UInt64(vocabulary)) }
  }
}
