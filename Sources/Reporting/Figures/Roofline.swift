import Record
import Statistics

/// What bounds a speed.
enum Roof: Sendable, Equatable {
  /// Multiply-adds of float32.
  case compute
  /// Products of narrower numbers, with these instructions.
  case products(instructions: String)
  /// By the level that most bytes come from.
  case memory(level: String)

  /// `compute (avx512_vnni)`, `memory (DRAM)`
  var words: String {
    switch self {
    case .compute: "compute"
    case .products(let instructions): "compute (\(instructions))"
    case .memory(let level): "memory (\(level))"
    }
  }

  /// `compute`, the instructions, or the level of memory.
  var word: String {
    switch self {
    case .compute: "compute"
    case .products(let instructions): instructions
    case .memory(let level): level
    }
  }
}

/// The least time that a machine's ceilings allow for some work, after Williams, Waterman and Patterson 2009
/// (doi:10.1145/1498765.1498785): max(FLOPs / P_peak, streamed / BW_s + others / BW_o), each BW that of the memory which
/// the bytes come from. The only formula of the roofline that there is: cells, operations and a profile's phases use it.
struct Roofline: Sendable {
  struct Work: Sendable {
    /// Nil where the arithmetic is not counted.
    var flops: Double?
    /// Bytes that take turns in more than the caches hold, so that they come from `streamedLevel`.
    var streamed: Double
    /// All other bytes.
    var others: Double
    /// What the nearest memory that the others come from must hold at once; nil for DRAM.
    var held: Double?
    /// Whether there is no bound without a count of the arithmetic.
    var needsFlops = false
    /// Whether the arithmetic is products with weights, or all but a little of it.
    var isOfWeights = false
  }

  struct Bound: Sendable, Equatable {
    let nanoseconds: Double
    let roof: Roof
  }

  let ceiling: Ceiling
  /// What bounds products with weights; nil where that is what bounds all arithmetic.
  private let products: ProductPeak?
  /// Where streamed bytes come from; DRAM unless all of them fit into a nearer level.
  private let stream: (level: String, gbPerSecond: Double)

  /// - Parameters:
  ///   - products: the peak of products with weights, where these are narrower than float32.
  ///   - streamedBytes: all that a pass streams, which its parts read from the nearest memory that holds it; nil for
  ///     DRAM.
  init(_ ceiling: Ceiling, products: ProductPeak?, streamedBytes: Double? = nil) {
    (self.ceiling, self.products) = (ceiling, products)
    stream = ceiling.memoryRoof(holding: streamedBytes)
  }

  /// How near to the least time the time that was taken came.
  static func percent(least: Double, of nanoseconds: Double) -> Double { 100 * least / nanoseconds }

  /// Nil where there is nothing to compute and nothing to move.
  func bound(_ work: Work) -> Bound? {
    let flops = work.flops ?? 0
    guard ceiling.computeRoof > 0, flops + work.streamed + work.others > 0,
      work.flops != nil || !work.needsFlops
    else { return nil }
    let near = ceiling.memoryRoof(holding: work.held)
    let moving = work.streamed / stream.gbPerSecond + work.others / near.gbPerSecond
    let products = work.isOfWeights ? products : nil
    let computing = flops / (products?.roof ?? ceiling.computeRoof)
    let level = work.streamed >= work.others ? stream.level : near.level
    return computing >= moving
      ? Bound(
        nanoseconds: computing, roof: products.map { .products(instructions: $0.instructions) } ?? .compute)
      : Bound(nanoseconds: moving, roof: .memory(level: level))
  }
}

extension Ceiling {
  /// Of the trials that a roof is made from. The best would be a lucky moment of a short trial, the median one that
  /// others spoiled: a tenth of the trials was faster than this.
  static let roofQuantile = 0.9

  /// GFLOP/s of float32's multiply-adds.
  var computeRoof: Double { fmaTrials.flatMap { quantile($0, Self.roofQuantile) } ?? fmaGFLOPS }

  /// The nearest level that holds `bytes`, and its GB/s; DRAM for nil, and where the record knows no other level.
  func memoryRoof(holding bytes: Double?) -> (level: String, gbPerSecond: Double) {
    let levels = memory ?? []
    let near = levels.first { level in
      level.capacityBytes.map { capacity in bytes.map { $0 <= Double(capacity) } ?? false } ?? false
    }
    let chosen = near ?? levels.first { $0.level == Self.dram }
    guard let chosen, let rate = quantile(chosen.trials, Self.roofQuantile) else {
      return (Self.dram, dramGBPerSecond)
    }
    return (chosen.level, rate)
  }

  /// Every level of memory with its roof, nearest first.
  var slopes: [(level: String, gbPerSecond: Double)] {
    let levels = (memory ?? []).compactMap { level in
      quantile(level.trials, Self.roofQuantile).map { (level: level.level, gbPerSecond: $0) }
    }
    return (levels.isEmpty ? [(Self.dram, dramGBPerSecond)] : levels).filter { $0.gbPerSecond > 0 }
  }
}

extension ProductPeak {
  /// 10⁹ operations per second, two a product.
  var roof: Double { quantile(trials, Ceiling.roofQuantile) ?? 0 }

  /// `bf16 products (avx512_bf16)`
  var words: String { "\(numbers.rawValue) products (\(instructions))" }
}
