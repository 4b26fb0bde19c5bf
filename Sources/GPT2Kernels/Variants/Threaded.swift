extension Variant {
  static let threaded = Variant(
    name: "threaded",
    summary: "simd8's work split over outputs and heads on a persistent pool of threads",
    isThreaded: true,
    makeKernel: { Threaded(base: SIMD8Tile3x4(), pool: $0) })
}

/// Another kernel's operations, each split into independent outputs over the pool. Reductions are never split, so
/// the results are the base's, bit for bit, on any number of threads.
struct Threaded<Base: DivisibleKernel>: DivisibleKernel {
  let base: Base
  let pool: ThreadPool

  var weightLayout: WeightLayout { base.weightLayout }
  var trainingPath: TrainingPath { base.trainingPath }

  /// Parts are whole multiples of the tile's four outputs, and of a cache line of output.
  func linear(_ operation: Linear, outputs: Range<Int>) {
    pool.split(outputs, grain: 16) { base.product(operation, outputs: $0) }
  }

  func product(_ operation: Linear, outputs: Range<Int>) { linear(operation, outputs: outputs) }

  func layerNorm(_ operation: LayerNorm, rows: Range<Int>) {
    pool.split(rows, grain: Self.grain(of: operation.input.columns)) {
      base.layerNorm(operation, rows: $0)
    }
  }

  func gelu(_ operation: GELU, elements: Range<Int>) {
    pool.split(elements, grain: 1024) { base.gelu(operation, elements: $0) }
  }

  func add(_ operation: Addition, elements: Range<Int>) {
    pool.split(elements, grain: 8192) { base.add(operation, elements: $0) }
  }

  /// All heads of all sequences are one range.
  func run(_ operations: [Attention]) {
    guard let heads = operations.first?.heads else { return }
    pool.split(0..<operations.count * heads, grain: 1) { parts in
      for part in parts { base.attention(operations[part / heads], heads: part % heads..<part % heads + 1) }
    }
  }

  func attention(_ operation: Attention, heads: Range<Int>) {
    pool.split(heads, grain: 1) { base.attention(operation, heads: $0) }
  }

  func softmaxRows(_ operation: Softmax, heads: Range<Int>) {
    pool.split(heads, grain: 1) { base.softmaxRows(operation, heads: $0) }
  }

  func forEach(_ count: Int, _ body: (Int) -> Void) { pool.forEach(count, body) }

  /// Rows that together are worth a fork.
  private static func grain(of columns: Int) -> Int { max(4096 / max(columns, 1), 1) }
}

extension Variant {
  static let keyValueCache = Variant(
    name: "kv-cache",
    summary: "threaded's kernels; keys and values kept, each step computes one new position",
    decoding: .cache, isThreaded: true,
    makeKernel: { Threaded(base: SIMD8Tile3x4(), pool: $0) })
}
