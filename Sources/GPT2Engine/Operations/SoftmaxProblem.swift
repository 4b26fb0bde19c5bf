import Foundation
import GPT2Kernels
import Statistics

/// The softmax of attention's scores, of all heads.
///
/// It is timed in place over and over: whatever it starts from, its values soon stay what they are, ordinary numbers
/// from 0 to 1, and no way through a power depends on which ordinary number it is of.
public final class SoftmaxProblem: OperationProblem {
  private let rows, heads, depth: Int
  private let kernel: any Kernel
  /// (heads · rows, depth + rows)
  private let values: FloatBuffer
  private let divisors: FloatBuffer
  private let seed: UInt64

  private var columns: Int { depth + rows }

  public init(
    rows: Int, heads: Int, depth: Int, kernel: any Kernel, seed: UInt64 = 1
  ) throws(EngineError) {
    values = try makeBuffer(heads * rows * (depth + rows))
    divisors = try makeBuffer(heads * rows)
    (self.rows, self.heads, self.depth, self.kernel, self.seed) = (rows, heads, depth, kernel, seed)
    fill()
  }

  private func fill() {
    var generator = SeededGenerator(seed: seed)
    draw(values.base, count: values.count, spread: 4, &generator)
  }

  public func run(turn: Int) -> UnsafePointer<Float> {
    kernel.run(
      Softmax(
        MutableMatrix(values.base, rows: heads * rows, columns: columns), queries: rows,
        divisors: divisors.base))
    return UnsafePointer(values.base)
  }

  /// A power is off by its own rounding and by that of its argument, a difference as large as the row's spread; the
  /// sum by its bound.
  public func check() -> ValueCheck {
    fill()
    let scores = UnsafeBufferPointer(start: values.base, count: values.count).map(Double.init)
    _ = run(turn: 0)
    var total = 0
    for row in 0..<heads * rows { total += depth + row % rows + 1 }
    var result = ValueCheck(compared: total, total: total)
    for row in 0..<heads * rows {
      let first = row * columns
      let own = scores[first..<first + depth + row % rows + 1]
      let (largest, smallest) = (own.max() ?? 0, own.min() ?? 0)
      let powers = own.map { exp($0 - largest) }
      let sum = powers.reduce(0, +)
      let relative = sumFactor(own.count) + (8 + largest - smallest) * unitRoundoff
      for (column, power) in powers.enumerated() {
        let found = Double(values.base[first + column]) / Double(divisors.base[row])
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
