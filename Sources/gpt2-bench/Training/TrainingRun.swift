import Files
import Foundation
import GPT2Engine
import GPT2Model
import Measurement
import Reporting
import Training

/// The loop of a training: steps, and between them evaluations, samples and checkpoints; at the end what came of it.
final class TrainingRun {
  private let plan: TrainingPlan
  private let trainer: Trainer
  private let arguments: Arguments
  private let console: Console
  private var history: TrainingHistory
  private var samples: [TrainingReport.Sample] = []
  private var progress: TrainingProgress
  /// The step of the checkpoint on disk; nil for none.
  private var savedStep: Int?

  private var options: TrainingOptions { trainer.options }

  /// - Parameter arguments: for the command as the page has it.
  init(_ plan: TrainingPlan, _ arguments: Arguments, _ console: Console) {
    (self.plan, self.arguments, self.console) = (plan, arguments, console)
    (trainer, history) = (plan.trainer, plan.history)
    savedStep = plan.trainer.stepCount > 0 ? plan.trainer.stepCount : nil
    progress = TrainingProgress(console, steps: plan.trainer.options.steps, before: plan.trainer.stepCount)
  }

  private var isCancelled: Bool { Interruption.shared.isCancelled }

  /// Trains to the last step, or until the user wants to end; either way the folder then has the parameters of the last
  /// step that was taken.
  ///
  /// - Throws: `RunError` where the loss is no number any more or a checkpoint cannot be written: the one before stays.
  func run() throws -> ExitCode {
    defer { console.endProgressLine() }
    while trainer.stepCount < options.steps, !isCancelled {
      try step()
      progress.show(history)
      if isDue(plan.schedule.evaluateEvery) { try evaluate() }
      if isDue(plan.schedule.checkpointEvery) || isCancelled { try save() }
    }
    if savedStep != trainer.stepCount { try save() }
    console.endProgressLine()
    summarise()
    return isCancelled && trainer.stepCount < options.steps ? Interruption.shared.exitCode : .done
  }

  /// Whether something that happens every so many steps does after this one; at the last step it always does.
  private func isDue(_ every: Int) -> Bool {
    trainer.stepCount == options.steps || (every > 0 && trainer.stepCount % every == 0)
  }

  private func step() throws {
    let start = ContinuousClock.now
    let figures: StepFigures
    do {
      figures = try trainer.step(try plan.data.windows(ofStep: trainer.stepCount, options))
    } catch let error as TrainingError {
      guard case .notFinite = error else { throw error }
      let kept = savedStep.map { "the checkpoint of step \($0) is in \(plan.shownFolder)" }
      throw RunError("\(error); \(kept ?? "there is no checkpoint yet"); a lower --lr may help")
    }
    let seconds = (ContinuousClock.now - start) / .seconds(1)
    history.rows.append(
      TrainingHistory.Row(
        step: figures.step, loss: figures.loss, learningRate: figures.learningRate,
        gradientNorm: figures.gradientNorm, tokensPerSecond: Double(options.tokensPerStep) / seconds,
        seconds: (history.rows.last?.seconds ?? 0) + seconds))
  }

  /// The loss of what was kept back, and a text. Where the user ends it meanwhile, there is neither.
  private func evaluate() throws {
    progress.step("step \(trainer.stepCount)/\(options.steps): evaluating")
    var (sum, count) = (0.0, 0)
    for block in plan.data.validationBlocks(options) {
      sum += try trainer.evaluate(block) * Double(block.count)
      count += block.count
      if isCancelled { return }
    }
    if count > 0 { history.rows[history.rows.count - 1].validation = sum / Double(count) }
    let sample = try sample()
    if let sample { samples.append(.init(step: trainer.stepCount, text: sample)) }
    progress.evaluated(history, sample: sample)
  }

  /// Tokens of a sample, and how they are drawn.
  private static let (sampleTokens, temperature, topK) = (64, Float(0.8), 40)

  /// What the model writes after the beginning of the data; nil where there is no vocabulary to write with.
  private func sample() throws -> String? {
    guard let tokenizer = plan.tokenizer else { return nil }
    let sampling = try SamplingParameters(
      temperature: Self.temperature, topK: Self.topK, seed: options.seed)
    var text = try tokenizer.decode(plan.prompt)
    let engine = try Engine(
      trainer.checkpoint(named: plan.shownFolder), variant: trainer.variant, threads: trainer.threads)
    do {
      try Generator(engine, tokenizer: tokenizer).generate(
        prompt: plan.prompt, GenerationParameters(sampling: sampling, maximumNewTokens: Self.sampleTokens)
      ) { step in
        text += step.text
        return !isCancelled
      }
    } catch EngineError.nonFiniteLogit {
      // The next step says what is wrong with the parameters.
      return nil
    }
    return text
  }

  private func save() throws {
    progress.step("step \(trainer.stepCount)/\(options.steps): writing a checkpoint")
    try plan.write(history)
    savedStep = trainer.stepCount
    try Output.write(to: "\(plan.folder)/\(TrainingReport.fileName)") {
      Data(
        TrainingReport(
          history: history, samples: samples, steps: options.steps, folder: plan.shownFolder,
          facts: plan.facts, command: arguments.command, version: Build.current(try? Project()).version
        ).html.utf8)
    }
  }

  /// What came of it, on standard output.
  private func summarise() {
    let last = history.rows.last { $0.validation != nil }
    func nats(_ loss: Double) -> String { String(format: "%.4f", loss) }
    var rows = [
      ["steps", "\(trainer.stepCount) of \(options.steps)"],
      ["loss", "\(nats(history.recentLoss)) nats a token, mean of the last steps"],
    ]
    if let last, let validation = last.validation {
      let best = history.best.flatMap { $0.step == last.step ? nil : $0 }
      let words = best.map { "; the lowest was \(nats($0.validation ?? 0)) after step \($0.step)" } ?? ""
      rows.append(["validation", "\(nats(validation)) nats a token after step \(last.step)\(words)"])
    }
    rows += [
      [
        "time",
        "\(TrainingReport.duration(history.rows.last?.seconds ?? 0)) of steps, "
          + String(format: "%.0f tok/s", history.meanSpeed),
      ], ["model", plan.shownFolder], ["page", "\(plan.shownFolder)/\(TrainingReport.fileName)"],
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
    guard trainer.stepCount >= options.steps else {
      return [Project.typedExecutable, "train", "--resume", plan.shownFolder]
    }
    let prompt = plan.tokenizer.flatMap { try? $0.decode(plan.prompt) }
    return [Project.typedExecutable, "generate"]
      + (prompt.map { [$0] } ?? ["--ids", plan.prompt.map(String.init).joined(separator: " "), "--print-ids"])
      + ["--model", plan.shownFolder]
  }
}
