import Foundation
import GPT2Kernels
import Statistics

/// GELU in place of what the product before it left in the caches.
///
/// Done over and over on the same values it would drive them to zero, and into numbers that are slow; so a call has
/// fresh ones, copied by the kernel's threads as the product's outputs were written by them. Several calls' worth
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

  public init(count: Int, kernel: any Kernel, seed: UInt64 = 1) throws(EngineError) {
    calls = max(Self.readyBytes / (4 * count), 1)
    callsPerPreparation = calls
    fresh = try makeBuffer(count)
    values = try makeBuffer(calls * count)
    (self.count, self.kernel) = (count, kernel)
    var generator = SeededGenerator(seed: seed)
    draw(fresh.base, count: count, spread: 3, &generator)
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
    var result = ValueCheck(compared: count, total: count)
    for i in 0..<count {
      let x = Double(fresh.base[i])
      let u = (2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x)
      // 1 + tanh(u) for u < 0 without its cancellation: 2 / (1 + e^(−2u)).
      let exact = u < 0 ? x / (1 + exp(-2 * u)) : 0.5 * x * (1 + tanh(u))
      result.add(found[i], exact, tolerance: 6 * unitRoundoff * abs(x) + 0x1p-149, row: 0, column: i)
    }
    return result
  }

  /// The first failure among ragged sizes; nil where there is none.
  public static func firstRaggedFailure(of kernel: any Kernel) throws(EngineError) -> String? {
    // The last two have parts for several threads.
    for count in RaggedSizes.widths + [2049, 8193] {
      if let failure = try GELUProblem(count: count, kernel: kernel).check().failure {
        return "\(count): \(failure)"
      }
    }
    return nil
  }
}
