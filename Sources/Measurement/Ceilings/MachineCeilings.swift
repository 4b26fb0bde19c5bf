import Foundation
import Statistics

/// What the machine can do at most with this many threads.
public struct MachineCeiling: Sendable, Equatable {
  public let threads: Int
  /// Float32 fused multiply-adds in registers, two operations each, in GFLOP/s.
  public let fmaGFLOPS: Trials
  /// Reading a buffer far larger than the caches, in GB/s (10⁹ bytes); nil where there was no memory for it.
  public let dramGBPerSecond: Trials?

  /// The rate of each of several short trials. The best is the ceiling: what disturbs a trial makes it slower.
  public struct Trials: Sendable, Equatable {
    public let all: [Double]
    public let best: Double
    public let median: Double

    /// Nil for no rates or one that is not finite.
    init?(_ rates: [Double]) {
      guard let best = rates.max(), let middle = Statistics.median(rates) else { return nil }
      all = rates
      self.best = best
      median = middle
    }
  }
}

/// How ceilings are measured. The defaults take about a second for one and two threads.
public struct CeilingMeasurement: Sendable {
  /// Length of one trial of multiply-adds: many short ones, of which some are left undisturbed.
  public var fmaTrial = Duration.milliseconds(1)
  public var fmaTrials = 100
  /// Bytes of the buffer: at least four times any level of cache.
  public var bufferBytes = 512 << 20
  /// Trials in one pass over the buffer: each reads the next such part of it, all threads together, so that
  /// what a trial reads has long left the caches.
  public var readTrialsPerPass = 8
  public var readPasses = 6

  public init() {}

  /// Measures each of `threads`; numbers below 1 are left out. Nil ceilings are left out too: they come only
  /// from a clock that stands still.
  public func measure(threads: [Int]) -> [MachineCeiling] {
    let counts = threads.filter { $0 > 0 }
    guard let most = counts.max() else { return [] }
    let buffer = SharedBuffer(bytes: bufferBytes, threads: most)
    defer { buffer?.unmap() }
    return counts.compactMap { count in
      guard let fma = fmaRates(threads: count) else { return nil }
      return MachineCeiling(
        threads: count, fmaGFLOPS: fma, dramGBPerSecond: buffer.flatMap { readRates($0, threads: count) })
    }
  }

  private func fmaRates(threads: Int) -> MachineCeiling.Trials? {
    // The number of passes comes from one thread, and with it the clock rate has risen.
    let passes = Calibration(minimumSample: fmaTrial).calibrate { PeakKernels.multiplyAdd(passes: $0) }
      .iterations
    let times = ThreadTrials.run(threads: threads, trials: fmaTrials) { _, _ in
      PeakKernels.multiplyAdd(passes: passes)
    }
    return Self.rates(work: Double(PeakKernels.operationsPerPass) * Double(passes * threads), times)
  }

  private func readRates(_ buffer: SharedBuffer, threads: Int) -> MachineCeiling.Trials? {
    let times = ThreadTrials.run(threads: threads, trials: readTrialsPerPass * readPasses) { thread, trial in
      let part = buffer.part(trial % readTrialsPerPass * threads + thread, of: readTrialsPerPass * threads)
      PeakKernels.readAll(part.start, bytes: part.bytes)
    }
    return Self.rates(work: Double(buffer.bytes) / Double(readTrialsPerPass), times)
  }

  /// Units of work per nanosecond: GFLOP/s of operations, GB/s of bytes.
  private static func rates(work: Double, _ nanoseconds: [UInt64]) -> MachineCeiling.Trials? {
    MachineCeiling.Trials(nanoseconds.map { work / Double($0) })
  }
}

/// Measures the ceilings of each number of threads, as `CeilingMeasurement` does by default, with a buffer
/// that is at least four times the largest cache.
public func measureCeilings(threads: [Int]) -> [MachineCeiling] {
  var measurement = CeilingMeasurement()
  let largest = MachineFacts.current().caches.compactMap(\.bytes).max() ?? 0
  measurement.bufferBytes = max(measurement.bufferBytes, 4 * largest)
  return measurement.measure(threads: threads)
}
