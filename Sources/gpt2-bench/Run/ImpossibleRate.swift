import Foundation
import Record

/// A cell whose fastest sample would have needed more arithmetic than the machine can do; where none is counted, more
/// bytes than the fastest memory that was measured gives.
struct ImpossibleRate: CustomStringConvertible {
  /// What a sample may show above the best of the peak's trials: those are short, and clocks wander.
  static let allowance = 1.05

  let description: String

  /// Nil for a cell that is possible, or whose rate is not known.
  init?(_ cell: Cell, ceilings: [Ceiling]) {
    guard let ceiling = ceilings.first(where: { $0.threads == cell.threads }),
      let fastest = cell.primaryDurations.min()
    else { return nil }
    // Each core may do in a lucky moment what one did alone in another.
    let perThread = ceilings.map { $0.fmaGFLOPS / Double(max($0.threads, 1)) }.max() ?? 0
    let peak = max(ceiling.fmaGFLOPS, perThread * Double(cell.threads))
    guard let found = Self.found(cell, nanoseconds: fastest, peak: peak, ceiling: ceiling) else { return nil }
    description = found
  }

  /// What cannot be, in a line.
  private static func found(
    _ cell: Cell, nanoseconds: Double, peak: Double, ceiling: Ceiling
  ) -> String? {
    guard let flops = cell.flops else {
      let rate = (cell.bytes ?? 0) / nanoseconds
      let fastest = (ceiling.memory ?? []).flatMap(\.trials).max() ?? ceiling.dramGBPerSecond
      guard rate > fastest * allowance else { return nil }
      return String(
        format: "%.1f GB/s is above the %.1f of the fastest memory measured: not everything was read", rate,
        fastest)
    }
    let rate = flops / nanoseconds
    guard rate > peak * allowance else { return nil }
    return String(
      format: "%.1f GFLOP/s is above the measured FMA peak of %.1f: not everything was computed", rate,
      peak)
  }
}
