import Chat
import GPT2Engine
import GPT2Model
import Training

/// How the process ends; scripts and CI rely on the numbers.
enum ExitCode: Int32 {
  case done = 0
  /// A file, a model or a limit of the machine.
  case error = 1
  case usage = 2
  case regression = 3
  case failedCheck = 4
  /// Too noisy, too few samples.
  case inconclusive = 5
  /// Ended by a signal, as shells count it: 128 and its number. SIGHUP, Ctrl-C (SIGINT), SIGTERM.
  case hungUp = 129
  case interrupted = 130
  case terminated = 143
}

typealias UsageError = InputError

struct RunError: Error, Equatable, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}

extension ExitCode {
  /// What is wrong on the command line exits 2, what is wrong with a file, a model or the machine exits 1.
  init(for error: any Error) {
    self =
      switch error {
      case is UsageError: .usage
      case ModelError.unknownModel, ModelError.configuration: .usage
      // A token of the model's that the vocabulary lacks is the files' fault, not the command line's, and so is a logit.
      case EngineError.outOfMemory, EngineError.tokenWithoutText, EngineError.nonFiniteLogit: .error
      case is EngineError: .usage
      case TokenizerError.idOutsideVocabulary: .usage
      case TrainingError.option, TrainingError.variant: .usage
      default: .error
      }
  }
}
