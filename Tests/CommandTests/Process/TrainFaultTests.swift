import Foundation
import GPT2Kernels
import GPT2Model
import Reporting
import TestSupport
import Testing
import Training

/// What happens to a training: it ends early, loses its folder, or its numbers are none any more.
struct TrainFaultTests {
  private let sandbox: Sandbox
  /// A step takes milliseconds.
  private static let words = [
    "train", "--data", Sandbox.project + "/weights/dialogue.txt", "--layers", "1", "--heads", "2",
    "--channels", "32", "--context", "32", "--vocabulary-size", "300", "--batch", "4", "-t", "1",
  ]
  private static let files = [
    "config.json", "merges.txt", "model.safetensors", "training-state.safetensors", "training.csv",
    "training.html", "vocab.json",
  ]

  init() throws { sandbox = try Sandbox() }

  private func run(_ words: [String], limit: String? = nil) throws -> BuiltCommand.Result {
    try BuiltCommand.run(words, in: sandbox, limit: limit)
  }

  /// A training that would take minutes, when it has its first checkpoint.
  private func start(_ out: String) throws -> RunningCommand {
    let running = try RunningCommand(
      Self.words + [
        "--steps", "50000", "--warmup", "10", "--checkpoint-every", "5", "--evaluate-every", "20", "--out",
        out,
      ],
      in: sandbox)
    #expect(poll { running.error.contains("step 20/50000") }, Comment(rawValue: running.error))
    return running
  }

  private func contents(_ folder: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: sandbox.path(folder)).sorted()
  }

  /// The steps of `training.csv`.
  private func steps(_ folder: String) throws -> Int {
    try sandbox.text("\(folder)/training.csv").split(separator: "\n").count - 1
  }

  private func expectText(of model: String) throws {
    let result = try run(["generate", "USER:", "-n", "2", "--model", model])
    expectEqual(result.status, 0, Comment(rawValue: result.error))
  }

  @Test(arguments: [(SIGINT, 130), (SIGTERM, 143), (SIGHUP, 129)] as [(Int32, Int32)])
  func whoeverEndsItGetsWhatWasLearnt(_ signal: Int32, _ status: Int32) throws {
    let running = try start("o")
    running.send(signal)
    let result = try running.result(within: 60)
    expectEqual(result.status, status, Comment(rawValue: result.error))
    let taken = try steps("o")
    #expect(taken >= 20 && result.output.hasPrefix("steps       \(taken) of 50000\n"))
    try expectEqual(contents("o"), Self.files)
    try expectText(of: "o")
  }

  /// Whether it comes before the last step, in the evaluation after it or later.
  @Test func whoeverEndsItAtTheEndLosesNothing() throws {
    let words = Self.words + ["--steps", "2", "--checkpoint-every", "1", "--evaluate-every", "0"]
    try expectEqual(run(words + ["--out", "whole"]).status, 0)
    let running = try RunningCommand(words + ["--out", "o"], in: sandbox)
    #expect(poll { sandbox.exists("o/training.csv") })
    running.send(SIGINT)
    let ended = try running.result(within: 60)
    #expect([0, 130].contains(ended.status), Comment(rawValue: ended.error))
    try expectEqual(contents("o"), Self.files)
    let goesOn = BuiltCommand.joined(ended.output).hasSuffix(" train --resume o\n")
    #expect(goesOn == (ended.status == 130))
    if goesOn { try expectEqual(run(["train", "--resume", "o"]).status, 0) }
    let models = try ["o", "whole"].map {
      try Data(contentsOf: URL(fileURLWithPath: sandbox.path("\($0)/model.safetensors")))
    }
    expectEqual(models[0], models[1])
    let (found, expected) = try (journal("o"), journal("whole"))
    expectEqual(found.history.rows.map(\.validation), expected.history.rows.map(\.validation))
    expectEqual(found.samples, expected.samples)
    expectEqual(found.samples.map(\.step), [2])
  }

  /// All steps are done, and not all there is to do.
  @Test func anEvaluationThatWasEndedIsMadeWhenItIsResumed() throws {
    try expectEqual(run(Self.words + ["--steps", "2", "--out", "o"]).status, 0)
    let whole = try journal("o")
    var ended = whole
    (ended.lacksEvaluation, ended.samples) = (true, [])
    ended.history.rows[1].validation = nil
    let (saved, trainer) = try restored("o")
    try save(trainer, saved.progress, ended)
    let fewer = try run(["train", "--resume", "o", "--steps", "1"])
    #expect(fewer.status == 2 && fewer.error.contains("--steps: found 2 steps done, expected more"))
    let result = try run(["train", "--resume", "o"])
    #expect(result.status == 0 && result.output.hasPrefix("steps       2 of 2\n"))
    let resumed = try journal("o")
    expectNil(resumed.lacksEvaluation)
    expectEqual(resumed.history, whole.history)
    expectEqual(resumed.samples, whole.samples)
    try expectEqual(run(["train", "--resume", "o"]).status, 2)
  }

  private func journal(_ folder: String) throws -> TrainingJournal {
    try TrainingCheckpoint(folder: sandbox.path(folder)).journal()
  }

  /// A checkpoint, and a trainer that has taken it up.
  private func restored(_ folder: String) throws -> (TrainingCheckpoint, Trainer) {
    let saved = try TrainingCheckpoint(folder: sandbox.path(folder))
    let trainer = try Trainer(
      saved.model, variant: .preferred, threads: 1, options: saved.progress.options)
    try saved.restore(trainer)
    return (saved, trainer)
  }

  private func save(_ trainer: Trainer, _ progress: TrainingProgress, _ journal: TrainingJournal) throws {
    try TrainingCheckpoint.save(
      trainer, order: progress.order, data: progress.data, journal: journal, ends: [], to: sandbox.path("o"))
  }

  @Test func whatIsKilledGoesOnFromItsCheckpoint() throws {
    let running = try start("o")
    running.send(SIGKILL)
    _ = try running.result(within: 60)
    try expectText(of: "o")
    let saved = try TrainingCheckpoint(folder: sandbox.path("o")).progress.step
    #expect(saved >= 15 && saved % 5 == 0)
    let resumed = try run(["train", "--resume", "o", "--steps", "\(saved + 3)"])
    expectEqual(resumed.status, 0, Comment(rawValue: resumed.error))
    try expectEqual(steps("o"), saved + 3)
    try expectEqual(contents("o"), Self.files)
  }

  @Test func aFolderThatIsRemovedIsMadeAnew() throws {
    let running = try start("o")
    try FileManager.default.moveItem(atPath: sandbox.path("o"), toPath: sandbox.path("gone"))
    #expect(poll { sandbox.exists("o/training.html") })
    running.send(SIGTERM)
    let result = try running.result(within: 60)
    expectEqual(result.status, 143, Comment(rawValue: result.error))
    #expect(result.errorLines.contains("o is gone, and is made anew"))
    try expectEqual(contents("o"), Self.files)
    try expectText(of: "o")
  }

  @Test func aFolderIsOneTrainingsAtATime() throws {
    let first = try start("o")
    let saved = try run(Self.words + ["--steps", "5", "--out", "elsewhere"])
    expectEqual(saved.status, 0)
    let cases: [(words: [String], status: Int32, says: String)] = [
      (["train", "--resume", "o"], 1, "o: another run is writing there"),
      (["train", "--resume", "elsewhere", "--steps", "9", "--out", "o"], 2, "o holds a model already"),
      (Self.words + ["--out", "o"], 2, "o holds a model already"),
      (["run", "-p", "4", "--model", "synthetic:tiny", "--out", "o"], 1, "o: another run is writing there"),
    ]
    for (words, status, says) in cases {
      let second = try run(words)
      expectEqual(second.status, status)
      expectEqual(second.output, "")
      expectContains(second.error, says, comment: Comment(rawValue: second.error))
    }
    first.send(SIGTERM)
    try expectEqual(first.result(within: 60).status, 143)
    try expectText(of: "o")
  }

  /// Of 512 bytes each, as the shell counts them: the vocabulary has room, a checkpoint has none.
  @Test func aDiskThatIsFull() throws {
    let result = try run(Self.words + ["--steps", "5", "--out", "o"], limit: "-f 100")
    expectEqual(result.status, 1)
    expectEqual(result.output, "")
    let path = "o/training-state.safetensors"
    let last = try #require(result.errorLines.last)
    #expect(last.hasPrefix("gpt2-bench: train: \(path): cannot be written: "))
    #expect(last.hasSuffix("; there is no checkpoint yet"))
    try expectEqual(contents("o"), ["merges.txt", "vocab.json"])

    try expectEqual(run(Self.words + ["--steps", "5", "--out", "p"]).status, 0)
    let good = try Data(contentsOf: URL(fileURLWithPath: sandbox.path("p/training-state.safetensors")))
    let more = try run(["train", "--resume", "p", "--steps", "9"], limit: "-f 100")
    expectEqual(more.status, 1)
    expectEqual(more.errorLines.last?.hasSuffix("; the checkpoint of step 5 is in p"), true)
    try expectEqual(
      Data(contentsOf: URL(fileURLWithPath: sandbox.path("p/training-state.safetensors"))), good)
    try expectEqual(contents("p"), Self.files)
  }

  @Test func parametersWithoutALossAreNoCheckpoint() throws {
    let wild = ["--schedule", "constant", "--warmup", "0", "--validation", "0", "--checkpoint-every", "1"]
    let late = try run(Self.words + wild + ["--steps", "20", "--lr", "1e5", "--out", "late"])
    expectEqual(late.status, 1)
    expectEqual(late.output, "")
    let words = try #require(late.errorLines.last)
    expectContains(
      words, "is nan, expected a finite number; a lower --lr may help; the checkpoint of step ")
    // Not the last parameters, but the last that are good for something.
    try expectText(of: "late")

    let once = try run(Self.words + wild + ["--steps", "1", "--lr", "1e38", "--out", "once"])
    expectEqual(once.status, 1)
    expectEqual(once.output, "")
    #expect(
      once.error.contains("a sample after step 1: position ")
        && once.error.contains("; there is no checkpoint yet"))
    #expect(!sandbox.exists("once/model.safetensors"))
  }

  /// A checkpoint with its right digest, of somebody who means harm.
  @Test func aCheckpointThatNoTrainingWrote() throws {
    try expectEqual(run(Self.words + ["--steps", "2", "--out", "o"]).status, 0)
    let (saved, trainer) = try restored("o")
    let good = try journal("o")
    func expect(
      _ field: String?, validation: Double? = nil, evaluateEvery: Int? = nil, prompt: [Int]? = nil,
      rows: [TrainingHistory.Row]? = nil
    ) throws {
      var journal = TrainingJournal(
        command: good.command, data: good.data, validation: validation ?? good.validation, model: nil,
        variant: good.variant, evaluateEvery: evaluateEvery ?? good.evaluateEvery,
        checkpointEvery: good.checkpointEvery, prompt: prompt ?? good.prompt)
      journal.history = rows.map { TrainingHistory($0) } ?? good.history
      try save(trainer, saved.progress, journal)
      let result = try run(["train", "--resume", "o", "--steps", "4"])
      #expect(result.status == (field == nil ? 0 : 1), Comment(rawValue: result.error))
      guard let field else { return }
      let line = "gpt2-bench: train: o/training-state.safetensors: journal.json: \(field): found "
      #expect(result.error.hasPrefix(line), Comment(rawValue: result.error))
    }
    try expect("validation", validation: 2)
    try expect("evaluateEvery", evaluateEvery: -1)
    try expect("prompt", prompt: [])
    try expect("prompt[0]", prompt: [300])
    try expect("history.rows", rows: [])
    try expect(nil)
  }

  /// What a file, its name and the text in it hold acts neither on a terminal nor on a page.
  @Test func hostileNamesAndTexts() throws {
    let (name, out) = ("ev\u{1B}[31mil\n<b>.txt", "o<i>\u{1B}[31m")
    let line = "<script>alert(1)</script>\u{1B}[31m \u{202E} evil | `x` words of a text that goes on.\n"
    try sandbox.file(name, String(repeating: line, count: 100))
    let shape = Self.words.dropFirst(3).map { $0 == "300" ? "270" : $0 }
    let result = try run(["train", "--data", name] + shape + ["--steps", "2", "--out", out])
    expectEqual(result.status, 0, Comment(rawValue: result.error))
    let page = try sandbox.text("\(out)/training.html")
    for text in [result.output, result.error, page] {
      #expect(!text.contains("\u{1B}") && !text.contains("\u{202E}"))
    }
    #expect(!page.contains("<script>alert") && !page.contains("o<i>") && !page.contains("<b>.txt"))
    expectContains(result.error, "reading ev\\u{1B}[31mil <b>.txt\n")
  }
}
