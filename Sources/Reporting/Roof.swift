import Record
import Statistics

/// What bounds a cell's speed, and how high it lies.
enum Roof: Sendable, Equatable {
  case compute
  /// By the level that the bytes come from.
  case memory(level: String)

  var words: String {
    switch self {
    case .compute: "compute"
    case .memory(let level): "memory (\(level))"
    }
  }
}

extension Ceiling {
  /// Of the trials that a roof is made from. The best would be a lucky moment of a short trial, the median one that
  /// others spoiled: a tenth of the trials was faster than this.
  static let roofQuantile = 0.9

  /// GFLOP/s.
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
}
