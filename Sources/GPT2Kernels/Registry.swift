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

  public static func named(_ name: String) -> Variant? { all.first { $0.name == name } }
}
