import GPT2Kernels
import Record
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

extension OperationShape {
  /// - Parameters:
  ///   - rotation: the memory that weights take turns in, the same for all operations of a process; nil for a problem
  ///     that will only be checked.
  ///   - operands: of a problem that will only be checked. Softmax, embedding and sampling have none but ordinary ones.
  public func problem(
    kernel: any Kernel, rotation: WeightRotation?, operands: Operands = .ordinary
  ) throws(EngineError) -> any OperationProblem {
    switch self {
    case .matmul(let m, let k, let n):
      try MatmulProblem(m: m, k: k, n: n, kernel: kernel, rotation: rotation, operands: operands)
    case .layerNorm(let rows, let channels):
      try LayerNormProblem(
        rows: rows, channels: channels, kernel: kernel, rotation: rotation, operands: operands)
    case .gelu(let rows, let channels):
      try GELUProblem(count: rows * channels, kernel: kernel, operands: operands)
    case .softmax(let rows, let heads, let depth):
      try SoftmaxProblem(rows: rows, heads: heads, depth: depth, kernel: kernel)
    case .attention(let rows, let heads, let headSize, let depth):
      try AttentionProblem(
        rows: rows, heads: heads, headSize: headSize, depth: depth, kernel: kernel, rotation: rotation,
        operands: operands)
    case .embedding(let rows, let channels, let vocabulary):
      try EmbeddingProblem(
        rows: rows, channels: channels, vocabulary: vocabulary, kernel: kernel, rotation: rotation)
    case .sampling(let vocabulary, let choice):
      try SamplingProblem(
        vocabulary: vocabulary, parameters: choice.parameters, kernel: kernel, rotation: rotation)
    }
  }

  /// The first failure among ragged shapes of the same operation, in a line; nil where all are right. Each is computed
  /// several times: what threads do to each other shows in some runs only.
  public func firstRaggedFailure(of kernel: any Kernel) throws(EngineError) -> String? {
    for operands in Operands.allCases where operands == .ordinary || hasSubnormalOperands {
      for shape in raggedShapes {
        let problem = try shape.problem(kernel: kernel, rotation: nil, operands: operands)
        for _ in 0..<Self.repetitions {
          guard let failure = problem.check().failure else { continue }
          return "\(shape.sizes)\(operands == .subnormal ? " of subnormal numbers" : ""): \(failure)"
        }
      }
    }
    return nil
  }

  private static let repetitions = 3

  private var hasSubnormalOperands: Bool {
    switch self {
    case .matmul, .layerNorm, .gelu, .attention: true
    case .softmax, .embedding, .sampling: false
    }
  }

  /// Shapes that every kernel is checked on before any is timed: sizes around the widths of vectors and tiles.
  private var raggedShapes: [OperationShape] {
    let widths = [1, 7, 8, 9, 15, 17, 63, 65]
    let someRows = [1, 2, 5, 9]
    switch self {
    case .matmul:
      return [1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 16, 17].flatMap { m in
        [1, 3, 7, 8, 9, 17].flatMap { n in
          [1, 7, 8, 9, 17, 63, 65, 130].map { k in .matmul(m: m, k: k, n: n) }
        }
      }
    case .layerNorm: return someRows.flatMap { rows in widths.map { .layerNorm(rows: rows, channels: $0) } }
    case .gelu:
      // The last two have parts for several threads.
      return (widths + [2049, 8193]).map { .gelu(rows: 1, channels: $0) }
    case .softmax:
      return [(1, 1), (1, 3), (5, 1), (9, 3)].flatMap { rows, heads in
        widths.filter { $0 >= rows }.map { .softmax(rows: rows, heads: heads, depth: $0 - rows) }
      }
    case .attention:
      return [(1, 1), (1, 3), (5, 2), (9, 3)].flatMap { rows, heads in
        widths.flatMap { size in
          [0, 1, 7, 46, 63].map { .attention(rows: rows, heads: heads, headSize: size, depth: $0) }
        }
      }
    case .embedding:
      return someRows.flatMap { rows in widths.map { .embedding(rows: rows, channels: $0, vocabulary: 50) } }
    case .sampling(_, let choice): return widths.map { .sampling(vocabulary: $0, choice: choice) }
    }
  }

  /// What a worker keeps for it beside the rotation, in bytes.
  public func bytes(streamedBytes: Int) -> Double {
    switch self {
    case .matmul(let m, let k, let n): MatmulProblem.bytes(m: m, k: k, n: n)
    case .layerNorm(let rows, let channels): LayerNormProblem.bytes(rows: rows, channels: channels)
    case .gelu(let rows, let channels): 8 * Double(rows) * Double(channels)
    case .softmax(let rows, let heads, let depth): 4 * Double(rows) * Double(heads) * Double(depth + rows)
    case .attention(let rows, let heads, let headSize, let depth):
      AttentionProblem.bytes(
        rows: rows, heads: heads, headSize: headSize, depth: depth, streamedBytes: streamedBytes)
    case .embedding(let rows, let channels, let vocabulary):
      EmbeddingProblem.bytes(rows: rows, channels: channels, vocabulary: vocabulary)
    case .sampling(let vocabulary, _): 16 * Double(vocabulary)
    }
  }
}

extension OperationShape.Choice {
  /// A seed of its own: every sample goes on in one stream of draws.
  fileprivate var parameters: SamplingParameters {
    get throws(EngineError) {
      switch self {
      case .greedy: .greedy
      case .temperature: try SamplingParameters(temperature: Self.temperatureOfDraws)
      case .topK: try SamplingParameters(temperature: Self.temperatureOfDraws, topK: Self.k)
      case .topP: try SamplingParameters(temperature: Self.temperatureOfDraws, topP: Self.p)
      }
    }
  }
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
  /// What was allowed at the output with the largest error.
  public private(set) var tolerance = 0.0
  public let compared: Int
  public let total: Int
  public private(set) var isFinite = true
  /// The first output found wrong, in a line; nil where all are right.
  public private(set) var failure: String?
  private var squaredError = 0.0
  private var squaredReference = 0.0
  /// As in `LogitComparison`.
  private var worstRatio: Double? = 0

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
    if error > maxAbsoluteError || tolerance == 0 { (maxAbsoluteError, tolerance) = (error, allowed) }
    squaredError += error * error
    squaredReference += reference * reference
    if error > allowed {
      fail("output (\(row), \(column)) is off by \(brief(error)), allowed \(brief(allowed))")
    }
  }
}
