import GPT2Engine
import GPT2Kernels
import Measurement
import Reporting

/// Times one operation alone, where a pass of the model would find its operands.
final class OperationRun {
  private let problem: any OperationProblem
  private let calibration = Calibration()
  private var iterations: Int?
  private var turn = 0

  /// - Parameter rotation: the memory that weights take turns in, the same for all operations of a process.
  init(_ shape: OperationShape, kernel: any Kernel, rotation: WeightRotation) throws {
    problem = try Self.problem(shape, kernel: kernel, rotation: rotation)
  }

  /// - Parameter rotation: nil for a problem that will only be checked.
  static func problem(
    _ shape: OperationShape, kernel: any Kernel, rotation: WeightRotation?
  ) throws -> any OperationProblem {
    switch shape {
    case .layerNorm(let rows, let channels):
      try LayerNormProblem(rows: rows, channels: channels, kernel: kernel, rotation: rotation)
    case .gelu(let rows, let channels): try GELUProblem(count: rows * channels, kernel: kernel)
    case .softmax(let rows, let heads, let depth):
      try SoftmaxProblem(rows: rows, heads: heads, depth: depth, kernel: kernel)
    case .attention(let rows, let heads, let headSize, let depth):
      try AttentionProblem(
        rows: rows, heads: heads, headSize: headSize, depth: depth, kernel: kernel,
        streamedBytes: rotation?.bytes)
    case .embedding(let rows, let channels, let vocabulary):
      try EmbeddingProblem(rows: rows, channels: channels, vocabulary: vocabulary, rotation: rotation)
    case .sampling(let vocabulary, let choice):
      try SamplingProblem(vocabulary: vocabulary, parameters: try choice.parameters, rotation: rotation)
    }
  }

  /// What the ragged shapes of the operation show; nil where all are right.
  static func firstRaggedFailure(_ shape: OperationShape, kernel: any Kernel) throws -> String? {
    switch shape {
    case .layerNorm: try LayerNormProblem.firstRaggedFailure(of: kernel)
    case .gelu: try GELUProblem.firstRaggedFailure(of: kernel)
    case .softmax: try SoftmaxProblem.firstRaggedFailure(of: kernel)
    case .attention: try AttentionProblem.firstRaggedFailure(of: kernel)
    case .embedding: try EmbeddingProblem.firstRaggedFailure()
    case .sampling(_, let choice): try SamplingProblem.firstRaggedFailure(of: try choice.parameters)
    }
  }

  /// What a worker keeps for the operation beside the rotation, in bytes.
  static func bytes(_ shape: OperationShape, streamedBytes: Int) -> Double {
    switch shape {
    case .layerNorm(let rows, let channels), .embedding(let rows, let channels, _):
      12 * Double(rows) * Double(channels)
    case .gelu(let rows, let channels): 8 * Double(rows) * Double(channels)
    case .softmax(let rows, let heads, let depth):
      4 * Double(rows) * Double(heads) * Double(depth + rows)
    case .attention(let rows, let heads, let headSize, let depth):
      AttentionProblem.bytes(
        rows: rows, heads: heads, headSize: headSize, depth: depth, streamedBytes: streamedBytes)
    case .sampling(let vocabulary, _): 16 * Double(vocabulary)
    }
  }

  /// One sample and what was counted in it; the first finds out how many calls it takes, and is not counted. Nor is one
  /// of an operation that is prepared for: what that does would count.
  func sample(_ counters: CounterSet?) -> (CalibratedSample, Counted?) {
    guard let iterations else {
      let first =
        problem.callsPerPreparation.map {
          calibration.calibrate(preparedFor: $0, prepare: problem.prepare, call)
        } ?? calibration.calibrate(call)
      iterations = first.iterations
      return (first, nil)
    }
    if let calls = problem.callsPerPreparation {
      let sample = calibration.sample(
        iterations: iterations, preparedFor: calls, prepare: problem.prepare, call)
      return (sample, nil)
    }
    counters?.start()
    let sample = calibration.sample(iterations: iterations, call)
    return (sample, counters?.stop())
  }

  private func call(_ iterations: Int) {
    for _ in 0..<iterations {
      sink(problem.run(turn: launder(turn)))
      turn += 1
    }
  }
}

extension OperationShape.Choice {
  /// A seed of its own: every sample goes on in one stream of draws.
  var parameters: SamplingParameters {
    get throws {
      switch self {
      case .greedy: .greedy
      case .temperature: try SamplingParameters(temperature: Self.temperatureOfDraws)
      case .topK: try SamplingParameters(temperature: Self.temperatureOfDraws, topK: Self.k)
      case .topP: try SamplingParameters(temperature: Self.temperatureOfDraws, topP: Self.p)
      }
    }
  }
}
