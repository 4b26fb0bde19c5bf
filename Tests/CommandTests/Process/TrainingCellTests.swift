import Foundation
import Record
import Reporting
import TestSupport
import Testing
import Training

/// Training in the rounds, from the command line to the reports.
struct TrainingCellTests {
  private let sandbox: Sandbox

  init() throws { sandbox = try Sandbox() }

  private func run(_ status: Int32, _ arguments: String...) throws -> (record: Record, error: String) {
    let result = try BuiltCommand.run(
      ["run", "--model", "synthetic:tiny", "-r", "3", "--budget", "10", "-t", "1", "--out", "o"] + arguments,
      in: sandbox)
    expectEqual(result.status, status, Comment(rawValue: result.error))
    return (try Record.read(path: sandbox.path("o/record.json")), result.error)
  }

  @Test func stepsAreMeasuredBesideTheRest() throws {
    let (record, error) = try run(
      0, "-p", "8", "--train", "2x8,1x16", "--variants", "naive,packed,int8")
    expectEqual(
      record.cells.map { "\($0.variant) \($0.test.name)" },
      [
        "naive pp8", "naive train2x8", "naive train1x16", "packed pp8", "packed train2x8", "packed train1x16",
        "int8 pp8",
      ])
    #expect(record.cells.allSatisfy { $0.status == .measured && $0.samples.count == 3 })
    for cell in record.cells where cell.test.training != nil {
      expectEqual(cell.flops, 6 * Double(record.model?.parameters ?? 0) * 16)
      #expect(cell.peakMemoryBytes ?? 0 > 0)
    }
    let note = "left out of training, which needs float32 weights: int8"
    #expect(record.warnings.contains(note) && error.contains(note))
    for variant in ["naive", "packed"] {
      let gradients = record.correctness.filter {
        $0.variant == variant && $0.reference.hasPrefix("gradients")
      }
      expectEqual(gradients.map(\.reference), ["gradients of ragged", "gradients of tiny-synthetic"])
      #expect(gradients.allSatisfy { $0.passed && $0.maxAbsoluteError ?? 1 <= $0.tolerance })
    }
    #expect(!record.correctness.contains { $0.variant == "int8" && $0.reference.hasPrefix("gradients") })
    let rows = try CSVRows(sandbox.text("o/results.csv"))
    for row in rows {
      #expect((row["train_step_ms"] != "") == (row["test"]?.hasPrefix("train") == true))
    }
    try expectContains(sandbox.text("o/report.html"), "Training: a step on 2 windows of 8 tokens, ")
  }

  @Test func whatCannotBeIsRefused() throws {
    func refused(_ words: String, _ arguments: String...) throws {
      let result = try BuiltCommand.run(["run", "--model", "synthetic:tiny"] + arguments, in: sandbox)
      #expect(result.status == 2 && result.error.contains(words), Comment(rawValue: result.error))
    }
    try refused("--train: found '4', expected BxT", "--train", "4")
    try refused("train1x129: found 'windows of 129 tokens', expected at most 128", "--train", "1x129")
    try refused("expected one with float32 weights for train2x8", "--train", "2x8", "--variants", "int8,bf16")
  }

  /// The steps go on from each other, and are PyTorch's.
  @Test func aWorkersStepsAreTheReferences() throws {
    let reference = try GradientReference(
      path: Sandbox.project + "/Benchmarks/reference/gradients/tiny-synthetic.json")
    let windows = reference.windows.map { "[" + $0.tokens.map(String.init).joined(separator: ",") + "]" }
    func step(_ windows: [String], _ rate: String = "1e-3") -> String {
      #"{"id":1,"operation":"run","payload":{"training":{"windows":["# + windows.joined(separator: ",")
        + #"],"learningRate":\#(rate),"weightDecay":0.1,"beta1":0.9,"beta2":0.95,"epsilon":1e-8,"clip":1}}}"#
        + "\n"
    }
    let load =
      #"{"id":0,"operation":"load","payload":{"model":"synthetic:tiny","variant":"packed","threads":1,"cold":false}}"#
      + "\n"
    let wrong = [
      (step([]), "training.windows: found none"), (step(["[1]"]), "training.windows[0]: found 1 ids"),
      (step(["[1,2]", "[1]"]), "training.windows[1]: found 1 ids"),
      (step(["[1,512]"]), "training.windows[0][1]: found 512, expected an integer in 0...511"),
      (step(["[-1,2]"]), "training.windows[0][0]: found -1, expected an integer in 0...511"),
      (step(["[1,9223372036854775807]"]), "training.windows[0][1]: found 9223372036854775807, expected"),
      (step(["[1,2]"], "0"), "learning rate is 0.0, expected a positive number"),
      (step(["[1,2]"], "-1"), "learning rate is -1.0, expected a positive number"),
      (step(["[\(Array(repeating: "1", count: 130).joined(separator: ","))]"]), "context is 129"),
    ]
    let requests = [load] + wrong.map(\.0) + (0..<3).map { _ in step(windows) }
    let result = try BuiltCommand.run(["worker", "packed"], in: sandbox, input: requests.joined())
    let answers = result.output.split(separator: "\n").map(String.init)
    try #require(answers.count == requests.count)
    for (answer, (_, words)) in zip(answers.dropFirst(), wrong) {
      #expect(answer.contains(#""ok":false"#) && answer.contains(words), "\(answer)")
    }
    struct Line: Decodable { let result: RunAnswerFields }
    struct RunAnswerFields: Decodable { let loss, elapsedNanoseconds: Double }
    let steps = try answers.suffix(3).map { try JSONDecoder().decode(Line.self, from: Data($0.utf8)).result }
    #expect(steps.allSatisfy { $0.elapsedNanoseconds > 0 })
    #expect(abs(steps[0].loss - reference.loss) < 1e-5 * reference.loss)
    #expect(steps[1].loss < steps[0].loss && steps[2].loss < steps[1].loss)
  }

  @Test func anotherProgramsLossesMustBeOurs() throws {
    let fakes = FakePeer(sandbox: sandbox)
    let (record, _) = try run(
      4, "--train", "2x8", "--variants", "none",
      "--contestant", "other='\(try BuiltCommand.executable())' worker --variant threaded",
      "--contestant", try fakes.worker("wrong", sed: #"s/"loss":[0-9.]+/"loss":9.5/"#),
      "--contestant", try fakes.worker("mute", sed: #"s/"loss":[0-9.]+,?//"#))
    func cell(_ name: String) throws -> Cell { try #require(record.cells.first { $0.variant == name }) }
    try expectEqual(cell("other").status, .measured)
    let checks = record.correctness.filter { $0.reference == "losses of 10 steps, as packed's" }
    expectEqual(checks.map(\.variant), ["other", "wrong"])
    expectEqual(checks.map(\.passed), [true, false])
    expectEqual(checks.last?.failure?.hasPrefix("the loss of step 1 is 9.5, expected 6."), true)
    #expect(try cell("wrong").status == .failedCheck && cell("wrong").samples.isEmpty)
    try expectEqual(cell("mute").status, .rejected)
    try expectEqual(cell("mute").message, "mute t1: run: loss: found none, expected a number of at least 0")
  }

  @Test func aProgramThatDoesNotTrainIsSkipped() throws {
    let (record, _) = try run(
      1, "--train", "2x8", "--variants", "packed",
      "--contestant",
      try FakePeer(sandbox: sandbox).worker(
        "old", sed: #"s/"ok":true,"result":.*"loss".*/"ok":false,"error":"no training"}/"#))
    let old = try #require(record.cells.first { $0.variant == "old" })
    expectEqual(old.status, .skipped)
    expectEqual(old.message?.contains("no training"), true)
    expectEqual(record.cells.first { $0.variant == "packed" }?.status, .measured)
  }

  @Test func aProfileCutsAStep() throws {
    let result = try BuiltCommand.run(
      [
        "profile", "--train", "2x8", "--model", "synthetic:tiny", "--budget", "0.1", "-t", "1", "--format",
        "json",
        "--out", "p.json",
      ], in: sandbox)
    expectEqual(result.status, 0, Comment(rawValue: result.error))
    let record = try Record.read(path: sandbox.path("p.json"))
    let profile = try #require(record.profiles?.first)
    expectEqual(record.profiles?.count, 1)
    expectEqual(profile.stage, .training)
    expectEqual(profile.tokens, 8)
    expectEqual(profile.batch, 2)
    let layers = try #require(record.model?.layers)
    let inLayers: [ProfilePhase] = [
      .qkv, .attention, .projection, .up, .gelu, .down, .downGradient, .geluGradient, .upGradient,
      .projectionGradient, .attentionGradient, .qkvGradient,
    ]
    for phase in inLayers {
      let entries = profile.entries.filter { $0.phase == phase }
      expectEqual(Set(entries.compactMap(\.layer)), Set(0..<layers), "\(phase)")
      #expect(entries.allSatisfy { $0.calls == profile.keptPasses && $0.nanoseconds > 0 && $0.flops > 0 })
    }
    for phase in [ProfilePhase.embedding, .logits, .loss, .logitsGradient, .embeddingGradient, .optimizer] {
      expectEqual(profile.entries.filter { $0.phase == phase }.map(\.calls), [profile.keptPasses], "\(phase)")
    }
    let norms = profile.entries.filter { $0.phase == .layerNormGradient }
    #expect(norms.reduce(0) { $0 + $1.calls } == (2 * layers + 1) * profile.keptPasses)
    let named = profile.entries.filter { $0.phase != .other }
    let time = named.reduce(0) { $0 + $1.nanoseconds + $1.waitNanoseconds }
    #expect(time > 0.5 * profile.wallNanoseconds && time <= profile.wallNanoseconds * 1.001)
    expectEqual(profile.overhead?.withNanoseconds.count, profile.overhead?.withoutNanoseconds.count)
    let clash = try BuiltCommand.run(
      ["profile", "--train", "2x8", "-p", "8", "--model", "synthetic:tiny"], in: sandbox)
    #expect(clash.status == 2 && clash.error.contains("--train: found -p too"))
  }
}
