import GPT2Kernels
import Statistics

/// One operation of some shape with operands drawn at random, prepared for one kernel: to be held against its formula,
/// and to be timed over and over where a pass of the model would find its operands.
///
/// Activations are where the operation before leaves them in a pass, in the caches. What a pass streams,
/// vectors of layer norms, cached keys and values, rows of the embedding, takes turns in more memory than the caches
/// hold.
public protocol OperationProblem: AnyObject {
  /// Calls that one `prepare` is good for, which are timed together; nil where none is needed between calls.
  var callsPerPreparation: Int? { get }

  /// Brings operands back to where the operation finds them in a pass. Not timed.
  func prepare()

  /// The operation once, on operands for timing.
  /// - Parameter turn: counts calls from 0.
  func run(turn: Int) -> UnsafePointer<Float>

  /// The operation once on operands of its own, compared with its formula in double.
  func check() -> ValueCheck
}

extension OperationProblem {
  public var callsPerPreparation: Int? { nil }

  public func prepare() {}
}

/// Fills memory with values in −`spread` to `spread`.
func draw(
  _ target: UnsafeMutablePointer<Float>, count: Int, spread: Double = 1, _ generator: inout SeededGenerator
) {
  for i in 0..<count { target[i] = Float(spread * (generator.unit() * 2 - 1)) }
}

/// Memory full of values in −`spread` to `spread`.
func drawn(
  _ count: Int, spread: Double = 1, _ generator: inout SeededGenerator
) throws(EngineError) -> FloatBuffer {
  let buffer = try makeBuffer(count)
  draw(buffer.base, count: count, spread: spread, &generator)
  return buffer
}

/// As many of so many places as may be compared, at even distances, the last one always.
///
/// - Parameters:
///   - cost: multiplications that comparing one takes.
///   - limit: multiplications that all may take.
func comparedPlaces(of total: Int, cost: Int, limit: Int) -> [Int] {
  let compared = max(min(total, limit / cost), 1)
  return (0..<compared).map { compared == 1 ? total - 1 : $0 * (total - 1) / (compared - 1) }
}

/// 2⁻²⁴, what one rounding may be off by.
let unitRoundoff = 0x1p-24

/// What a float32 sum of that many terms may be off by, relative to the terms' sizes; see `Tolerance` for the law.
func sumFactor(_ terms: Int) -> Double { 2 * (Double(terms).squareRoot() + 1) * unitRoundoff }

/// What comparing an operation's output with its oracle has found, value by value.
public struct ValueCheck: Codable, Equatable, Sendable {
  public private(set) var maxAbsoluteError = 0.0
  /// What was allowed at the worst output.
  public private(set) var tolerance = 0.0
  public let compared: Int
  public let total: Int
  public private(set) var isFinite = true
  /// The first output found wrong, in a line; nil where all are right.
  public private(set) var failure: String?
  private var squaredError = 0.0
  private var squaredReference = 0.0
  private var worstRatio = -1.0

  /// Σ(x − r)² / Σr² over the outputs compared.
  public var nmse: Double? { isFinite && squaredReference > 0 ? squaredError / squaredReference : nil }

  /// - Parameter compared: outputs that are compared; nil for all.
  init(compared: Int? = nil, total: Int) { (self.compared, self.total) = (compared ?? total, total) }

  /// As a record keeps it.
  /// - Parameter ragged: what other shapes of the operation showed, where they failed.
  public func result(ragged: String?) -> CheckResult {
    CheckResult(
      failure: ragged ?? failure, maxAbsoluteError: isFinite ? maxAbsoluteError : nil, tolerance: tolerance,
      nmse: nmse)
  }

  mutating func fail(_ reason: String) {
    if failure == nil { failure = reason }
  }

  mutating func add(_ value: Float, _ reference: Double, tolerance allowed: Double, row: Int, column: Int) {
    guard value.isFinite else {
      isFinite = false
      let found =
        PoisonedOutput.isPoison(value) ? "was not written, or was read before it was" : "is \(value)"
      fail("output (\(row), \(column)) \(found), expected a finite number")
      return
    }
    let error = abs(Double(value) - reference)
    maxAbsoluteError = max(maxAbsoluteError, error)
    squaredError += error * error
    squaredReference += reference * reference
    if error / allowed > worstRatio {
      worstRatio = error / allowed
      tolerance = allowed
    }
    if error > allowed {
      fail("output (\(row), \(column)) is off by \(brief(error)), allowed \(brief(allowed))")
    }
  }
}
