import Record

/// What is kept with a checkpoint, beside what a trainer needs: what was asked for, and what came of it.
public struct TrainingJournal: Codable, Sendable {
  public let command: [String]
  /// The file's absolute path.
  public var data: String
  /// The share that is kept back.
  public let validation: Double
  /// Which model it began with; nil for a new one.
  public let model: String?
  public var variant: String
  /// Steps between two evaluations, and between two checkpoints; 0 for one at the end.
  public var evaluateEvery: Int
  public var checkpointEvery: Int
  /// What samples begin with.
  public let prompt: [Int]
  public var history = TrainingHistory()
  public var samples: [TrainingReport.Sample] = []
  /// Whether the evaluation after the last step is still to be made, because the training was ended meanwhile; nil for
  /// no.
  public var lacksEvaluation: Bool?

  public init(
    command: [String], data: String, validation: Double, model: String?, variant: String, evaluateEvery: Int,
    checkpointEvery: Int, prompt: [Int]
  ) {
    (self.command, self.data, self.validation, self.model) = (command, data, validation, model)
    (self.variant, self.prompt) = (variant, prompt)
    (self.evaluateEvery, self.checkpointEvery) = (evaluateEvery, checkpointEvery)
  }
}

extension TrainingJournal {
  /// - Parameters:
  ///   - source: the file that it is from; opens an error.
  ///   - steps: those that the checkpoint has behind it.
  ///   - vocabulary, context: its model's.
  /// - Throws: `RecordError.invalid` for the first field that no training can have written.
  public func check(source: String, steps: Int, vocabulary: Int, context: Int) throws {
    let source = "\(source): journal.json"
    try RecordError.unless(
      (0..<1).contains(validation), of: source, "validation", "\(validation)", "a share from 0 to below 1")
    try RecordError.unless(evaluateEvery, in: 0...Int.max, of: source, "evaluateEvery")
    try RecordError.unless(checkpointEvery, in: 0...Int.max, of: source, "checkpointEvery")
    try RecordError.unless(
      (1...context).contains(prompt.count), of: source, "prompt", "\(prompt.count) ids",
      "1 to \(context), the model's context")
    for (index, id) in prompt.enumerated() {
      try RecordError.unless(id, in: 0...vocabulary - 1, of: source, "prompt[\(index)]")
    }
    for (index, sample) in samples.enumerated() {
      try RecordError.unless(sample.step, in: 0...steps, of: source, "samples[\(index)].step")
    }
    try RecordError.unless(
      steps > 0 || lacksEvaluation != true, of: source, "lacksEvaluation", "true", "a step before it")
    try history.check(source: source, steps: steps)
  }
}

extension TrainingHistory {
  /// Far above what float32 can lose, and far from where sums of squares overflow.
  private static let largest = 1e100
  /// A century.
  private static let mostSeconds = 3e9

  fileprivate func check(source: String, steps: Int) throws {
    try RecordError.unless(
      rows.count == steps, of: source, "history.rows", "\(rows.count) steps",
      "the \(steps) of the checkpoint")
    var seconds = 0.0
    for (index, row) in rows.enumerated() {
      func require(_ holds: Bool, _ field: String, _ found: Double, _ expected: String) throws {
        try RecordError.unless(
          holds, of: source, "history.rows[\(index)].\(field)", "\(found)", expected)
      }
      try RecordError.unless(row.step, in: index + 1...index + 1, of: source, "history.rows[\(index)].step")
      let losses = [("loss", row.loss)] + (row.validation.map { [("validation", $0)] } ?? [])
      for (field, loss) in losses {
        try require(abs(loss) <= Self.largest, field, loss, "a number of at most \(Self.largest)")
      }
      for (field, figure) in [
        ("learningRate", row.learningRate), ("gradientNorm", row.gradientNorm),
        ("tokensPerSecond", row.tokensPerSecond),
      ] {
        try require(
          (0...Self.largest).contains(figure), field, figure, "a number from 0 to \(Self.largest)")
      }
      try require(
        (seconds...Self.mostSeconds).contains(row.seconds), "seconds", row.seconds,
        "a number from \(seconds), the step's before, to \(Self.mostSeconds)")
      seconds = row.seconds
    }
  }
}
