import GPT2Kernels
import TestSupport
import Testing

@Suite struct SoftmaxTests {
  static let widths = [1, 2, 7, 8, 9, 15, 16, 17, 31, 33, 63, 64, 65, 129, 577]

  @Test(arguments: KernelCase.all)
  func matchesTheFormulaAtEveryWidth(_ kernelCase: KernelCase) {
    let kernel = kernelCase.kernel()
    for positions in Self.widths {
      for (heads, queries) in [(1, 1), (3, 1), (2, min(5, positions)), (7, min(9, positions))] {
        let fault = Self.fault(kernel, heads: heads, queries: queries, positions: positions, center: 0)
        #expect(fault == nil)
      }
    }
  }

  /// Scores far from zero neither overflow nor vanish: only differences count.
  @Test(arguments: KernelCase.all)
  func aShiftOfAllScoresChangesNothing(_ kernelCase: KernelCase) {
    let kernel = kernelCase.kernel()
    for center in [Float(-1000), 1000] {
      #expect(Self.fault(kernel, heads: 2, queries: 3, positions: 41, center: center) == nil)
    }
  }

  /// Rows that take turns in one place, as the scores of attention do, end with the last query's weights.
  @Test(arguments: KernelCase.all)
  func queriesMayTakeTurnsInOneRow(_ kernelCase: KernelCase) {
    let (heads, queries, positions) = (3, 4, 19)
    let scores = GuardedFloats([Float](repeating: 0.25, count: heads * positions))
    let divisors = GuardedFloats(heads * queries)
    kernelCase.kernel().run(
      Softmax(
        scores.base, heads: heads, queries: queries, positions: positions, headStride: positions,
        queryStride: 0, divisors: divisors.base))
    for head in 0..<heads {
      let row = (0..<positions).map { scores.base[head * positions + $0] }
      let sum = row.reduce(0, +) / divisors.base[head * queries + queries - 1]
      #expect(abs(sum - 1) < 1e-5)
    }
    #expect(scores.guardsHold && divisors.guardsHold)
  }

  @Test(arguments: KernelCase.all.filter { $0.threads == 3 })
  func threadsChangeNoBit(_ kernelCase: KernelCase) {
    let results = [1, 2, 3, 5].map { threads in
      let scores = Self.scores(heads: 7, queries: 5, positions: 37, stride: 37, center: 0)
      let divisors = GuardedFloats(7 * 5)
      kernelCase.kernel(threads: threads).run(
        Softmax(
          scores.base, heads: 7, queries: 5, positions: 37, headStride: 5 * 37, queryStride: 37,
          divisors: divisors.base))
      return scores.values + divisors.values
    }
    for result in results.dropFirst() { #expect(firstBitDifference(results[0], result) == nil) }
  }

  private static func scores(
    heads: Int, queries: Int, positions: Int, stride: Int, center: Float
  ) -> GuardedFloats {
    var random = RandomStream(seed: UInt64(heads * 10_000 + queries * 1000 + positions))
    let values = random.floats(heads * queries * positions, center: center, spread: 5)
    return GuardedFloats(values, columns: positions, stride: stride)
  }

  private static func fault(
    _ kernel: any Kernel, heads: Int, queries: Int, positions: Int, center: Float
  ) -> String? {
    let stride = positions + 3
    let scores = scores(heads: heads, queries: queries, positions: positions, stride: stride, center: center)
    let before = scores.values
    let divisors = GuardedFloats(heads * queries)
    kernel.run(
      Softmax(
        scores.base, heads: heads, queries: queries, positions: positions, headStride: queries * stride,
        queryStride: stride, divisors: divisors.base))
    for row in 0..<heads * queries {
      let count = positions - queries + row % queries + 1
      let seen = before[row * stride..<row * stride + count].map(Double.init)
      let spread = (seen.max() ?? 0) - (seen.min() ?? 0)
      let relative = Oracle.sumFactor(count) + (8 + spread) * Oracle.unitRoundoff
      for (column, exact) in Oracle.softmax(seen).enumerated() {
        let found = Double(scores.base[row * stride + column]) / Double(divisors.base[row])
        guard abs(found - exact) <= relative * exact else {
          return "\(heads)x\(queries)x\(positions): (\(row), \(column)) is \(found), expected \(exact)"
        }
      }
      for column in positions..<stride where scores.isWritten(row * stride + column) {
        return "\(heads)x\(queries)x\(positions): wrote between rows at (\(row), \(column))"
      }
    }
    return scores.guardsHold && divisors.guardsHold ? nil : "\(positions) positions: wrote outside a buffer"
  }
}
