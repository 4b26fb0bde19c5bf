import Foundation
import GPT2Kernels
import Statistics

/// The softmax of attention's scores, of all heads.
///
/// It is timed in place over and over: whatever it starts from, its values soon stay what they are, ordinary numbers
/// from 0 to 1, and no way through a power depends on which ordinary number it is of. The queries of a head take turns
/// in one row, as within attention, which turns a query's scores into weights before it comes to the next.
public final class SoftmaxProblem: OperationProblem {
  private let rows, heads, depth: Int
  private let kernel: any Kernel
  /// (heads, rows, positions): what is checked.
  private let scores: FloatBuffer
  /// (heads, rows)
  private let divisors: FloatBuffer
  /// (heads, positions): what is timed.
  private let timed: FloatBuffer
  private let seed: UInt64

  private var positions: Int { depth + rows }

  public init(
    rows: Int, heads: Int, depth: Int, kernel: any Kernel, seed: UInt64 = 1
  ) throws(EngineError) {
    scores = try makeBuffer(heads * rows * (depth + rows))
    timed = try makeBuffer(heads * (depth + rows))
    divisors = try makeBuffer(heads * rows)
    (self.rows, self.heads, self.depth, self.kernel, self.seed) = (rows, heads, depth, kernel, seed)
    fill(timed.base, timed.count)
  }

  private func fill(_ target: UnsafeMutablePointer<Float>, _ count: Int) {
    var generator = SeededGenerator(seed: seed)
    draw(target, count: count, spread: 4, &generator)
  }

  public func run(turn: Int) -> UnsafePointer<Float> {
    kernel.run(
      Softmax(
        timed.base, heads: heads, queries: rows, positions: positions, headStride: positions, queryStride: 0,
        divisors: divisors.base))
    return UnsafePointer(timed.base)
  }

  /// A power is off by its own rounding and by that of its argument, a difference as large as the row's spread; the
  /// sum by its bound.
  public func check() -> ValueCheck {
    fill(scores.base, scores.count)
    let before = UnsafeBufferPointer(start: scores.base, count: scores.count).map(Double.init)
    kernel.run(
      Softmax(
        scores.base, heads: heads, queries: rows, positions: positions, headStride: rows * positions,
        queryStride: positions, divisors: divisors.base))
    let total = heads * (rows * depth + rows * (rows + 1) / 2)
    var result = ValueCheck(compared: total, total: total)
    for row in 0..<heads * rows {
      let first = row * positions
      let own = before[first..<first + depth + row % rows + 1]
      let (largest, smallest) = (own.max() ?? 0, own.min() ?? 0)
      let powers = own.map { exp($0 - largest) }
      let sum = powers.reduce(0, +)
      let relative = sumFactor(own.count) + (8 + largest - smallest) * unitRoundoff
      for (column, power) in powers.enumerated() {
        let found = Double(scores.base[first + column]) / Double(divisors.base[row])
        result.add(
          Float(found), power / sum, tolerance: relative * power / sum, row: row, column: column)
      }
    }
    return result
  }

  /// The first failure among ragged shapes; nil where there is none.
  public static func firstRaggedFailure(of kernel: any Kernel) throws(EngineError) -> String? {
    for (rows, heads) in [(1, 1), (1, 3), (5, 1), (9, 3)] {
      for width in RaggedSizes.widths where width >= rows {
        let problem = try SoftmaxProblem(rows: rows, heads: heads, depth: width - rows, kernel: kernel)
        if let failure = problem.check().failure {
          return "\(rows)x\(heads) @ d\(width - rows): \(failure)"
        }
      }
    }
    return nil
  }
}
