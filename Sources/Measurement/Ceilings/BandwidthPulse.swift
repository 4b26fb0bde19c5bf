import Foundation
import Statistics

/// What memory gives at one moment: a short read by the threads that compute, beside a sample that is to be judged by it.
///
/// It reads what its owner has in memory anyway, another part with each pulse, so that it takes no memory of its own and
/// what it reads was not read just before.
public final class BandwidthPulse {
  /// Bytes of one pulse, at most: milliseconds' worth.
  static let mostBytes = 64 << 20
  /// Memory that holds fewer pulses than this is too small to tell memory from caches.
  static let fewestPulses = 4

  public typealias Fork = (_ count: Int, _ body: (Int) -> Void) -> Void

  private let memory: UnsafeRawBufferPointer
  private let threads: Int
  private let partBytes: Int
  private let clock: any MonotonicClock
  private var pattern = ReadPattern.candidates[0]
  private var place = 0

  /// Finds out which walk through memory is the fastest here, in pulses that do not count.
  ///
  /// - Parameters:
  ///   - memory: stays where it is, and readable, for as long as there are pulses.
  ///   - threads: how many parts a pulse has, one for each thread of `fork`, at least 1.
  ///   - fork: calls the body once for each index below the count, on these threads.
  ///   - bytes: of one pulse.
  /// - Returns: nil for memory of fewer than four pulses.
  public convenience init?(memory: UnsafeRawBufferPointer, threads: Int, fork: Fork) {
    self.init(memory: memory, threads: threads, bytes: Self.mostBytes, clock: SystemClock(), fork: fork)
  }

  init?(
    memory: UnsafeRawBufferPointer, threads: Int, bytes: Int, clock: any MonotonicClock, fork: Fork
  ) {
    partBytes = bytes / threads / SharedBuffer.grain * SharedBuffer.grain
    guard partBytes > 0, memory.count >= Self.fewestPulses * bytes else { return nil }
    (self.memory, self.threads, self.clock) = (memory, threads, clock)
    let found = ReadPattern.candidates.map { candidate in
      pattern = candidate
      return (
        pattern: candidate, rate: [gbPerSecond(on: fork), gbPerSecond(on: fork)].compactMap { $0 }.max() ?? 0
      )
    }
    pattern = found.max { $0.rate < $1.rate }?.pattern ?? pattern
  }

  /// GB/s (10⁹ bytes) of all threads together; nil where the clock stood still.
  public func gbPerSecond(on fork: Fork) -> Double? {
    let bytes = partBytes * threads
    if place + bytes > memory.count { place = 0 }
    let start = memory.baseAddress! + place
    place += bytes
    let begin = clock.now()
    fork(threads) { thread in
      blackHole(PeakKernels.read(start + thread * partBytes, bytes: partBytes, pattern))
    }
    let elapsed = clock.now() - begin
    return elapsed > 0 ? Double(bytes) / Double(elapsed) : nil
  }
}
