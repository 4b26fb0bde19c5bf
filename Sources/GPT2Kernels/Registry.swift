extension Variant {
  /// The ladder, slowest rung first. Everything that lists, checks, measures or tests variants iterates this.
  public static let all: [Variant] = [
    .naive,
    .unrolled8,
    .tiled,
    .simd8,
    .threaded,
    .keyValueCache,
    .packed,
  ]

  /// The variant that every other one is held against.
  public static let oracle = naive

  /// Those that need something of the machine's; no rungs of the ladder.
  public static let lookedUp: [LookedUpVariant] = [.blas]

  /// The ladder and what of the others is there.
  public static var available: [Variant] { all + lookedUp.compactMap(\.variant) }

  public static func named(_ name: String) -> Variant? {
    all.first { $0.name == name } ?? lookedUp.first { $0.name == name }?.variant
  }
}
