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
  private let divisors: PoisonedOutput
  /// (heads, positions): what is timed.
  private let timed: FloatBuffer

  private var positions: Int { depth + rows }

  public init(rows: Int, heads: Int, depth: Int, kernel: any Kernel) throws(EngineError) {
    scores = try makeBuffer(heads * rows * (depth + rows))
    timed = try makeBuffer(heads * (depth + rows))
    divisors = try PoisonedOutput(heads * rows)
    (self.rows, self.heads, self.depth, self.kernel) = (rows, heads, depth, kernel)
    fill(timed)
  }

  private func fill(_ buffer: borrowing FloatBuffer) {
    var generator = SeededGenerator(seed: 1)
    draw(buffer.base, count: buffer.count, spread: 4, &generator)
  }

  public func run(turn: Int) -> UnsafePointer<Float> { run(timed, headStride: positions, queryStride: 0) }

  private func run(_ scores: borrowing FloatBuffer, headStride: Int, queryStride: Int) -> UnsafePointer<Float>
  {
    kernel.run(
      Softmax(
        scores.base, heads: heads, queries: rows, positions: positions, headStride: headStride,
        queryStride: queryStride, divisors: divisors.base))
    return UnsafePointer(scores.base)
  }

  /// A power is off by its own rounding and by that of its argument, a difference as large as the row's spread; the
  /// sum by its bound.
  public func check() -> ValueCheck {
    fill(scores)
    divisors.fill()
    let before = UnsafeBufferPointer(start: scores.base, count: scores.count).map(Double.init)
    let found = run(scores, headStride: rows * positions, queryStride: positions)
    let total = heads * (rows * depth + rows * (rows + 1) / 2)
    var result = ValueCheck(total: total)
    for row in 0..<heads * rows {
      let first = row * positions
      let own = before[first..<first + depth + row % rows + 1]
      let (largest, smallest) = (own.max() ?? 0, own.min() ?? 0)
      let powers = own.map { exp($0 - largest) }
      let sum = powers.reduce(0, +)
      let relative = sumFactor(own.count) + (8 + largest - smallest) * unitRoundoff
      for (column, power) in powers.enumerated() {
        let value = Float(Double(found[first + column]) / Double(divisors.base[row]))
        result.add(value, power / sum, tolerance: relative * power / sum, row: row, column: column)
      }
    }
    divisors.hold(&result)
    return result
  }
}

/// GELU in place of what the linear layer before it left in the caches.
///
/// Done over and over on the same values it would drive them to zero, and into numbers that are slow; so a call has
/// fresh ones, copied by the kernel's threads as the layer's outputs were written by them. Several calls' worth
/// lie ready at a time where they are small, so that reading the clock does not count.
public final class GELUProblem: OperationProblem {
  public let callsPerPreparation: Int?

  private let count, calls: Int
  private let kernel: any Kernel
  private let fresh: FloatBuffer
  /// (calls, count)
  private let values: FloatBuffer
  private var done = 0

  /// What calls may have ready together: a share of a second-level cache.
  private static let readyBytes = 256 << 10
  /// Values that one of the kernel's threads copies at a time.
  private static let piece = 256

  /// Of subnormal operands: their halves are subnormal too.
  private static let subnormalSpread = 0x1p-127

  public init(count: Int, kernel: any Kernel, operands: Operands = .ordinary) throws(EngineError) {
    calls = max(Self.readyBytes / (4 * count), 1)
    callsPerPreparation = calls
    var generator = SeededGenerator(seed: 1)
    fresh = try drawn(count, spread: operands == .subnormal ? Self.subnormalSpread : 3, &generator)
    values = try makeBuffer(calls * count)
    (self.count, self.kernel) = (count, kernel)
  }

  public func prepare() {
    done = 0
    let pieces = (count + Self.piece - 1) / Self.piece
    for call in 0..<calls {
      let target = values.base + call * count
      kernel.forEach(pieces) { index in
        let first = index * Self.piece
        (target + first).update(from: fresh.base + first, count: min(Self.piece, count - first))
      }
    }
  }

  public func run(turn: Int) -> UnsafePointer<Float> {
    let own = values.base + done % calls * count
    done += 1
    kernel.run(GELU(own, count: count))
    return UnsafePointer(own)
  }

  public func check() -> ValueCheck {
    prepare()
    let found = run(turn: 0)
    var result = ValueCheck(total: count)
    for i in 0..<count {
      let x = Double(fresh.base[i])
      let u = (2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x)
      // 1 + tanh(u) for u < 0 without its cancellation: 2 / (1 + e^(−2u)).
      let exact = u < 0 ? x / (1 + exp(-2 * u)) : 0.5 * x * (1 + tanh(u))
      result.add(found[i], exact, tolerance: 6 * unitRoundoff * abs(x) + subnormalStep, row: 0, column: i)
    }
    // After them lie those of the next call.
    if calls > 1, found[count].bitPattern != fresh.base[0].bitPattern {
      result.fail("value \(count) was written, expected \(count) values")
    }
    return result
  }
}
