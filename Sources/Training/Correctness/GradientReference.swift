import Foundation
import GPT2Model

/// Gradients of one model from an independent implementation, in float64: a JSON file and the `.npy` files that it names,
/// as `scripts/reference_gradients.py` writes them and `Benchmarks/reference/README.md` defines them.
public struct GradientReference: Sendable {
  public let name: String
  /// As `--model` takes it.
  public let model: String
  public let context: Int
  /// Of one step.
  public let windows: [Window]
  /// Mean, in nats a token.
  public let loss: Double
  /// In the order of `Configuration.parameters`.
  let gradients: [TensorFigures]
  /// Nil where the reference has gradients alone.
  public let steps: Steps?

  /// What some steps of AdamW with the same windows came to.
  public struct Steps: Sendable {
    public let options: TrainingOptions
    /// Of each step, before its update.
    public let losses, gradientNorms: [Double]
    /// After the last.
    let parameters: [TensorFigures]
  }

  private static let format = 1

  /// What is allowed of a step's loss, of the loss: some steps of float32 move the parameters a little otherwise.
  static let lossTolerance = 1e-4

  /// What a trainer needs for one step with these windows.
  public var options: TrainingOptions {
    var options = steps?.options ?? TrainingOptions()
    (options.batch, options.context) = (windows.count, context)
    return options
  }
}

extension GradientReference {
  /// - Parameter path: the JSON file's.
  public init(path: String) throws(ModelError) {
    let file: File
    do { file = try JSONDecoder().decode(File.self, from: ModelFile.read(path)) } catch let error
      as ModelError
    {
      throw error
    } catch let error as DecodingError {
      throw ModelError(error, path: path)
    } catch {
      throw .malformed(path: path, problem: "not JSON")
    }
    func expect(_ isRight: Bool, _ field: String, _ found: String, _ expected: String) throws(ModelError) {
      guard isRight else { throw .field(path: path, field: field, found: found, expected: expected) }
    }
    try expect(file.format == Self.format, "format", "\(file.format)", "\(Self.format)")
    try expect(file.context > 0, "context", "\(file.context)", "a positive number")
    try expect(!file.windows.isEmpty, "windows", "none", "at least one")
    for window in file.windows {
      try expect(
        window.count - 1 == file.context, "windows", "\(window.count) ids",
        "one more than context's \(file.context)")
    }
    try expect(file.loss.isFinite && file.loss > 0, "loss", "\(file.loss)", "a positive number")
    func figures(_ name: String) throws(ModelError) -> [TensorFigures] {
      let folder = (path as NSString).deletingLastPathComponent as NSString
      let npy = try NPY(path: folder.appendingPathComponent(name))
      try expect(
        npy.rows == file.tensors.count && npy.columns == TensorFigures.count, name,
        "shape (\(npy.rows), \(npy.columns))", "(\(file.tensors.count), \(TensorFigures.count))")
      return (0..<npy.rows).map { TensorFigures(npy.row($0)) }
    }
    (name, model, context, loss) = (file.case, file.model, file.context, file.loss)
    windows = file.windows.map(Window.init)
    gradients = try figures(file.gradients)
    guard let made = file.steps else {
      steps = nil
      return
    }
    try expect(
      made.losses.count == made.gradientNorms.count, "steps", "\(made.gradientNorms.count) gradient norms",
      "\(made.losses.count), as losses")
    steps = Steps(
      options: made.options(batch: file.windows.count, context: file.context), losses: made.losses,
      gradientNorms: made.gradientNorms, parameters: try figures(made.parameters))
  }

  private struct File: Decodable {
    let format, context: Int
    let `case`, model, gradients: String
    let windows: [[Int32]]
    let tensors: [String]
    let loss: Double
    let steps: FileSteps?
  }

  private struct FileSteps: Decodable {
    let losses, gradientNorms: [Double]
    let parameters: String
    let learningRate, minimumLearningRate, weightDecay, beta1, beta2, epsilon, clip: Double
    let warmup: Int

    private enum CodingKeys: String, CodingKey {
      case losses, parameters, warmup, beta1, beta2, epsilon, clip
      case gradientNorms = "gradient_norms"
      case learningRate = "learning_rate"
      case minimumLearningRate = "minimum_learning_rate"
      case weightDecay = "weight_decay"
    }

    func options(batch: Int, context: Int) -> TrainingOptions {
      var options = TrainingOptions()
      (options.learningRate, options.minimumLearningRate) = (learningRate, minimumLearningRate)
      (options.warmup, options.steps, options.weightDecay) = (warmup, losses.count, weightDecay)
      (options.beta1, options.beta2, options.epsilon, options.clip) = (beta1, beta2, epsilon, clip)
      (options.batch, options.context) = (batch, context)
      return options
    }
  }
}

extension GradientReference {
  /// Makes the reference's steps, where it has some.
  /// - Parameter trainer: as for `check`.
  /// - Returns: the first step whose loss is not the reference's, in a line; nil where all are.
  public func firstWrongStep(of trainer: Trainer) throws(TrainingError) -> String? {
    for (index, expected) in (steps?.losses ?? []).enumerated() {
      let loss = try trainer.step(windows).loss
      guard abs(loss - expected) <= Self.lossTolerance * expected else {
        return "\(name): the loss of step \(index + 1) is \(loss), expected \(expected)"
      }
    }
    return nil
  }
}
