import Files
import Foundation
import GPT2Kernels
import GPT2Model
import Reporting
import Training

/// A training with all that it needs, checked: model, data, options, and the folder that gets what comes of it.
struct TrainingPlan {
  let trainer: Trainer
  let data: TokenData
  let order: WindowOrder
  let folder: ReportFolder
  /// Nil where the data are token ids, and no vocabulary was named.
  let tokenizer: Tokenizer?
  /// The tokens that end a text.
  let ends: Set<Int>
  /// What has come of it so far.
  var journal: TrainingJournal
  /// Whether the last step's evaluation is still to be made; or all steps are done, and the folder's model, page or
  /// history is still that of an earlier checkpoint.
  let isHalfSaved: Bool
  /// Puts the vocabulary into the folder, where it is not there already.
  let writeVocabulary: () throws -> Void

  var shownFolder: String { Project.shown(folder.path) }

  /// A new training.
  ///
  /// - Throws: where anything of it cannot be. There is no folder then that was not there before.
  init(_ arguments: Arguments, _ console: Console) throws {
    try arguments.refuseContradictions()
    let path = try arguments.required("--data", arguments.string("--data"), expected: "a text or token ids")
    let out = try Self.newFolder(arguments.string("--out"))
    let threads = try arguments.threads()
    let variant = try arguments.variant()
    try variant.requireTraining()
    let share = try arguments.validationShare()
    order = try arguments.choice("--order", of: WindowOrder.allCases) ?? TrainingDefaults.order
    let (evaluateEvery, checkpointEvery) = try arguments.intervals(TrainingDefaults.evaluateEvery)
    let hasIDs = TokenList.isNPY(path)
    let base = try arguments.string("--model").map {
      try ModelChoice($0, for: .text, Project(), console)
    }
    let options = try arguments.trainingOptions(base?.configuration)
    try arguments.check(options, base?.configuration)
    let source = try arguments.string("--vocabulary").map { try Project().model($0) } ?? base?.source
    let text = hasIDs ? nil : try TrainingText(path, validation: share)
    var known = try source.flatMap { try Self.tokenizer(of: $0, base, named: arguments) }
    if known == nil, let base, !hasIDs { throw base.withoutTokenizer(orElse: "--vocabulary, token ids") }
    let size = try known?.vocabularyCount ?? arguments.vocabularySize(isLearnt: !hasIDs)
    func configuration(_ vocabulary: Int?) throws -> Configuration {
      try base?.configuration ?? arguments.configuration(vocabulary: vocabulary, options)
    }
    // What is wrong with the shape is said before a vocabulary is learnt.
    var shape = try configuration(size ?? (hasIDs ? nil : TrainingDefaults.vocabulary))

    let folder = try ReportFolder.create(at: out)
    let prompt: [Int]
    do {
      if known == nil, let text {
        known = try Self.learn(text, size, console)
        shape = try configuration(known?.vocabularyCount)
      }
      try Self.requireMemory(shape, options)
      console.step("reading \(path)")
      if let text, let known {
        data = try TokenData(
          text, known, vocabulary: shape.vocabulary, context: options.context, inFolder: out)
      } else {
        data = try TokenData(
          npy: path, vocabulary: shape.vocabulary, validation: share, context: options.context)
      }
      trainer =
        try base.map { try Trainer($0.checkpoint, variant: variant, threads: threads, options: options) }
        ?? Trainer(initialising: shape, variant: variant, threads: threads, options: options)
      ends = try known?.ends ?? base?.ends() ?? []
      prompt = try Self.prompt(data, known, shape)
    } catch {
      folder.removeEmpty()
      throw error
    }
    let (tokenizer, configuration) = (known, shape)
    (self.folder, self.tokenizer) = (folder, tokenizer)
    writeVocabulary = {
      if let source {
        _ = try source.exportTokenizer(to: out, for: configuration)
      } else {
        try tokenizer?.exportHuggingFace(to: out)
      }
    }
    isHalfSaved = false
    journal = TrainingJournal(
      command: arguments.command, data: URL(fileURLWithPath: path).standardizedFileURL.path,
      validation: share, model: base?.name, variant: variant.name, evaluateEvery: evaluateEvery,
      checkpointEvery: checkpointEvery, prompt: prompt)
  }

  /// The training in a folder, taken up where it was left.
  ///
  /// - Throws: for a folder without one, for other data, and where there is nothing left to do.
  init(resuming path: String, _ arguments: Arguments, _ console: Console) throws {
    try arguments.refuseWhatTheCheckpointSays()
    let checkpoint = try TrainingCheckpoint(folder: path)
    var journal: TrainingJournal = try checkpoint.journal()
    let shape = checkpoint.model.configuration
    try journal.check(
      source: checkpoint.path, steps: checkpoint.progress.step, vocabulary: shape.vocabulary,
      context: shape.context)
    var options = checkpoint.progress.options
    options.steps = try arguments.integer("--steps", in: 1...Int.max) ?? options.steps
    let done = checkpoint.progress.step
    let isHalfSaved =
      journal.lacksEvaluation == true
      || options.steps == done && !Self.isWhole(path, checkpoint, journal.history)
    guard options.steps > done || options.steps == done && isHalfSaved else {
      throw UsageError("--steps: found \(done) steps done, expected more than that with it")
    }
    try arguments.check(options, shape)
    self.isHalfSaved = isHalfSaved
    let threads = try arguments.threads()
    // What is said anew is kept, so that it holds when this training is taken up again.
    journal.variant = arguments.string("--variant") ?? journal.variant
    let variant = try Arguments.variant(journal.variant, "--variant")
    try variant.requireTraining()
    (journal.evaluateEvery, journal.checkpointEvery) = try arguments.intervals(
      journal.evaluateEvery, checkpointEvery: journal.checkpointEvery)
    let source = ModelSource.folder(path)
    let tokenizer = try source.tokenizer(for: shape)
    self.tokenizer = tokenizer
    journal.data =
      arguments.string("--data").map { URL(fileURLWithPath: $0).standardizedFileURL.path } ?? journal.data
    let out = arguments.string("--out") ?? path
    let isSame = ModelSource.folder(out).isSame(as: source)
    folder = try ReportFolder.create(at: isSame ? out : Self.newFolder(out))
    do {
      try Self.requireMemory(shape, options)
      console.step("reading \(journal.data)")
      if let tokenizer, !TokenList.isNPY(journal.data) {
        data = try TokenData(
          TrainingText(journal.data, validation: journal.validation), tokenizer,
          vocabulary: shape.vocabulary, context: options.context, inFolder: out)
      } else {
        data = try TokenData(
          npy: journal.data, vocabulary: shape.vocabulary, validation: journal.validation,
          context: options.context)
      }
      try checkpoint.require(data)
      trainer = try Trainer(checkpoint.model, variant: variant, threads: threads, options: options)
      try checkpoint.restore(trainer)
      ends = try tokenizer?.ends ?? source.endTokens(for: shape)
    } catch {
      folder.removeEmpty()
      throw error
    }
    order = checkpoint.progress.order
    writeVocabulary = {
      if !isSame {
        _ = try source.exportTokenizer(to: out, for: shape)
      } else if source.tokenizerLocation == nil {
        // Somebody has removed the folder since.
        try tokenizer?.exportHuggingFace(to: out)
      }
    }
    self.journal = journal
  }

  /// Whether the folder has all that is saved with its checkpoint. The history is written last, so what is made of it
  /// before is there too where it is.
  private static func isWhole(
    _ folder: String, _ checkpoint: TrainingCheckpoint, _ history: TrainingHistory
  ) -> Bool {
    FileManager.default.contents(atPath: "\(folder)/\(TrainingHistory.fileName)") == Data(history.csv.utf8)
      && Output.isFile("\(folder)/\(TrainingReport.fileName)") && checkpoint.isModelWritten
  }

  /// A folder that holds no model yet.
  private static func newFolder(_ path: String?) throws -> String {
    guard let path, !path.isEmpty else { throw UsageError("--out: found nothing, expected a new folder") }
    guard !ModelFolder.holdsWeights(path), !Output.isFile("\(path)/\(TrainingCheckpoint.fileName)") else {
      throw UsageError("--out: \(path) holds a model already, expected a new folder, or --resume with it")
    }
    return path
  }

  /// The vocabulary of a folder or of a model; nil for a model without one.
  ///
  /// - Throws: also where the model has no room for it.
  private static func tokenizer(
    of source: ModelSource, _ base: ModelChoice?, named arguments: Arguments
  ) throws -> Tokenizer? {
    if let base, let own = try source.tokenizer(for: base.configuration) { return own }
    if base == nil, let own = try source.tokenizerLocation?.load() { return own }
    guard let name = arguments.string("--vocabulary") else { return nil }
    throw RunError("\(name): no tokenizer in it, expected \(ModelChoice.tokenizerFiles)")
  }

  /// A vocabulary of so many tokens; where nothing is said, of as many as the text makes up to the usual number.
  private static func learn(_ text: TrainingText, _ size: Int?, _ console: Console) throws -> Tokenizer {
    let wanted = size ?? TrainingDefaults.vocabulary
    console.step("learning a vocabulary of \(wanted) tokens")
    do { return try text.learnTokenizer(vocabulary: wanted) } catch TokenizerError.textTooShort(let found, _)
      where size == nil
    {
      console.note("the text makes a vocabulary of \(found) tokens, not \(wanted)")
      return try text.learnTokenizer(vocabulary: found)
    }
  }

  private static func requireMemory(_ configuration: Configuration, _ options: TrainingOptions) throws {
    let windows = Double(options.windowsPerStep) * Double(Window.bytes(of: options.context))
    try MemoryLimit.checkFree(
      Double(Trainer.memoryBytes(configuration, tokens: options.batch * options.context)) + windows,
      for: "training with --batch \(options.batch), --accumulate \(options.accumulate) and --context "
        + "\(options.context) needs")
  }

  /// What samples begin with: the first words of the data, or its first ids.
  private static func prompt(
    _ data: TokenData, _ tokenizer: Tokenizer?, _ configuration: Configuration
  ) throws -> [Int] {
    let first = data.training.ids(0..<min(24, data.training.count)).map(Int.init)
    guard let tokenizer else { return Array(first.prefix(min(3, configuration.context))) }
    let line = try tokenizer.decode(first).split(whereSeparator: \.isNewline).first ?? ""
    let words = try tokenizer.encode(line.split(separator: " ").prefix(3).joined(separator: " "))
    return Array((words.isEmpty ? first : words).prefix(max(configuration.context - 1, 1)))
  }
}
