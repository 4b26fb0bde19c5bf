import CSystem
import Foundation
import TestSupport
import Testing

@testable import GPT2Kernels

/// Each on a thread of its own, whose memory nobody else grows.
struct ThreadMemoryTests {
  private func onItsOwnThread<Result: Sendable>(_ body: @escaping @Sendable () -> Result) -> Result {
    nonisolated(unsafe) var result: Result?
    let done = DispatchSemaphore(value: 0)
    let thread = Thread {
      result = body()
      done.signal()
    }
    thread.start()
    done.wait()
    return result!
  }

  /// Where calls of so many floats, each within the one before it, find theirs.
  private static func places(_ counts: ArraySlice<Int>) -> [UInt] {
    guard let count = counts.first else { return [] }
    return withThreadMemory(count) { memory in
      memory.update(repeating: 1, count: count)
      return [UInt(bitPattern: memory)] + places(counts.dropFirst())
    }
  }

  @Test(arguments: [[1], [16], [17], [0, 5], [1000, 1, 63, 65], [7, 100_000, 8]])
  func callsWithinOneAnotherShareNothing(_ counts: [Int]) {
    for places in onItsOwnThread({ (0..<3).map { _ in Self.places(counts[...]) } }) {
      let ranges = zip(places, counts).map { $0..<$0 + UInt(4 * max($1, 1)) }
      for (index, range) in ranges.enumerated() {
        expectEqual(range.lowerBound % 64, 0)
        #expect(!ranges[..<index].contains { $0.overlaps(range) })
      }
    }
  }

  /// From the second time on: the first learns how much is in use at a time.
  @Test func whatWasInUseOnceIsKept() {
    let places = onItsOwnThread { (0..<4).map { _ in Self.places([1000, 70_000, 17]) } }
    guard keepsMemory else { return }
    expectEqual(places[1], places[2])
    expectEqual(places[2], places[3])
    expectEqual(places[1][1], places[1][0] + 4 * 1008)
  }

  @Test func smallerCallsAfterwardsTakeTheSame() {
    let places = onItsOwnThread { [70_000, 1, 500, 70_000].map { Self.places([$0]) } }
    guard keepsMemory else { return }
    expectEqual(Set(places).count, 1)
  }

  /// An operation of one size asks the system for memory the first time alone.
  @Test func anAttentionThatHasRunTakesNoMore() {
    let grown = onItsOwnThread {
      let kernel = Packed(pool: ThreadPool(threads: 1))
      return (0..<3).map { _ in
        var values = [Float](repeating: 0.5, count: 4 * 65 * 24)
        var sums = [Float](repeating: 0, count: 65 * 2)
        values.withUnsafeMutableBufferPointer { values in
          sums.withUnsafeMutableBufferPointer { sums in
            let base = values.baseAddress!
            kernel.run(
              CausalAttention(
                qkv: Matrix(base, rows: 65, columns: 3 * 24), batch: 1, context: 65, heads: 2,
                output: MutableMatrix(base + 3 * 65 * 24, rows: 65, columns: 24), logSums: sums.baseAddress!,
                dropout: .none))
          }
        }
        return csystem_thread_memory()!.pointee.capacity
      }
    }
    expectEqual(grown[2], grown[1])
    #expect(!keepsMemory || grown[0] > 4 * 65 * 24)
  }

  /// Not under the address sanitizer.
  private var keepsMemory: Bool {
    onItsOwnThread {
      withThreadMemory(1) { _ in csystem_thread_memory()!.pointee.capacity > 0 }
    }
  }
}
