import GPT2Kernels
import GPT2Model
import Training

enum Train: Command {
  static let description = CommandDescription(
    name: "train",
    summary: "trains a GPT-2 on a text, a new one or one that is there (fine-tuning)",
    examples: [
      ("a small model of a text of your own", "gpt2-bench train --data book.txt --out my-model"),
      (
        "go on with the tiny model on other text",
        "gpt2-bench train --model weights/tiny --data talk.txt --steps 200 --out talk"
      ),
      ("go on where a training was ended", "gpt2-bench train --resume my-model"),
    ],
    options: subject + effort + learning + output)

  private typealias Standard = TrainingDefaults

  private static let subject: [Option] = [
    Option(
      "--data", value: "FILE", in: .subject, default: "none, it must be given",
      help: "what to learn: UTF-8 text, or token ids as a one-dimensional .npy of integers"),
    .model.defaulting(to: "none, a new model"),
    Option(
      "--vocabulary", value: "DIR", in: .subject, default: "the model's, else one that is learnt",
      help: "a folder with the vocabulary to take: tokenizer.json, or vocab.json and merges.txt"),
    Option(
      "--vocabulary-size", value: "N", in: .subject,
      default: "\(Standard.vocabulary), or what a short text makes",
      help: "tokens of a new model's vocabulary, which is learnt from the text"),
    Option(
      "--layers", value: "L", in: .subject, default: "\(Standard.layers)", help: "layers of a new model"),
    Option(
      "--heads", value: "H", in: .subject, default: "\(Standard.heads)", help: "heads of a new model"),
    Option(
      "--channels", value: "C", in: .subject, default: "\(Standard.channels)",
      help: "channels of a new model, a multiple of its heads"),
    Option(
      "--context", value: "T", in: .subject,
      default: "\(Standard.context), or the model's where that is less",
      help: "tokens of a window; the context of a new model"),
    Option(
      "--variant", value: "V", in: .subject,
      choices: Variant.all.filter(\.trains).map(\.name) + Variant.lookedUp.map(\.name),
      default: Defaults.variant, help: "the variant whose kernels train, one with float32 weights"),
    .threads,
  ]

  private static let effort: [Option] = [
    Option(
      "--steps", value: "N", in: .effort, default: "\(Standard.steps)",
      help: "updates of the parameters; with --resume, more than before"),
    Option(
      "--batch", value: "B", in: .effort, default: "\(Standard.batch)",
      help: "windows that go through the model together"),
    Option(
      "--accumulate", value: "A", in: .effort, default: "\(Standard.accumulate)",
      help: "batches whose gradients make one step"),
    Option(
      "--resume", value: "DIR", in: .effort, default: "none, a new training",
      help: "go on with the training in this folder, to the same bits as if it had not ended"),
    Option(
      "--evaluate-every", value: "N", in: .effort, default: "\(Standard.evaluateEvery)",
      help: "steps between two evaluations, each with a sample of text; 0 for one at the end"),
    Option(
      "--checkpoint-every", value: "N", in: .effort, default: "as --evaluate-every",
      help: "steps between two checkpoints; 0 for one at the end"),
  ]

  private static let learning: [Option] = [
    Option(
      "--lr", value: "X", in: .learning,
      default: "\(Standard.learningRate), or \(Standard.tunedLearningRate) with --model",
      help: "learning rate after the warm-up"),
    Option(
      "--min-lr", value: "X", in: .learning, default: "a tenth of --lr", help: "what the cosine ends at"),
    Option(
      "--warmup", value: "N", in: .learning,
      default: "a twentieth of the steps, at most \(Standard.mostWarmup)",
      help: "steps in which the learning rate grows"),
    Option(
      "--schedule", value: "S", in: .learning, choices: TrainingOptions.Schedule.allCases.map(\.rawValue),
      default: Standard.optimizer.schedule.rawValue,
      help: "the learning rate after the warm-up: cosine or constant"),
    Option(
      "--weight-decay", value: "X", in: .learning, default: "\(Standard.optimizer.weightDecay)",
      help: "AdamW's decay of matrices and embeddings"),
    Option(
      "--beta1", value: "X", in: .learning, default: "\(Standard.optimizer.beta1)",
      help: "AdamW's share of the old mean gradient"),
    Option(
      "--beta2", value: "X", in: .learning, default: "\(Standard.optimizer.beta2)",
      help: "AdamW's share of the old mean square"),
    Option(
      "--clip", value: "X", in: .learning, default: "\(Standard.optimizer.clip)",
      help: "largest norm of the gradient; 0 for no limit"),
    Option(
      "--dropout", value: "X", in: .learning, default: "\(Standard.optimizer.dropout)",
      help: "share of values that are dropped"),
    Option(
      "--order", value: "O", in: .learning, choices: WindowOrder.allCases.map(\.rawValue),
      default: Standard.order.rawValue,
      help: "where windows begin: random, or sequential, one after the other"),
    Option(
      "--seed", value: "S", in: .learning, default: "\(Standard.optimizer.seed)",
      help: "seed of first weights, windows and dropout"),
    Option(
      "--validation", value: "SHARE", in: .learning, default: "\(Standard.validation)",
      help: "share of the data, its end, that is kept back to evaluate on; 0 for none"),
  ]

  private static let output: [Option] = [
    Option(
      "--out", value: "DIR", default: "none, it must be given; with --resume, its folder",
      help: "a new folder for the model, training.csv and training.html")
  ]

  static func run(_ arguments: Arguments, _ console: Console) throws -> ExitCode {
    StandardStream.surviveClosedPipes()
    let plan =
      try arguments.string("--resume").map { try TrainingPlan(resuming: $0, arguments, console) }
      ?? TrainingPlan(arguments, console)
    return try TrainingRun(plan, console).run()
  }
}

/// What holds where nothing is said: a small model, as nanoGPT's setting for a CPU has it.
enum TrainingDefaults {
  static let (layers, heads, channels, context, vocabulary) = (4, 4, 128, 128, 1024)
  static let (batch, accumulate, steps) = (12, 1, 2000)
  static let learningRate = 1e-3
  /// Of a model that is trained already.
  static let tunedLearningRate = 1e-4
  /// Steps of a warm-up at most, else a twentieth of all.
  static let mostWarmup = 1000
  static let evaluateEvery = 200
  static let validation = 0.1
  static let order = WindowOrder.random
  static let optimizer = TrainingOptions()
}
