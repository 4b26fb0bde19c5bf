extension Variant {
  static let keyValueCache = Variant(
    name: "kv-cache",
    summary: "threaded's kernels; keys and values kept, each step computes one new position",
    decoding: .cache, isThreaded: true,
    kernel: { Threaded(base: SIMD8Tile3x4(), pool: $0) })
}
