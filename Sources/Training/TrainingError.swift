import Files
import GPT2Kernels
import GPT2Model

/// A training that cannot begin, or what its own numbers have come to. Each description is one line.
public enum TrainingError: Error, Equatable, Sendable, CustomStringConvertible {
  case option(name: String, found: String, expected: String)
  /// Of a variant whose weights are not float32.
  case variant(name: String, weights: WeightPrecision)
  case model(ModelError)
  case outOfMemory(bytes: Int)
  case windowCount(found: Int, expected: String)
  /// Tokens of a window, its last target among them.
  case windowLength(found: Int, expected: Int)
  case tokenOutsideVocabulary(id: Int, vocabulary: Int)
  /// The loss or the gradient of a step is no number to go on with. The parameters are as before that step.
  case notFinite(step: Int, quantity: String, found: String)
  /// The parameters that a step has left give a loss that is no number.
  case lossNotFinite(afterStep: Int, found: String)

  /// One line, whatever a name holds.
  public var description: String { text.safeLine }

  private var text: String {
    switch self {
    case .option(let name, let found, let expected): "\(name) is \(found), expected \(expected)"
    case .variant(let name, let weights):
      "variant \(name) holds weights in \(weights.rawValue), expected one in f32 to train with"
    case .model(let error): "\(error)"
    case .outOfMemory(let bytes): "cannot allocate \(bytes) bytes of memory"
    case .windowCount(let found, let expected): "a step got \(found) windows, expected \(expected)"
    case .windowLength(let found, let expected): "a window has \(found) tokens, expected \(expected)"
    case .tokenOutsideVocabulary(let id, let vocabulary):
      "token id \(id) is outside the vocabulary, expected 0 to \(vocabulary - 1)"
    case .notFinite(let step, let quantity, let found):
      "step \(step): the \(quantity) is \(found), expected a finite number; the parameters are those of step \(step - 1)"
    case .lossNotFinite(let step, let found):
      "the loss after step \(step) is \(found), expected a finite number"
    }
  }
}
