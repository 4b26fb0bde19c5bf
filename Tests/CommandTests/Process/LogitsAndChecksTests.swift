import Foundation
import GPT2Kernels
import GPT2Model
import Record
import Reporting
import TestSupport
import Testing

/// Logits, exports, and the check: that it passes where all is right, and that it can fail.
struct LogitsAndChecksTests {
  private let sandbox: Sandbox

  init() throws { sandbox = try Sandbox() }

  private func run(_ arguments: String...) throws -> BuiltCommand.Result {
    try BuiltCommand.run(arguments, in: sandbox)
  }

  private func expectDone(_ arguments: String...) throws {
    let result = try BuiltCommand.run(arguments, in: sandbox)
    expectEqual(result.status, 0, Comment(rawValue: result.error))
  }

  @Test func logitsAreAFileOfPositionsByVocabulary() throws {
    try expectDone("logits", "--model", "synthetic:tiny", "--ids", "1 2 3", "--out", "all.npy")
    try expectDone("logits", "--model", "synthetic:tiny", "--ids", "1 2 3", "--out", "last.npy", "--last")
    let all = try NPY(path: sandbox.path("all.npy"))
    let last = try NPY(path: sandbox.path("last.npy"))
    expectEqual("\(all.rows) × \(all.columns)", "3 × 512")
    expectEqual("\(last.rows) × \(last.columns)", "1 × 512")
    #expect(zip(all.row(2), last.row(0)).allSatisfy { abs($0 - $1) < 1e-5 })
    #expect(all.row(0) != all.row(2))
  }

  @Test func anExportedModelGivesTheSameLogits() throws {
    for (model, name) in [("synthetic:tiny", "synthetic"), (sandbox.tinyModel, "trained")] {
      for out in ["\(name)-folder", "\(name).safetensors"] {
        try expectDone("export", "--model", model, "--format", "safetensors", "--out", out)
        try expectDone("logits", "--model", model, "--ids", "5 6 7", "--out", "a.npy")
        try expectDone("logits", "--model", out, "--ids", "5 6 7", "--out", "b.npy")
        try expectEqual(Data(contentsOf: url("a.npy")), Data(contentsOf: url("b.npy")), "\(out)")
      }
    }
    let text = try run("generate", "ROMEO:", "-n", "8", "--model", sandbox.tinyModel).output
    try expectEqual(run("generate", "ROMEO:", "-n", "8", "--model", "trained-folder", "--quiet").output, text)
    // From one format to the next, weights and vocabulary.
    var source = "trained-folder"
    for (format, out, files) in [
      ("llmc", "llmc", ["gpt2_1M.bin", "gpt2_tokenizer.bin"]), ("seed", "seed", ["model.bin", "vocab.bin"]),
      ("gguf", "gguf", ["model.gguf"]),
      ("safetensors", "back", ["config.json", "merges.txt", "model.safetensors", "vocab.json"]),
    ] {
      try expectDone("export", "--model", source, "--format", format, "--out", out)
      try expectEqual(FileManager.default.contentsOfDirectory(atPath: sandbox.path(out)).sorted(), files)
      try expectEqual(run("generate", "ROMEO:", "-n", "8", "--model", out).output, text)
      source = out
    }
    try expectEqual(
      Data(contentsOf: url("back/model.safetensors")),
      Data(contentsOf: url("trained-folder/model.safetensors")))
    #expect(!sandbox.contents.contains { $0.contains("partial") })
  }

  @Test func exportingAModelOverItselfKeepsIt() throws {
    try expectDone("export", "--model", sandbox.tinyModel, "--format", "safetensors", "--out", "m")
    let before = try Data(contentsOf: url("m/model.safetensors"))
    try expectDone("export", "--model", "m", "--format", "safetensors", "--out", "m")
    try expectEqual(Data(contentsOf: url("m/model.safetensors")), before)
  }

  @Test func everyVariantPassesOnTheTinyReference() throws {
    let result = try run("check", "--model", "synthetic:tiny")
    expectEqual(result.status, 0, Comment(rawValue: result.error))
    let rows = result.output.split(separator: "\n").dropFirst()
    #expect(rows.allSatisfy { $0.hasSuffix("pass") })
    func variants(of reference: String) -> [Substring?] {
      rows.filter { $0.contains("  \(reference) ") }.map { $0.split(separator: " ").first }
    }
    let names: [Substring?] = Variant.all.map { Substring($0.name) }
    let trained: [Substring?] = Variant.exact.map { Substring($0.name) }
    expectEqual(variants(of: "tiny-synthetic"), names)
    expectEqual(variants(of: "gradients of tiny-synthetic"), trained)
    expectEqual(rows.count, names.count + trained.count)
  }

  /// Weights of fewer bits have their own columns, float32's none; the tiny model is held to a text too.
  @Test func qualityIsShownOfWeightsWithFewerBits() throws {
    let result = try run("check", "--model", sandbox.tinyModel, "--variants", "packed,int8", "-t", "1")
    expectEqual(result.status, 0, Comment(rawValue: result.error))
    let rows = result.output.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
    expectEqual(
      rows[0],
      [
        "variant", "reference", "max", "error", "allowed", "NMSE", "argmax", "KL", "nats", "top-1", "Δppl",
        "%", "check",
      ])
    expectEqual(rows.filter { $0[0] == "packed" }.count, 2)
    let int8 = rows.filter { $0[0] == "int8" }
    let logits = try #require(int8.first { $0[1] == "tiny-trained" && $0[2] != "greedy" })
    // The largest error, NMSE, agreement, KL and top-1, and the verdict.
    expectEqual(logits.count, 8)
    expectEqual(logits[7], "pass")
    #expect((1e-6..<5e-3).contains(try #require(Double(logits[5]))))
    #expect((95.0...100).contains(try #require(Double(logits[6]))))
    let text = try #require(int8.first { $0[1] == "text" })
    let delta = try #require(Double(text[3]))
    #expect(text[2] == "excerpt.txt" && text[4] == "pass" && abs(delta) < 0.5)
    let csv = try run(
      "check", "--model", "synthetic:tiny", "--variants", "int8", "-t", "1", "--format", "csv")
    #expect(csv.output.hasPrefix("variant,threads,reference,"))
    expectContains(csv.output, ",argmax,kl_nats,top1,delta_ppl_percent,check")
  }

  /// Where no model and no references are named, every operation of a variant is held to its formula too, in one row.
  @Test func everyOperationIsHeldToItsFormula() throws {
    let references = "\(sandbox.home)/Benchmarks/reference"
    try FileManager.default.removeItem(atPath: references)
    try FileManager.default.createDirectory(atPath: references, withIntermediateDirectories: false)
    try FileManager.default.copyItem(
      atPath: "\(Sandbox.project)/Benchmarks/reference/tiny-synthetic", toPath: "\(references)/tiny-synthetic"
    )
    let result = try run("check", "--variants", "naive,packed", "-t", "1")
    expectEqual(result.status, 0, Comment(rawValue: result.error))
    let rows = result.output.split(separator: "\n").dropFirst()
    let words = rows.map { $0.split(separator: " ") }
    expectEqual(words.map { $0.first }, ["naive", "naive", "packed", "packed"])
    expectEqual(
      words.map { $0.dropFirst().first }, ["operations", "tiny-synthetic", "operations", "tiny-synthetic"])
    #expect(rows.allSatisfy { $0.hasSuffix("pass") })
  }

  @Test(arguments: ["", "/", "/../tiny"])
  func aFoldersReferencesAreFoundHoweverItIsWritten(_ ending: String) throws {
    let result = try run("check", "--model", sandbox.tinyModel + ending, "--variants", "kv-cache", "-t", "1")
    expectEqual(result.status, 0, Comment(rawValue: result.error))
    #expect(result.output.split(separator: "\n").dropFirst().allSatisfy { $0.contains("tiny-trained") })
    expectEqual(result.error, "")
  }

  @Test func aModelWithoutReferenceIsHeldAgainstNaiveAndStandardErrorSaysSo() throws {
    let result = try run("check", "--model", "synthetic:1,2,8,11,16", "--variants", "naive,simd8")
    expectEqual(result.status, 0)
    expectContains(result.output, "naive on this model")
    expectEqual(result.error, "no reference is for synthetic:1,2,8,11,16: naive's logits are used instead\n")
  }

  /// An exported model and a reference that is of it.
  private func exportWithReference() throws {
    try expectDone("export", "--model", "synthetic:tiny", "--format", "safetensors", "--out", "m")
    try sandbox.copy(Sandbox.project + "/Benchmarks/reference/tiny-synthetic", to: "r")
    let text = try sandbox.text("r/reference.json")
    let changed = text.replacingOccurrences(
      of: "\"model\": \"synthetic:tiny\"", with: "\"model\": \"\(sandbox.path("m"))\"")
    #expect(changed != text)
    try sandbox.file("r/reference.json", changed)
  }

  @Test func aPerturbedWeightIsCaught() throws {
    try exportWithReference()
    let names = Variant.exact.map(\.name)
    let arguments = [
      "check", "--model", "m", "--reference", "r", "-t", "1", "--variants", names.joined(separator: ","),
    ]
    try expectEqual(BuiltCommand.run(arguments, in: sandbox).status, 0)
    try changeWeight(in: sandbox.path("m/model.safetensors"), tensor: "h.0.attn.c_attn.weight") { $0 + 0.01 }
    let result = try BuiltCommand.run(arguments, in: sandbox)
    expectEqual(result.status, 4)
    let lines = result.output.split(separator: "\n").dropFirst()
    expectEqual(lines.count, names.count)
    for (line, name) in zip(lines, names) {
      #expect(line.hasPrefix(name))
      expectContains(line, "FAIL: ")
    }
  }

  @Test func aVariantThatFailsGetsNoFigureAndTheReportsAreWritten() throws {
    try exportWithReference()
    try changeWeight(in: sandbox.path("m/model.safetensors"), tensor: "h.1.mlp.c_fc.weight") { $0 + 0.5 }
    try sandbox.file("s.json", Suites.tiny)
    let result = try run(
      "all", "--model", "m", "--reference", "r", "--suite", "s.json", "--variants", "naive,simd8", "--out",
      "o",
      "--quiet")
    expectEqual(result.status, 4)
    expectEqual(result.error, "")
    let record = try Record.read(path: sandbox.path("o/record.json"))
    #expect(record.isComplete)
    expectEqual(record.cells.map(\.status), [.failedCheck, .failedCheck, .failedCheck, .failedCheck])
    #expect(
      record.cells.allSatisfy { $0.samples.isEmpty && $0.message?.hasPrefix("tiny-synthetic: ") == true })
    for name in ["naive", "simd8"] { expectContains(result.output, "\(name)") }
    #expect(try CSVRows(sandbox.text("o/results.csv")).allSatisfy { $0["decode_tok_per_s"] ?? "" == "" })
    try expectContains(sandbox.text("o/report.md"), "tiny-synthetic")
    #expect(sandbox.exists("o/samples.csv"))
  }

  private func url(_ name: String) -> URL { URL(fileURLWithPath: sandbox.path(name)) }
}

/// What `check` makes of known continuations: those of a model that is there, that is not, and that is another.
struct KnownContinuationsTests {
  private let sandbox: Sandbox

  init() throws { sandbox = try Sandbox() }

  private func check(_ arguments: String...) throws -> BuiltCommand.Result {
    try BuiltCommand.run(["check", "--variants", "packed", "-t", "1"] + arguments, in: sandbox)
  }

  /// A folder of references with the tiny model's continuations alone, a piece of the text replaced.
  private func reference(_ old: String = "", _ new: String = "") throws -> String {
    let folder = try sandbox.folder("r")
    let path = Sandbox.project + "/Benchmarks/reference/tiny-trained/continuations.json"
    let text = try String(contentsOfFile: path, encoding: .utf8)
    try sandbox.file(
      "r/continuations.json", old.isEmpty ? text : text.replacingOccurrences(of: old, with: new))
    return folder
  }

  @Test func theTinyModelSaysWhatItIsKnownToSayWhereverItLies() throws {
    let result = try check("--model", sandbox.tinyModel)
    expectEqual(result.status, 0, Comment(rawValue: result.error))
    expectContains(result.output, "tiny-trained greedy", "59/59")
    let copy = try BuiltCommand.run(
      ["export", "--model", sandbox.tinyModel, "--format", "safetensors", "--out", "elsewhere"], in: sandbox)
    expectEqual(copy.status, 0)
    let other = try check("--model", "elsewhere", "--reference", reference())
    expectEqual(other.status, 0, Comment(rawValue: other.error))
    expectContains(other.output, "tiny-trained greedy")
  }

  @Test func aWrongContinuationFailsTheVariant() throws {
    let result = try check("--reference", reference("[40, 457, 731,", "[40, 457, 730,"))
    expectEqual(result.status, 4)
    expectContains(result.output, "greedy token 2 is 731, expected 730", "37/59")
  }

  /// Beside a reference that can be checked the check passes; alone it would be one of nothing.
  @Test func aModelThatIsNotThereIsSkippedWithAWord() throws {
    let folder = try reference("\"model\": \"weights/tiny\"", "\"model\": \"weights/gpt2\"")
    let skipped = "tiny-trained greedy: skipped, weights/gpt2 is not there; it comes with the project\n"
    let nothing = "gpt2-bench: check: \(folder): nothing was checked: every reference in it was skipped\n"
    let alone = try check("--reference", folder)
    expectEqual(alone.status, 1)
    expectEqual(alone.output, "")
    expectEqual(alone.error, skipped + nothing)
    let quiet = try check("--reference", folder, "--quiet", "--format", "json")
    expectEqual(quiet.status, 1)
    expectEqual(quiet.output, "")
    expectEqual(quiet.error, nothing)
    try sandbox.copy(Sandbox.project + "/Benchmarks/reference/tiny-synthetic", to: "r/tiny-synthetic")
    let beside = try check("--reference", folder)
    expectEqual(beside.status, 0, Comment(rawValue: beside.error))
    expectEqual(beside.error, skipped)
    expectContains(beside.output, " tiny-synthetic ")
  }

  @Test func anotherModelInItsPlaceIsSkippedWithTheDifference() throws {
    let folder = try reference("-0.0550215", "-0.0551")
    let result = try check("--reference", folder)
    expectEqual(result.status, 1)
    #expect(
      result.error.hasPrefix(
        "tiny-trained greedy: skipped, weights/tiny is another model: its position embedding"))
  }
}
