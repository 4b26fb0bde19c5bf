import Foundation
import Record
import Reporting
import TestSupport
import Testing

@testable import gpt2_bench

/// `all`, `run` and `matmul` from the command line to the reports, and what reads their records.
struct MeasuringTests {
  private let sandbox: Sandbox

  init() throws {
    sandbox = try Sandbox()
    try sandbox.file("tiny.json", Suites.tiny)
  }

  private func run(_ arguments: [String]) throws -> BuiltCommand.Result {
    try BuiltCommand.run(arguments, in: sandbox)
  }

  private func expect(_ status: Int32, _ arguments: String...) throws -> BuiltCommand.Result {
    let result = try run(arguments)
    expectEqual(result.status, status, Comment(rawValue: result.error))
    return result
  }

  private let reference = Sandbox.project + "/Benchmarks/reference/tiny-synthetic"

  /// `all` on the tiny suite.
  private func all(_ status: Int32 = 0, _ more: String...) throws -> BuiltCommand.Result {
    let result = try run(
      [
        "all", "--model", "synthetic:tiny", "--suite", "tiny.json", "--variants", "naive,kv-cache", "-t", "1",
        "--reference", reference,
      ] + more)
    expectEqual(result.status, status, Comment(rawValue: result.error))
    return result
  }

  @Test func allWritesFilesThatAgree() throws {
    let result = try all(0, "--out", "o")
    expectEqual(
      sandbox.contents.filter { $0.hasPrefix("o/") },
      [
        "o/profile.csv", "o/record.json", "o/report.html", "o/report.md", "o/results.csv", "o/samples.csv",
      ])
    let ending = BuiltCommand.joined(result.output).split(separator: "\n").suffix(2)
    expectEqual(ending.first, "report: o/report.html")
    let program = try BuiltCommand.executable()
    expectEqual(ending.last?.hasPrefix("next: \(program) explain "), true)
    expectEqual(ending.last?.hasSuffix(" --model synthetic:tiny"), true)
    let record = try Record.read(path: sandbox.path("o/record.json"))
    #expect(record.isComplete)
    expectEqual(record.cells.map(\.status), [.measured, .measured, .measured, .measured])
    #expect(record.cells.allSatisfy { $0.samples.count == 3 && $0.peakMemoryBytes != nil })
    // Two variants, each against the reference and against the other's tokens.
    expectEqual(record.correctness.count, 4)
    #expect(record.correctness.allSatisfy { $0.passed })
    #expect(record.command.starts(with: ["gpt2-bench", "all", "--model"]))
    let conditions = try #require(record.conditions)
    #expect(conditions.calibration.count >= 2)
    expectEqual(record.findings, Validity(record).findings)
    // What is known before the run is said once, and what was found in it once more.
    let isDebug = record.build.configuration == "debug"
    #expect(record.findings?.first?.check == (isDebug ? "build" : record.findings?.first?.check))
    #expect(result.error.components(separatedBy: "debug build").count == (isDebug ? 2 : 1))
    let isCounted = record.cells.allSatisfy { $0.samples.allSatisfy { $0.counters != nil } }
    #expect(isCounted == (record.countersUnavailable == nil))
    try expectEqual(CSVRows(sandbox.text("o/results.csv")).count, 4)
    try expectEqual(CSVRows(sandbox.text("o/samples.csv")).count, 12)

    let report = try sandbox.text("o/report.md")
    expectContains(report, "## Validity\n")
    #expect(report.contains("- **Counters:** none: ") == (record.countersUnavailable != nil))
    let csv = try sandbox.text("o/results.csv")
    let json = try sandbox.text("o/record.json")
    try expectEqual(expect(0, "report", "o/record.json").output, report)
    try expectEqual(
      expect(0, "report", "o/record.json", "--format", "csv").output, csv)
    try expectEqual(
      expect(0, "report", "o/record.json", "--format", "json").output, json)
    try expectEqual(expect(0, "report", "o/record.json", "--out", "again.md", "--quiet").output, "")
    try expectEqual(sandbox.text("again.md"), report)
  }

  @Test func reportsGoToAFolderOfTheirOwnAndProgressIsPlainLines() throws {
    let result = try all(0)
    expectContains(result.error, "checking: naive\n", "kv-cache t1 pp8: measured, n = 3\n")
    for text in [result.error, result.output] {
      #expect(!text.contains("\u{1B}"))
      #expect(!text.contains("\r"))
    }
    let reports = try FileManager.default.contentsOfDirectory(atPath: sandbox.home + "/reports")
    expectEqual(reports.count, 1)
    #expect(reports[0].hasSuffix("-synthetic-tiny"))
  }

  /// The verdicts that decide a comparison's exit code.
  private func verdicts(_ status: Int32, _ more: String...) throws -> Set<String> {
    try verdicts(status, more)
  }

  private func verdicts(_ status: Int32, _ more: [String]) throws -> Set<String> {
    let result = try run(["compare", "--format", "csv"] + more)
    expectEqual(result.status, status, Comment(rawValue: more.joined(separator: " ")))
    return Set(try CSVRows(result.output).filter { $0["counts"] == "true" }.compactMap { $0["verdict"] })
  }

  @Test func compareAndBaselineFindThirtyPercentAndNothingElse() throws {
    _ = try all(0, "--out", "o")
    try expectEqual(verdicts(0, "o/record.json", "o/record.json"), ["unchanged"])
    let record = try Record.read(path: sandbox.path("o/record.json"))
    for (name, factor) in [
      ("base", 1.0), ("slower", 1.3), ("faster", 1 / 1.3), ("same", 1.01), ("fast", 0.001),
    ] {
      try record.steady(slowedBy: factor).write(to: sandbox.path("\(name).json"))
    }
    #expect(try verdicts(3, "base.json", "slower.json").contains("regressed"))
    try expectEqual(verdicts(0, "base.json", "faster.json"), ["improved", "unchanged"])
    try expectEqual(verdicts(0, "base.json", "same.json"), ["unchanged"])
    #expect(try !verdicts(0, "base.json", "slower.json", "--max-regression", "40%").contains("regressed"))
    let text = try expect(
      3, "compare", "base.json", "slower.json", "--max-regression", "0.1", "--out", "c.md")
    expectEqual(text.output, "")
    try expectContains(
      sandbox.text("c.md"), "| **regressed** |")
    let lenient = ["base.json", "slower.json", "--max-regression", "prefill=40%,ttft=40%"]
    try expectEqual(verdicts(3, lenient + ["--rows", "decode"]), ["regressed"])
    #expect(try !verdicts(0, lenient + ["--rows", "prefill,memory"]).contains("regressed"))
    let none = try expect(2, "compare", "base.json", "slower.json", "--rows", "packed")
    expectContains(
      none.error, "--rows: found 'packed', expected words of one of these rows: naive f32 t1 pp8")
    let json = try expect(3, "compare", "base.json", "slower.json", "--format", "json").output
    #expect(try JSONSerialization.jsonObject(with: Data(json.utf8)) is [String: Any])

    let gitHub = ["compare", "base.json", "slower.json", "--format", "github"]
    let printed = try run(gitHub)
    #expect(printed.output.hasPrefix("<!-- gpt2-bench compare -->\n"))
    #expect(printed.error.hasPrefix("::notice title=Performance"))
    expectContains(printed.error, "\n::error title=")
    let filed = try run(gitHub + ["--out", "comment.md", "--quiet"])
    expectEqual(filed.output, printed.error)
    expectEqual(filed.error, "")
    try expectEqual(sandbox.text("comment.md"), printed.output)
    for format in ["bmf", "github-action"] {
      // The head's figures, as its own report has them.
      let head = try expect(0, "report", "slower.json", "--format", format).output
      try expectEqual(expect(3, "compare", "base.json", "slower.json", "--format", format).output, head)
    }

    let result = try all(3, "--out", "p", "--baseline", "fast.json", "--quiet", "-r", "8")
    expectContains(result.output, "regressed")
    expectEqual(result.error, "")
    #expect(try Record.read(path: sandbox.path("p/record.json")).isComplete)
  }

  @Test func aBaselineWithNothingToCompareIsRefusedAtOnce() throws {
    _ = try expect(
      0, "run", "-p", "9", "--model", "synthetic:tiny", "--variants", "naive", "-r", "1", "--out", "o")
    let result = try all(1, "--out", "never", "--baseline", "o/record.json")
    expectEqual(
      result.error,
      "gpt2-bench: all: o/record.json: found no figure for the variants and threads of this run, expected "
        + "one of its tests: pp8, tg4 @ d2\n")
    #expect(!sandbox.exists("never"))
  }

  @Test func aModelWithTextIsMeasuredFromText() throws {
    let result = try expect(
      0, "all", "--quiet", "--model", sandbox.tinyModel, "--suite", "tiny.json", "--variants",
      "naive,kv-cache", "--out",
      "o", "--reference", Sandbox.project + "/Benchmarks/reference/tiny-trained")
    let record = try Record.read(path: sandbox.path("o/record.json"))
    expectEqual(result.error, "")
    expectEqual(record.model?.hasTokenizer, true)
    #expect(record.cells.allSatisfy { $0.status == .measured })
    // The model's own reference stands, so naive's logits are not needed beside it.
    #expect(Set(record.correctness.map(\.reference)).contains("tiny-trained"))
    #expect(!record.correctness.contains { $0.reference == "naive on this model" })
  }

  @Test func aSuiteLeavesOutWhatTheModelHasNoContextFor() throws {
    let small = ["--model", "synthetic:1,2,8,11,8", "--variants", "naive", "--reference", reference]
    let suite = try sandbox.file(
      "s.json",
      #"{"summary": "s", "prefill": [8, 9], "decode": [], "repetitions": 1, "cellBudgetSeconds": 1}"#)
    let result = try run(["all", "--suite", suite, "--out", "o"] + small)
    expectEqual(result.status, 0, Comment(rawValue: result.error))
    let record = try Record.read(path: sandbox.path("o/record.json"))
    expectEqual(record.cells.map(\.test.name), ["pp8"])
    #expect(record.warnings.contains("left out, longer than the model's context of 8: pp9"))
    let none = try run(["all", "--suite", "quick", "--out", "never"] + small)
    expectEqual(none.status, 2)
    expectEqual(
      none.error,
      "gpt2-bench: all: --suite: found 'quick', expected a test that fits the model's context of 8\n")
  }

  @Test func runTakesCellsOfOnesOwn() throws {
    _ = try expect(
      0, "run", "-p", "8,16", "-n", "4", "-d", "3", "--batch", "1,2", "--model", "synthetic:tiny",
      "--variants",
      "naive,packed", "-t", "1,2", "-r", "2", "--out", "o", "--reference", reference)
    let record = try Record.read(path: sandbox.path("o/record.json"))
    let tests = ["pp8", "pp16", "tg4 @ d3", "pp8 b2", "pp16 b2", "tg4 @ d3 b2"]
    expectEqual(record.cells.map(\.test.name), tests + tests + tests)
    expectEqual(record.cells.map(\.threads), [1, 1, 2].flatMap { [Int](repeating: $0, count: 6) })
    #expect(record.cells.allSatisfy { $0.status == .measured && $0.samples.count == 2 })
    expectNil(record.settings.suite)
    let batches = record.correctness.filter { $0.reference == "batch of 2, as each sequence alone" }
    #expect(batches.count == 3 && batches.allSatisfy { $0.passed && $0.argmaxCompared == 4 })
    let rows = Array(try CSVRows(sandbox.text("o/results.csv")))
    let decoding = try #require(rows.last { $0["test"] == "tg4 @ d3 b2" && $0["variant"] == "packed" })
    let (all, one) = (
      Double(decoding["decode_tok_per_s"] ?? ""), Double(decoding["decode_tok_per_s_per_user"] ?? "")
    )
    let users: Double = try #require(all) / #require(one)
    #expect(abs(users - 2) < 1e-3)
    // Six positions of two sequences: keys and values of two layers with 64 channels.
    expectEqual(decoding["kv_cache_mib"], "0.01171875")
    expectEqual(rows.first { $0["variant"] == "naive" }?["kv_cache_mib"], "")
    try expectContains(sandbox.text("o/report.md"), "decode per user tok/s")
  }

  @Test func aLaterRunTellsWhatChangedSinceTheOneBesideIt() throws {
    func run(_ folder: String) throws -> String {
      try expect(
        0, "run", "-n", "2,4", "-d", "3", "--model", "synthetic:tiny", "--variants", "packed", "-t", "1",
        "-r", "5",
        "--warmup", "2", "--reference", reference, "--out", folder
      ).output
    }
    let (first, second) = (try run("a"), try run("b"))
    #expect(!first.contains("since the run of"))
    let (earlier, later) = (
      try Record.read(path: sandbox.path("a/record.json")),
      try Record.read(path: sandbox.path("b/record.json"))
    )
    let summary = Comparison(base: earlier, head: later).summary
    expectContains(second, "since the run of \(earlier.started)", "(unpaired):\n  \(summary)\n")
    let program = try BuiltCommand.executable()
    expectContains(
      BuiltCommand.joined(second), "every row: \(program) compare a/record.json b/record.json\n")
    expectEqual(later.cells.map(\.test.name), ["tg2 @ d3", "tg4 @ d3"])
    expectEqual(later.settings.warmup, "the whole test 2 times")
    // Of other work there is nothing to say.
    let other = try expect(
      0, "run", "-p", "4", "--model", "synthetic:tiny", "--variants", "packed", "-t", "1", "-r", "2",
      "--reference",
      reference, "--out", "c")
    #expect(!other.output.contains("since the run of"))
  }

  /// Each model has a record of its own, as if it had been asked for alone; a table of all of them comes last.
  @Test func severalModelsAreMeasuredOneAfterTheOther() throws {
    let words = [
      "run", "-p", "4", "--variants", "naive,packed", "-t", "1", "-r", "2", "--reference", reference,
    ]
    let models = ["--model", "synthetic:tiny,synthetic:1,2,8,20,8"]
    let result = try run(words + models + ["--out", "o", "--format", "csv"])
    expectEqual(result.status, 0, Comment(rawValue: result.error))
    let rows = result.output.split(separator: "\n").dropFirst()
    expectEqual(rows.count, 4)
    let places = ["naive", "packed"].flatMap { variant in
      ["synthetic:tiny,", "\"synthetic:1,2,8,20,8\","].map { (model: $0, variant: variant) }
    }
    for (row, place) in zip(rows, places) {
      #expect(row.hasPrefix(place.model) && row.contains(",\(place.variant),f32,1,pp4,prefill tok/s,tok/s,"))
    }
    let record = try Record.read(path: sandbox.path("o/synthetic-1-2-8-20-8/record.json"))
    #expect(record.model?.name == "synthetic:1,2,8,20,8" && record.isComplete)
    expectEqual(
      record.command.suffix(6).prefix(4),
      [
        "--model", "synthetic:1,2,8,20,8", "--out", "o/synthetic-1-2-8-20-8",
      ])
    try expectEqual(
      Record.read(path: sandbox.path("o/synthetic-tiny/record.json")).model?.name, "synthetic:tiny")

    let unknown = try run(words + ["--model", "synthetic:tiny,nothing", "--out", "p"])
    #expect(unknown.status != 0 && unknown.error.contains("nothing"))
    #expect(!FileManager.default.fileExists(atPath: sandbox.path("p")))
    let saved = try run(words + models + ["--save-baseline", "b"])
    #expect(
      saved.status == 2 && saved.error.contains("--save-baseline: found '2 models', expected one with it"))
    let empty = try run(words + ["--model", "synthetic:tiny,"])
    #expect(empty.status == 2 && empty.error.contains("--model: found 'synthetic:tiny,'"))
  }

  @Test func aHistoryKeepsRunsAndIsReported() throws {
    let words = [
      "run", "-p", "4", "--model", "synthetic:tiny", "--variants", "packed", "-t", "1", "-r", "2",
      "--reference", reference, "--history", "h",
    ]
    try expectEqual(run(words).status, 0)
    let second = try run(words)
    #expect(second.status == 0 && second.output.contains("since the run of "))
    try expectEqual(FileManager.default.contentsOfDirectory(atPath: sandbox.path("h")).count, 2)
    let history = try run(["report", "h", "--history", "--format", "csv"])
    expectEqual(Array(try CSVRows(history.output)).map { $0["test"] ?? "" }, ["pp4", "pp4"])
    let both = try run(words + ["--out", "o"])
    #expect(both.status == 2 && both.error.contains("--history: found 'h', expected a folder, and no --out"))
  }

  @Test func matmulChecksAndTimesEachShape() throws {
    let words = [
      "matmul", "--size", "33x65x17,7x9", "--variants", "simd8", "-r", "2", "--budget", "0.2",
    ]
    let json = try run(words + ["--format", "json", "--out", "r.json", "--quiet"])
    expectEqual(json.status, 0)
    expectEqual(json.output + json.error, "")
    let record = try Record.read(path: sandbox.path("r.json"))
    expectEqual(record.kind, .matmul)
    expectEqual(
      record.cells.map(\.test.name),
      ["33x65x17", "1x7x9", "64x7x9"])
    let rows = try CSVRows(expect(0, "report", "r.json", "--format", "csv").output)
    expectEqual(rows.count, 3)
    #expect(rows.allSatisfy { $0["check"] == "pass" && $0["status"] == "measured" })
    try expectContains(expect(0, "compare", "r.json", "r.json").output, "unchanged")
  }

  @Test func opsChecksAndTimesEachOperation() throws {
    let words = [
      "ops", "--model", "synthetic:2,3,21,300,40", "--rows", "1,5", "-d", "9", "--variants", "naive,packed",
      "-t", "2", "-r", "3", "--budget", "0.03",
    ]
    let json = try run(words + ["--format", "json", "--out", "r.json", "--quiet"])
    expectEqual(json.status, 0)
    expectEqual(json.output + json.error, "")
    let record = try Record.read(path: sandbox.path("r.json"))
    #expect(record.kind == .operations && record.isComplete)
    let tests = [
      "embedding 1x21 of 300", "embedding 5x21 of 300", "layernorm 1x21", "layernorm 5x21",
      "attention 1x3x7 @ d9", "attention 5x3x7 @ d9", "softmax 1x3 @ d9", "softmax 5x3 @ d9", "gelu 1x84",
      "gelu 5x84", "sampling 300 greedy", "sampling 300 temperature", "sampling 300 top-k",
      "sampling 300 top-p",
    ]
    expectEqual(record.cells.map(\.test.name), tests + tests)
    expectEqual(record.correctness.map(\.reference), tests + tests)
    #expect(record.correctness.allSatisfy { $0.passed })
    let rows = try CSVRows(expect(0, "report", "r.json", "--format", "csv").output)
    #expect(rows.allSatisfy { $0["check"] == "pass" && $0["status"] == "measured" })
    #expect(rows.allSatisfy { (Double($0["us"] ?? "") ?? 0) > 0 })
    try expectContains(expect(0, "compare", "r.json", "r.json").output, "unchanged")
    try expectContains(expect(0, "report", "r.json", "--format", "github").output, "GPT-2's operations")
    try expectEqual(
      run(["report", "r.json", "--format", "llama-bench"]).error,
      "gpt2-bench: report: --format llama-bench: found a record of kind ops, expected end-to-end\n")
  }
}
