import Foundation
import Reporting
import TestSupport
import Testing
import Training

@testable import gpt2_bench

/// `train` as people call it: a model so small that a step takes milliseconds.
struct TrainTests {
  private let sandbox: Sandbox
  private static let text = Sandbox.project + "/weights/dialogue.txt"
  private static let shape = [
    "--layers", "1", "--heads", "2", "--channels", "32", "--context", "32", "--vocabulary-size", "300",
  ]
  private static let short = [
    "--batch", "4", "--accumulate", "2", "--dropout", "0.1", "--evaluate-every", "5",
  ]

  init() throws { sandbox = try Sandbox() }

  private func run(_ arguments: [String]) throws -> BuiltCommand.Result {
    try BuiltCommand.run(["train"] + arguments, in: sandbox)
  }

  private func trained(_ arguments: [String], to out: String) throws -> BuiltCommand.Result {
    let result = try run(
      ["--data", Self.text] + Self.shape + Self.short + ["--out", out] + arguments)
    expectEqual(result.status, 0, Comment(rawValue: result.error))
    return result
  }

  /// The rows of `training.csv`; nil for an empty field.
  private func rows(_ folder: String) throws -> [[Double?]] {
    let lines = try sandbox.text("\(folder)/training.csv").split(separator: "\n")
    expectEqual(lines[0], "step,loss,validation,learning_rate,gradient_norm,tok_per_s,seconds")
    return lines.dropFirst().map { line in
      line.split(separator: ",", omittingEmptySubsequences: false).map { Double($0) }
    }
  }

  /// A column of it.
  private func column(_ index: Int, _ folder: String) throws -> [Double?] {
    try rows(folder).map { $0[index] }
  }

  private static let (step, loss, validation, rate) = (0, 1, 2, 3)

  private func model(_ folder: String) throws -> Data {
    try Data(contentsOf: URL(fileURLWithPath: sandbox.path("\(folder)/model.safetensors")))
  }

  @Test func aTextBecomesAModelThatTheOtherCommandsRead() throws {
    let result = try trained(["--steps", "60", "--lr", "0.01", "-t", "2"], to: "mine")
    let program = try BuiltCommand.executable()
    #expect(result.output.hasPrefix("steps       60 of 60\n"))
    #expect(
      BuiltCommand.joined(result.output).hasSuffix(
        "next: \(program) generate 'USER: Good morning.' --model mine\n"))
    #expect(result.errorLines.contains { $0.hasPrefix("step 5/60: loss ") && $0.contains(", validation ") })
    #expect(result.errorLines.contains { $0.hasPrefix("  │ USER: Good morning.") })
    let rows = try rows("mine")
    let steps: [Double?] = (1...60).map { Double($0) }
    expectEqual(rows.map { $0[Self.step] }, steps)
    let validated = rows.filter { $0[Self.validation] != nil }
    let fifths: [Double?] = (1...12).map { Double(5 * $0) }
    expectEqual(validated.map { $0[Self.step] }, fifths)
    let losses = rows.compactMap { $0[Self.loss] }
    #expect(losses.count == 60 && abs(losses[0] - log(300)) < 0.3 && losses[59] < losses[0] - 1)
    // All figures of all steps, but for the validation.
    #expect(rows.allSatisfy { row in row.indices.allSatisfy { $0 == Self.validation || (row[$0] ?? 0) > 0 } })
    try expectContains(sandbox.text("mine/training.html"), "After 60 steps a token of text")
    for words in [
      ["generate", "USER:", "--model", "mine", "-n", "8"], ["perplexity", Self.text, "--model", "mine"],
      ["export", "--model", "mine", "--format", "gguf", "--out", "m.gguf"],
    ] {
      let other = try BuiltCommand.run(words, in: sandbox)
      expectEqual(other.status, 0, Comment(rawValue: other.error))
    }
  }

  @Test func whatWasEndedGoesOnToTheSameBits() throws {
    _ = try trained(["--steps", "120", "-t", "2"], to: "whole")
    let running = try RunningCommand(
      ["train", "--data", Self.text] + Self.shape + Self.short + [
        "--steps", "120", "-t", "1", "--out", "part",
      ], in: sandbox)
    #expect(poll { running.error.contains("step 5/120") })
    running.send(SIGTERM)
    let ended = try running.result(within: 60)
    expectEqual(ended.status, 143, Comment(rawValue: ended.error))
    let taken = try rows("part").count
    #expect((5..<120).contains(taken))
    #expect(ended.output.hasPrefix("steps       \(taken) of 120\n"))
    let program = try BuiltCommand.executable()
    #expect(BuiltCommand.joined(ended.output).hasSuffix("next: \(program) train --resume part\n"))
    let resumed = try run(["--resume", "part", "-t", "2"])
    expectEqual(resumed.status, 0, Comment(rawValue: resumed.error))
    try expectEqual(model("part"), model("whole"))
    for index in [Self.loss, Self.validation, Self.rate] {
      try expectEqual(column(index, "part"), column(index, "whole"))
    }

    let again = try run(["--resume", "part"])
    expectEqual(again.status, 2)
    expectContains(again.error, "--steps: found 120 steps done, expected more")
    for folder in ["part", "whole"] {
      let more = try run(["--resume", folder, "--steps", "125"])
      expectEqual(more.status, 0, Comment(rawValue: more.error))
      try expectEqual(rows(folder).count, 125)
    }
    // The moments are the same too.
    try expectEqual(model("part"), model("whole"))
  }

  /// A training that is killed between its last checkpoint and the model has no step left, and still something to do.
  @Test func aModelThatWasNotWrittenIsWhenItIsResumed() throws {
    _ = try trained(["--steps", "5"], to: "part")
    let whole = try model("part")
    for change in [
      { try FileManager.default.removeItem(atPath: $0) },
      { try changeWeight(in: $0, tensor: "ln_f.bias") { $0 + 1 } },
    ]
      as [(String) throws -> Void]
    {
      try change(sandbox.path("part/model.safetensors"))
      let result = try run(["--resume", "part"])
      expectEqual(result.status, 0, Comment(rawValue: result.error))
      #expect(result.output.hasPrefix("steps       5 of 5\n"))
      try expectEqual(model("part"), whole)
    }
    try expectEqual(run(["--resume", "part"]).status, 2)
  }

  /// Nor one that is killed after the model, before its page and its history.
  @Test func aHistoryThatWasNotWrittenIsWhenItIsResumed() throws {
    _ = try trained(["--steps", "10"], to: "part")
    let whole = try sandbox.text("part/training.csv")
    let (history, page) = (sandbox.path("part/training.csv"), sandbox.path("part/training.html"))
    let earlier = whole.split(separator: "\n").prefix(6).joined(separator: "\n") + "\n"
    for change in [
      {
        try sandbox.file("part/training.csv", earlier)
        try sandbox.file("part/training.html", "After 5 steps")
      },
      { try FileManager.default.removeItem(atPath: history) },
      { try FileManager.default.removeItem(atPath: page) },
    ]
      as [() throws -> Void]
    {
      try change()
      let result = try run(["--resume", "part"])
      expectEqual(result.status, 0, Comment(rawValue: result.error))
      #expect(result.output.hasPrefix("steps       10 of 10\n"))
      try expectEqual(sandbox.text("part/training.csv"), whole)
      try expectContains(sandbox.text("part/training.html"), "After 10 steps a token of text")
    }
    try expectEqual(run(["--resume", "part"]).status, 2)
  }

  /// What a resumption says otherwise holds for the next one too.
  @Test func whatAResumptionSaysIsKept() throws {
    _ = try trained(["--steps", "10"], to: "part")
    for words in [
      ["--steps", "13", "--evaluate-every", "1", "--checkpoint-every", "3", "--variant", "simd8"],
      ["--steps", "16"],
    ] {
      let result = try run(["--resume", "part"] + words)
      expectEqual(result.status, 0, Comment(rawValue: result.error))
      let journal: TrainingJournal = try TrainingCheckpoint(folder: sandbox.path("part")).journal()
      expectEqual(journal.evaluateEvery, 1)
      expectEqual(journal.checkpointEvery, 3)
      expectEqual(journal.variant, "simd8")
    }
    let evaluated = try rows("part").filter { $0[Self.validation] != nil }.map { $0[Self.step] }
    expectEqual(evaluated, [5, 10, 11, 12, 13, 14, 15, 16])
    try expectContains(sandbox.text("part/training.html"), "simd8, threads: 1")
  }

  @Test func aModelThatIsThereLearnsFurther() throws {
    let result = try run(
      [
        "--data", Self.text, "--model", sandbox.tinyModel, "--context", "32", "--batch", "2", "--steps", "4",
        "--evaluate-every", "0", "--validation", "0", "--out", "tuned",
      ])
    expectEqual(result.status, 0, Comment(rawValue: result.error))
    let losses = try column(Self.loss, "tuned").compactMap { $0 }
    #expect(losses.count == 4 && losses[0] < 6, "the tiny model knows English")
    #expect(try column(Self.validation, "tuned").allSatisfy { $0 == nil })
    #expect(try column(Self.rate, "tuned").allSatisfy { ($0 ?? 1) <= 1e-4 })
    // The model's own context, though windows were shorter.
    try expectContains(sandbox.text("tuned/config.json").replacing(" ", with: ""), "\"n_positions\":256")
    #expect(try sandbox.text("tuned/vocab.json").count > 1000)
  }

  @Test func tokenIdsAreDataToo() throws {
    let ids = (0..<400).map { Int32($0 % 7) }
    var header = "{'descr': '<i4', 'fortran_order': False, 'shape': (400,), }"
    while (10 + header.utf8.count + 1) % 64 != 0 { header += " " }
    header += "\n"
    var bytes: [UInt8] = [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(header.utf8.count), 0] + header.utf8
    for id in ids { withUnsafeBytes(of: id.littleEndian) { bytes += $0 } }
    try Data(bytes).write(to: URL(fileURLWithPath: sandbox.path("ids.npy")))
    let words =
      ["--data", "ids.npy"] + Self.shape.dropLast() + ["8", "--batch", "2", "--steps", "30", "--lr", "0.01"]
    let result = try run(words + ["--order", "sequential", "--out", "numbers"])
    expectEqual(result.status, 0, Comment(rawValue: result.error))
    try expectEqual(column(Self.loss, "numbers").last??.isLess(than: 1), true)
    expectContains(
      BuiltCommand.joined(result.output), " generate --ids '0 1 2' --print-ids --model numbers")
    #expect(!sandbox.exists("numbers/vocab.json"))
  }

  private static let wrongUses: [(words: [String], status: Int32, says: String)] = [
    ([], 2, "--data: found nothing, expected"),
    (["--data", "TEXT"], 2, "--out: found nothing, expected"),
    (["--data", "none.txt", "--out", "o"], 1, "none.txt: "),
    (["--data", ".", "--out", "o"], 1, "is a folder"),
    (["--data", "empty.txt", "--out", "o"], 1, "empty.txt"),
    (["--data", "few.txt", "--out", "o"], 1, "few.txt"),
    (["--data", "pipe", "--out", "o"], 1, "pipe: is no plain file, expected one whose size is known"),
    (["--data", "a\u{1B}[31m\nb", "--out", "o"], 1, "train: a\\u{1B}[31m b: no such file, expected a text"),
    (["--data", "TEXT", "--out", "o", "--steps", "1000000001"], 2, "--steps: found '1000000001', expected"),
    (
      ["--data", "TEXT", "--out", "o", "--context", "\(Int.max)"], 2,
      "--batch: found '12', expected at most 16777216 tokens in windows of \(Int.max) tokens"
    ),
    (
      ["--data", "TEXT", "--out", "o", "--batch", "65536", "--accumulate", "65536", "--context", "256"], 1,
      "training with --batch 65536, --accumulate 65536 and --context 256 needs "
    ),
    (["--data", "bytes", "--out", "o"], 1, "bytes: found byte 0xFF at offset 2, expected UTF-8 text"),
    (["--data", "TEXT", "--out", "o", "--heads", "3"], 2, "channels"),
    (["--data", "TEXT", "--out", "o", "--lr", "0"], 2, "--lr: found '0', expected a positive number"),
    (["--data", "TEXT", "--out", "o", "--min-lr", "1"], 2, "--min-lr: found '1', expected"),
    (["--data", "TEXT", "--out", "o", "--dropout", "1"], 2, "--dropout: found '1', expected"),
    (["--data", "TEXT", "--out", "o", "--warmup", "9", "--steps", "8"], 2, "--warmup: found '9', expected"),
    (["--data", "TEXT", "--out", "o", "--validation", "1"], 2, "--validation: found '1', expected"),
    (["--data", "TEXT", "--out", "o", "--schedule", "cosin"], 2, "did you mean 'cosine'?"),
    (["--data", "TEXT", "--out", "o", "--vocabulary-size", "256"], 2, "--vocabulary-size: found '256'"),
    (["--data", "TEXT", "--out", "o", "--variant", "int8"], 2, "expected one in f32 to train with"),
    (
      ["--data", "TEXT", "--out", "o", "--model", "TINY", "--layers", "2"], 2,
      "--layers: found --model too, whose shape it is"
    ),
    (
      ["--data", "TEXT", "--out", "o", "--model", "TINY", "--context", "257"], 2,
      "--context: found '257', expected a number from 1 to 256"
    ),
    (
      ["--data", "TEXT", "--out", "o", "--model", "synthetic:2,2,32,300,16", "--vocabulary", "TINY"], 1,
      "expected at most the model's vocabulary of 300"
    ),
    (["--data", "TEXT", "--out", "o", "--model", "synthetic:tiny"], 2, "has no tokenizer"),
    (["--data", "TEXT", "--out", "TINY"], 2, "holds a model already"),
    (["--resume", "none"], 1, "none"),
    (["--resume", "TINY"], 1, "TINY"),
    (["--resume", "o", "--lr", "1"], 2, "--lr: found --resume too"),
  ]

  @Test(arguments: wrongUses.indices)
  func aWrongUseIsToldInALine(_ index: Int) throws {
    let (words, status, says) = Self.wrongUses[index]
    try sandbox.file("empty.txt", "")
    try sandbox.file("few.txt", String(repeating: "Some words, but not enough of them. ", count: 20))
    try Data([0x61, 0x62, 0xFF, 0x63]).write(to: URL(fileURLWithPath: sandbox.path("bytes")))
    expectEqual(mkfifo(sandbox.path("pipe"), 0o600), 0)
    let filled = words.map {
      $0.replacing("TEXT", with: Self.text).replacing("TINY", with: sandbox.tinyModel)
    }
    let result = try run(filled + ["--quiet"])
    expectEqual(result.status, status)
    expectEqual(result.output, "")
    expectEqual(result.errorLines.count, 1)
    expectContains(
      result.error, says.replacing("TINY", with: sandbox.tinyModel),
      comment:
        Comment(rawValue: "\(words): \(result.error)"))
    #expect(!sandbox.exists("o"), "nothing is written before all is known to be right")
  }
}
