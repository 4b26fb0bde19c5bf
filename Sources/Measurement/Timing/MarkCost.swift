import CSystem

/// What noting a mark takes, in nanoseconds: time that lies between two marks and is neither's work.
public struct MarkCost: Sendable {
  /// Of a mark that waits for the instructions before it.
  public let waiting: Double
  /// Of one that does not.
  public let passing: Double

  public static let none = MarkCost(waiting: 0, passing: 0)

  public init(waiting: Double, passing: Double) {
    (self.waiting, self.passing) = (waiting, passing)
  }

  /// The middle between what a mark adds to work that leaves the processor room to do it beside, and what it takes where
  /// nothing else is to be done. From the shortest of many tries with marks and without, so that a thread that was held
  /// up does not count.
  ///
  /// The calling thread's marks are forgotten by it.
  public static func measured() -> MarkCost {
    MarkLog.prepare()
    let scale = TickScale.now()
    defer { _ = MarkLog.drain() }
    let values = [Float](repeating: 0.5, count: length)
    return values.withUnsafeBufferPointer { values in
      func added(to work: () -> Void, waits: Bool) -> Double {
        let bare = least(work) {}
        let marked = least(work) { MarkLog.note(0, waits: waits) }
        return max(Double(marked) - Double(bare), 0)
      }
      func cost(waits: Bool) -> Double {
        let beside = added(to: { blackHole(work(launder(values.baseAddress!))) }, waits: waits)
        let alone = added(to: {}, waits: waits)
        return (beside + alone) / 2 * scale.nanosecondsPerTick / Double(marks)
      }
      return MarkCost(waiting: cost(waits: true), passing: cost(waits: false))
    }
  }

  /// Floats of a piece of work, which takes a few hundred cycles.
  private static let length = 2048
  private static let marks = 32
  private static let tries = 200

  /// Ticks of as many pieces of work as marks, each with what notes one behind it.
  private static func least(_ work: () -> Void, _ note: () -> Void) -> UInt64 {
    (0..<tries).reduce(UInt64.max) { least, _ in
      let start = csystem_ticks()
      for _ in 0..<marks {
        work()
        note()
      }
      csystem_await_instructions()
      return min(least, csystem_ticks() &- start)
    }
  }

  /// The sum of squares, in independent sums that keep the processor's units busy.
  private static func work(_ values: UnsafePointer<Float>) -> Float {
    var sums = (SIMD8<Float>.zero, SIMD8<Float>.zero, SIMD8<Float>.zero, SIMD8<Float>.zero)
    for first in stride(from: 0, to: length, by: 32) {
      func piece(_ offset: Int) -> SIMD8<Float> {
        UnsafeRawPointer(values + first + offset).loadUnaligned(as: SIMD8<Float>.self)
      }
      sums.0.addProduct(piece(0), piece(0))
      sums.1.addProduct(piece(8), piece(8))
      sums.2.addProduct(piece(16), piece(16))
      sums.3.addProduct(piece(24), piece(24))
    }
    return (sums.0 + sums.1 + sums.2 + sums.3).sum()
  }
}
