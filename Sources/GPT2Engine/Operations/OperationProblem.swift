import GPT2Kernels
import Statistics

/// One operation of some shape with operands drawn at random, prepared for one kernel: to be held against its formula,
/// and to be timed over and over where a pass of the model would find its operands.
///
/// Activations are where the operation before leaves them in a pass, in the caches. What a pass streams,
/// vectors of layer norms, cached keys and values, rows of the embedding, takes turns in more memory than the caches
/// hold.
public protocol OperationProblem: AnyObject {
  /// Calls that one `prepare` is good for, which are timed together; nil where a call leaves everything as the next one
  /// wants it.
  var callsPerPreparation: Int? { get }

  /// Brings operands back to where the operation finds them in a pass. Not timed.
  func prepare()

  /// The operation once, on operands for timing.
  ///
  /// - Parameter turn: counts calls from 0.
  /// - Returns: what it computed.
  func run(turn: Int) -> UnsafePointer<Float>

  /// The operation once on operands of its own, compared with its formula in double.
  func check() -> ValueCheck
}

extension OperationProblem {
  public var callsPerPreparation: Int? { nil }

  public func prepare() {}
}

/// Sizes around the widths of vectors and tiles, that kernels are held against the formulas on before any is timed.
enum RaggedSizes {
  static let widths = [1, 7, 8, 9, 15, 17, 63, 65]
  static let rows = [1, 2, 5, 9]
}

/// Fills memory with values in −`spread` to `spread`.
func draw(
  _ target: UnsafeMutablePointer<Float>, count: Int, spread: Double = 1, _ generator: inout SeededGenerator
) {
  for i in 0..<count { target[i] = Float(spread * (generator.unit() * 2 - 1)) }
}

/// 2⁻²⁴, what one rounding may be off by.
let unitRoundoff = 0x1p-24

/// What a float32 sum of that many terms may be off by, relative to the terms' sizes; see `Tolerance` for the law.
func sumFactor(_ terms: Int) -> Double { 2 * (Double(terms).squareRoot() + 1) * unitRoundoff }
