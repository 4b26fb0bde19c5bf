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

  /// What runs where nobody names one: the fastest in float32 that every machine has.
  public static let preferred = packed

  /// Those that need something of the machine's; no rungs of the ladder.
  public static let lookedUp: [LookedUpVariant] = [.blas]

  /// The ladder and what of the others is there.
  public static var available: [Variant] { all + lookedUp.compactMap(\.variant) }

  /// Every name there is, of variants that this machine lacks too.
  public static var names: [String] { all.map(\.name) + lookedUp.map(\.name) }

  public static func named(_ name: String) -> Variant? {
    all.first { $0.name == name } ?? lookedUp.first { $0.name == name }?.variant
  }
}
