import GPT2Model
import Training

// How the command line says how a model is trained.
extension Arguments {
  /// - Parameter base: the shape of a model that is there; nil for a new one.
  func trainingOptions(_ base: Configuration?) throws -> TrainingOptions {
    let count = 1...Int.max
    var options = TrainingDefaults.optimizer
    options.context =
      try integer("--context", in: count) ?? min(TrainingDefaults.context, base?.context ?? .max)
    options.batch = try integer("--batch", in: count) ?? TrainingDefaults.batch
    options.accumulate = try integer("--accumulate", in: count) ?? TrainingDefaults.accumulate
    options.steps = try integer("--steps", in: count) ?? TrainingDefaults.steps
    options.learningRate =
      try number("--lr") ?? (base == nil ? TrainingDefaults.learningRate : TrainingDefaults.tunedLearningRate)
    options.minimumLearningRate = try number("--min-lr") ?? options.learningRate / 10
    options.warmup =
      try integer("--warmup", in: 0...Int.max) ?? min(options.steps / 20, TrainingDefaults.mostWarmup)
    options.schedule = try choice("--schedule", of: TrainingOptions.Schedule.allCases) ?? options.schedule
    options.weightDecay = try number("--weight-decay") ?? options.weightDecay
    options.beta1 = try number("--beta1") ?? options.beta1
    options.beta2 = try number("--beta2") ?? options.beta2
    options.clip = try number("--clip") ?? options.clip
    options.dropout = try number("--dropout") ?? options.dropout
    options.seed = try unsigned("--seed") ?? options.seed
    return options
  }

  /// What `TrainingOptions` calls a value, and the option that sets it.
  private static let optionNames = [
    "batch": "--batch", "accumulate": "--accumulate", "context": "--context", "steps": "--steps",
    "warmup": "--warmup", "learning rate": "--lr", "minimum learning rate": "--min-lr",
    "weight decay": "--weight-decay", "beta1": "--beta1", "beta2": "--beta2", "clip": "--clip",
    "dropout": "--dropout",
  ]

  /// - Throws: `UsageError` for the first value that is out of range, by its option.
  func check(_ options: TrainingOptions, _ base: Configuration?) throws {
    do { try options.check(modelContext: base?.context ?? options.context) } catch {
      guard case .option(let name, let found, let expected) = error, let option = Self.optionNames[name]
      else {
        throw error
      }
      throw refusal(of: option, standard: found, expected: expected)
    }
  }

  func validationShare() throws -> Double {
    guard let share = try number("--validation") else { return TrainingDefaults.validation }
    guard (0..<1).contains(share) else {
      throw refusal(of: "--validation", expected: "a share from 0 to below 1")
    }
    return share
  }

  /// Steps between two evaluations, and between two checkpoints.
  func intervals(_ evaluateEvery: Int, checkpointEvery: Int? = nil) throws -> (Int, Int) {
    let every = try integer("--evaluate-every", in: 0...Int.max) ?? evaluateEvery
    return (every, try integer("--checkpoint-every", in: 0...Int.max) ?? checkpointEvery ?? every)
  }

  /// - Parameter isLearnt: whether a text's vocabulary is; else it is that of token ids.
  func vocabularySize(isLearnt: Bool) throws -> Int? {
    try integer("--vocabulary-size", in: (isLearnt ? VocabularyLearner.fewestTokens : 1)...(1 << 24))
  }

  /// A new model's shape.
  func configuration(vocabulary: Int?, _ options: TrainingOptions) throws -> Configuration {
    guard let vocabulary else {
      throw UsageError(
        "--vocabulary-size: found nothing with token ids, expected how many tokens there are, --vocabulary or --model"
      )
    }
    let count = 1...(1 << 24)
    let (layers, heads, channels) = (
      try integer("--layers", in: count) ?? TrainingDefaults.layers,
      try integer("--heads", in: count) ?? TrainingDefaults.heads,
      try integer("--channels", in: count) ?? TrainingDefaults.channels
    )
    do {
      return try Configuration(
        layers: layers, heads: heads, channels: channels, vocabulary: vocabulary, context: options.context)
    } catch { throw UsageError("\(error)") }
  }

  /// Of a new model's shape; one that is there has its own.
  private static let shape = ["--layers", "--heads", "--channels", "--vocabulary-size"]

  /// - Throws: `UsageError` for options that contradict each other.
  func refuseContradictions() throws {
    if flag("--model"), let given = Self.shape.first(where: flag) {
      throw UsageError("\(given): found --model too, whose shape it is")
    }
    if flag("--vocabulary"), flag("--vocabulary-size") {
      throw UsageError("--vocabulary-size: found --vocabulary too, expected one of the two")
    }
  }

  /// What a resumed training takes, beside what every command does.
  private static let ofResumption = [
    "--resume", "--data", "--steps", "--out", "--evaluate-every", "--checkpoint-every", "--variant", "-t",
  ]

  /// - Throws: `UsageError` for an option that only a new training takes.
  func refuseWhatTheCheckpointSays() throws {
    let others = Train.description.options.map { $0.names[0] }.filter { !Self.ofResumption.contains($0) }
    if let given = others.first(where: flag) {
      throw UsageError("\(given): found --resume too, whose checkpoint says it")
    }
  }
}
