import Files
import Foundation
import GPT2Engine
import GPT2Model
import Record
import Reporting
import Training

/// The loop of a training: steps, and between them evaluations, samples and checkpoints; at the end what came of it.
final class TrainingRun {
  private let plan: TrainingPlan
  private var folder: ReportFolder
  private let trainer: Trainer
  private let console: Console
  private var journal: TrainingJournal
  private var display: TrainingDisplay
  /// The step of the checkpoint in the folder; nil for none.
  private var savedStep: Int?
  /// Whether that checkpoint is not all that belongs to its step.
  private var isHalfSaved: Bool

  private var options: TrainingOptions { trainer.options }
  private var history: TrainingHistory { journal.history }

  init(_ plan: TrainingPlan, _ console: Console) {
    (self.plan, self.console) = (plan, console)
    (trainer, journal, folder) = (plan.trainer, plan.journal, plan.folder)
    isHalfSaved = plan.isHalfSaved
    let done = plan.trainer.stepCount
    savedStep = Output.isFile("\(plan.folder.path)/\(TrainingCheckpoint.fileName)") ? done : nil
    display = TrainingDisplay(console, steps: plan.trainer.options.steps, before: done)
  }

  private var isCancelled: Bool { Interruption.shared.isCancelled }

  /// Whether nothing is left to do: it is otherwise only where the user has ended it.
  private var isDone: Bool { trainer.stepCount == options.steps && journal.lacksEvaluation != true }

  /// Trains to the last step, or until the user wants to end; either way the folder then has the parameters of the last
  /// step that was taken. An evaluation that the user has ended is made first when the training is resumed.
  ///
  /// - Throws: `RunError` where the loss is no number any more or a checkpoint cannot be written: the one before stays.
  func run() throws -> ExitCode {
    Interruption.watch()
    defer { console.endProgressLine() }
    try plan.writeVocabulary()
    if journal.lacksEvaluation == true { try evaluate() }
    while trainer.stepCount < options.steps, !isCancelled {
      try step()
      display.show(history)
      if isDue(journal.evaluateEvery) { try evaluate() }
      if isDue(journal.checkpointEvery) { try save() }
    }
    if savedStep != trainer.stepCount || isHalfSaved { try save() }
    console.endProgressLine()
    summarise()
    return isDone ? .done : Interruption.shared.exitCode
  }

  /// Whether something that happens every so many steps does after this one; at the last step it always does.
  private func isDue(_ every: Int) -> Bool {
    trainer.stepCount == options.steps || (every > 0 && trainer.stepCount % every == 0)
  }

  /// Of the step to come.
  private var nextWindows: [Window] {
    plan.data.windows(
      step: trainer.stepCount, count: options.windowsPerStep, order: plan.order, seed: options.seed)
  }

  private func step() throws {
    let start = ContinuousClock.now
    let before = history.rows.last?.seconds ?? 0
    let figures: StepFigures
    do {
      figures = try trainer.step(nextWindows)
    } catch {
      guard case .notFinite = error else { throw error }
      throw diverged("\(error)")
    }
    let seconds = (ContinuousClock.now - start) / .seconds(1)
    journal.history.rows.append(
      TrainingHistory.Row(
        step: figures.step, loss: figures.loss, learningRate: figures.learningRate,
        gradientNorm: figures.gradientNorm, tokensPerSecond: Double(options.tokensPerStep) / seconds,
        seconds: before + seconds))
  }

  /// The mean loss of some windows.
  /// - Throws: `RunError` for one that is no number, and what the trainer throws.
  private func loss(of windows: [Window]) throws -> Double {
    do { return try trainer.evaluate(windows) } catch {
      guard case .lossNotFinite = error else { throw error }
      throw diverged("\(error)")
    }
  }

  private func diverged(_ words: String) -> RunError {
    RunError("\(words); a lower --lr may help\(kept)")
  }

  /// Of what is kept back, so many are evaluated at most.
  private static let validationWindows = 256

  /// The loss of what was kept back, and a text. Where the user ends it meanwhile, there is neither, and the journal says
  /// so.
  private func evaluate() throws {
    display.step("step \(trainer.stepCount)/\(options.steps): evaluating")
    journal.lacksEvaluation = true
    let windows = plan.data.validationWindows(atMost: Self.validationWindows)
    var nats = 0.0
    for first in stride(from: 0, to: windows.count, by: options.batch) {
      if isCancelled { return }
      let block = Array(windows[first..<min(first + options.batch, windows.count)])
      nats += try loss(of: block) * Double(block.count)
    }
    let sample = try sample()
    if isCancelled { return }
    journal.lacksEvaluation = nil
    if !windows.isEmpty {
      journal.history.rows[history.rows.count - 1].validation = nats / Double(windows.count)
    }
    if let sample { journal.samples.append(.init(step: trainer.stepCount, text: sample)) }
    display.evaluated(history, sample: sample)
  }

  /// Tokens of a sample, and how they are drawn.
  private static let (sampleTokens, temperature, topK) = (64, Float(0.8), 40)

  /// What the model writes after the beginning of the data; nil where there is no vocabulary to write with.
  private func sample() throws -> String? {
    guard let tokenizer = plan.tokenizer else { return nil }
    let sampling = try SamplingParameters(
      temperature: Self.temperature, topK: Self.topK, seed: options.seed)
    var text = try tokenizer.decode(journal.prompt)
    let engine = try Engine(
      trainer.checkpoint(named: plan.shownFolder), variant: trainer.variant, threads: trainer.threads)
    do {
      try Generator(engine, tokenizer: tokenizer).generate(
        prompt: journal.prompt, GenerationParameters(sampling: sampling, maximumNewTokens: Self.sampleTokens)
      ) { step in
        text += step.text
        return !isCancelled
      }
    } catch {
      guard case EngineError.nonFiniteLogit = error else { throw error }
      throw diverged("a sample after step \(trainer.stepCount): \(error)")
    }
    return text
  }

  /// - Throws: `RunError` also for parameters whose loss is no number: they take the place of no others.
  private func save() throws {
    display.step("step \(trainer.stepCount)/\(options.steps): writing a checkpoint")
    _ = try loss(of: [nextWindows[0]])
    do {
      try requireFolder()
      do { try write() } catch { guard !folder.isThere else { throw error } }
      // It may have gone meanwhile, and what was written then has made another, with nothing else in it.
      guard !folder.isThere else { return }
      try requireFolder()
      try write()
    } catch { throw RunError("\(error)\(kept)") }
  }

  /// The checkpoint, the model, and what is made of the history; the history itself last, which tells that all is there.
  private func write() throws {
    try TrainingCheckpoint.save(
      trainer, order: plan.order, data: plan.data.identity, journal: journal, ends: plan.ends,
      to: folder.path)
    savedStep = trainer.stepCount
    let files = [(TrainingReport.fileName, report.html), (TrainingHistory.fileName, history.csv)]
    for (name, text) in files {
      let path = "\(folder.path)/\(name)"
      WholeFile.removeLeftovers(of: path)
      try Output.write(to: path) { Data(text.utf8) }
    }
    isHalfSaved = false
  }

  /// A folder that somebody has removed is made anew, with all that belongs to the model.
  private func requireFolder() throws {
    guard !folder.isThere else { return }
    savedStep = nil
    console.warn("\(plan.shownFolder) is gone, and is made anew")
    folder = try ReportFolder.create(at: folder.path)
    try plan.writeVocabulary()
  }

  /// Which checkpoint is left where something went wrong, as an error's end.
  private var kept: String {
    savedStep.map { "; the checkpoint of step \($0) is in \(plan.shownFolder)" }
      ?? "; there is no checkpoint yet"
  }

  private var report: TrainingReport {
    let (shape, data) = (trainer.configuration, plan.data)
    let rate =
      options.schedule == .cosine
      ? "\(options.learningRate), a cosine down to \(options.minimumLearningRate)" : "\(options.learningRate)"
    let facts = [
      (
        "Model",
        "\(shape.layers) layers, \(shape.heads) heads, \(shape.channels) channels, vocabulary \(shape.vocabulary), "
          + "context \(shape.context); \(shape.parameterCount) parameters"
      ), ("Began with", journal.model ?? "new weights"),
      (
        "Data",
        "\(data.name): \(data.training.count) tokens, and \(data.validation.count) that are kept back"
      ),
      (
        "A step",
        "\(options.windowsPerStep) windows of \(options.context) tokens, "
          + (plan.order == .random ? "from random places" : "one after the other")
      ), ("Learning rate", "\(rate), after a warm-up of \(options.warmup) steps"),
      (
        "AdamW",
        "weight decay \(options.weightDecay), β₁ \(options.beta1), β₂ \(options.beta2), ε \(options.epsilon), "
          + "clip \(options.clip), dropout \(options.dropout), seed \(options.seed)"
      ), ("Ran on", "\(trainer.variant.name), threads: \(trainer.threads)"),
    ]
    return TrainingReport(
      history: history, samples: journal.samples, steps: options.steps, folder: plan.shownFolder,
      facts: facts,
      command: journal.command, version: Build.programVersion)
  }

  /// What came of it, on standard output.
  private func summarise() {
    let nats = TrainingReport.nats
    var rows = [["steps", "\(trainer.stepCount) of \(options.steps)"]]
    if !history.rows.isEmpty {
      rows.append(["loss", "\(nats(history.recentLoss)) nats a token, mean of the last steps"])
    }
    if let last = history.lastEvaluation, let validation = last.validation {
      let best = history.best.flatMap { $0.step == last.step ? nil : $0 }
      let words = best.map { "; the lowest was \(nats($0.validation)) after step \($0.step)" } ?? ""
      rows.append(["validation", "\(nats(validation)) nats a token after step \(last.step)\(words)"])
    }
    if let last = history.rows.last {
      let speed = String(format: "%.0f tok/s", history.meanSpeed)
      rows.append(["time", "\(TrainingReport.duration(last.seconds)) of steps, \(speed)"])
    }
    rows += [
      ["model", plan.shownFolder], ["page", "\(plan.shownFolder)/\(TrainingReport.fileName)"],
    ]
    if console.drawsOver, console.isTerminal {
      let plot = history.plot(width: console.width)
      if !plot.isEmpty { console.print(plot + "\n") }
    }
    console.print(rows)
    console.print(commandToType(next, after: "next: ", width: console.width))
  }

  /// What one would type next: to go on where the user ended it, else to see what the model writes.
  private var next: [String] {
    guard isDone else {
      return [Project.typedExecutable, "train", "--resume", plan.shownFolder]
    }
    let prompt = plan.tokenizer.flatMap { try? $0.decode(journal.prompt) }
    return [Project.typedExecutable, "generate"]
      + (prompt.map { [$0] } ?? [
        "--ids", journal.prompt.map(String.init).joined(separator: " "), "--print-ids",
      ])
      + ["--model", plan.shownFolder]
  }
}
