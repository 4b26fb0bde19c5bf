import Foundation
import GPT2Model
import Record
import Reporting
import TestSupport
import Testing

/// Other programs as contestants: they are measured as variants are, and a faulty one is named and leaves the
/// others alone.
struct ContestantOptionTests {
  private let sandbox: Sandbox
  private let fakes: FakePeer

  init() throws {
    sandbox = try Sandbox()
    fakes = FakePeer(sandbox: sandbox)
  }

  private func run(
    _ status: Int32, variants: String, _ contestants: [String], model: String = "synthetic:tiny",
    threads: String = "1", _ more: String...
  ) throws -> (record: Record, result: BuiltCommand.Result) {
    let result = try BuiltCommand.run(
      [
        "run", "-p", "8", "-n", "4", "-d", "2", "-r", "3", "--budget", "0.5", "--model", model, "--out", "o",
        "--variants", variants, "-t", threads,
      ] + contestants.flatMap { ["--contestant", $0] } + more, in: sandbox)
    expectEqual(result.status, status, Comment(rawValue: result.error))
    return (try Record.read(path: sandbox.path("o/record.json")), result)
  }

  private func other(_ variant: String = "kv-cache") throws -> String {
    "other='\(try BuiltCommand.executable())' worker --variant \(variant)"
  }

  @Test func anotherProgramIsMeasuredAsAVariantIs() throws {
    let (record, result) = try run(0, variants: "naive", [try other()], threads: "1,2")
    expectEqual(record.cells.map(\.variant), ["naive", "naive", "other", "other", "other", "other"])
    expectEqual(record.cells.map(\.threads), [1, 1, 1, 1, 2, 2])
    for cell in record.cells {
      expectEqual(cell.status, .measured)
      expectEqual(cell.samples.count, 3)
      expectEqual(cell.weights, "f32")
      #expect(cell.flops ?? 0 > 0 && cell.bytes ?? 0 > 0)
      let baseline = try #require(cell.baselineMemoryBytes)
      #expect(try baseline < #require(cell.peakMemoryBytes))
      let loads = try #require(cell.load?.samples)
      #expect((3...5).contains(loads.count))
      #expect(loads.allSatisfy { $0.firstTokenNanoseconds > $0.loadNanoseconds })
      #expect(cell.load?.warmNanoseconds != nil)
    }
    // Its arithmetic is a cache's, which does less than naive's recomputing.
    #expect(try #require(record.cells[3].flops) < #require(record.cells[1].flops))
    let rounds = record.cells.flatMap(\.samples).map(\.sequence)
    expectEqual(Set(rounds), Set(0..<18))

    let checks = record.correctness.filter { $0.variant == "other" && $0.threads == 2 }
    expectEqual(checks.map(\.reference), ["tiny-synthetic", "timed tokens, as naive's"])
    #expect(checks.allSatisfy { $0.passed })
    #expect(try #require(checks.first).argmaxCompared > 100)
    #expect(try #require(checks.first?.maxAbsoluteError) > 0)

    let command = try BuiltCommand.executable() + "' worker --variant kv-cache"
    expectEqual(record.peers?.map(\.name), ["other"])
    expectEqual(record.peers?[0].command.hasSuffix(command), true)
    expectEqual(record.peers?[0].version?.hasPrefix("gpt2-bench "), true)
    expectContains(result.output, "other t2")
    let rows = try CSVRows(sandbox.text("o/results.csv")).filter { $0["variant"] == "other" }
    expectEqual(rows.count, 4)
    #expect(
      rows.allSatisfy {
        $0["check"] == "pass" && $0["speed_against_naive"] != "" && $0["load_to_first_token_ms"] != ""
      })
    let report = try sandbox.text("o/report.md")
    expectContains(report, "### Other programs\n\n- **other**: gpt2-bench ")
  }

  @Test func programsAloneAreMeasuredToo() throws {
    let (record, _) = try run(0, variants: "none", [try other()])
    expectEqual(record.cells.map(\.variant), ["other", "other"])
    #expect(record.cells.allSatisfy { $0.status == .measured })
    try expectContains(sandbox.text("o/report.md"), "**`other` (1 thread) is fastest")
  }

  @Test func aModelWithoutReferenceIsHeldAgainstNaive() throws {
    let (record, _) = try run(0, variants: "none", [try other()], model: "synthetic:1,2,8,11,16")
    let check = try #require(record.correctness.first)
    #expect(check.reference == "naive on this model" && check.passed)
    // Prompts of 1, 7 and 16 ids.
    expectEqual(check.argmaxCompared, 24)
  }

  @Test func aLargerToleranceIsForOtherProgramsAloneAndTheReportSaysSo() throws {
    func tolerances(_ more: String...) throws -> (own: Double, other: Double, warnings: [String]) {
      let (record, _) =
        try more.isEmpty
        ? run(0, variants: "kv-cache", [try other()])
        : run(0, variants: "kv-cache", [try other()], "--contestant-tolerance", more[0])
      func tolerance(_ name: String) throws -> Double {
        try #require(
          record.correctness.first { $0.variant == name && $0.reference == "tiny-synthetic" }
        ).tolerance
      }
      return (try tolerance("kv-cache"), try tolerance("other"), record.warnings)
    }
    let usual = try tolerances()
    let eight = try tolerances("8")
    expectEqual(eight.own, usual.own)
    #expect(abs(eight.other / usual.other - 8) < 1e-9)
    let warning = "logits of other programs were allowed 8 times the error of float32"
    #expect(eight.warnings.contains(warning) && !usual.warnings.contains(warning))
    try expectContains(sandbox.text("o/report.md"), "> **Warning:** \(warning)")
  }

  @Test func oneTokenizerIsNotAnothers() throws {
    let (record, _) = try run(0, variants: "kv-cache", [try other()], model: sandbox.tinyModel)
    expectEqual(record.model?.hasTokenizer, false)
    #expect(record.cells.allSatisfy { $0.status == .measured })
  }

  @Test func allTakesContestantsAndItsBaselineFindsThem() throws {
    try sandbox.file("tiny.json", Suites.tiny)
    func all(_ more: String...) throws -> BuiltCommand.Result {
      try BuiltCommand.run(
        [
          "all", "--model", "synthetic:tiny", "--suite", "tiny.json", "--variants", "none", "-t", "1",
          "--contestant", try other(),
        ] + more, in: sandbox)
    }
    try expectEqual(all("--out", "a").status, 0)
    let second = try all("--out", "b", "--baseline", "a/record.json", "--max-regression", "99%")
    expectContains(second.output, "# Comparison of two runs", "| `other`")
  }

  @Test func aFaultyProgramIsNamedAndTheOthersFinish() throws {
    try fakes.logits("nan.npy", columns: 512, value: .nan)
    try fakes.logits("narrow.npy", columns: 511, value: 1)
    try fakes.logits("flat.npy", columns: 512, value: 1)
    func copying(_ file: String) -> String { "cp \(file) \"$out\"; answer '{\"positions\":1}'" }
    let (record, result) = try run(
      4, variants: "naive",
      [
        try fakes.script("nan", logits: copying("nan.npy")),
        try fakes.script("narrow", logits: copying("narrow.npy")),
        try fakes.script("flat", logits: copying("flat.npy")),
        try fakes.script("fewer", logits: "cp flat.npy \"$out\"; answer '{\"positions\":2}'"),
        try fakes.script("nothing", logits: "answer '{\"positions\":1}'"),
        try fakes.script("unwilling", load: "refuse 'this model is none of mine'"),
        try fakes.script("unsure"),
        try fakes.script("crash", logits: "echo 'out of luck' >&2; exit 3"),
        try fakes.script("mute", run: "sleep 60"),
        try fakes.script("liar", run: "answer '\(FakePeer.goodRun.replacing("1500", with: "2500"))'"),
        try fakes.script(
          "crowd", load: "answer '\(FakePeer.goodLoad.replacing("\"threads\":1", with: "\"threads\":8"))'"),
        try fakes.worker(
          "stray", sed: #"s/"ids":\[\[([0-9]+),([0-9]+),([0-9]+),[0-9]+\]\]/"ids":[[\1,\2,\3,0]]/"#),
        try fakes.worker("rounded", sed: #"s/"weights":"f32"/"weights":"q8_0"/"#),
        try fakes.worker(
          "coarse",
          sed:
            #"s/"weights":"f32"/"weights":"q4_0"/;s/"ids":\[\[([0-9]+),([0-9]+),([0-9]+),[0-9]+\]\]/"ids":[[\1,\2,\3,0]]/"#
        ),
      ], "--timeout", "3")
    #expect(record.isComplete)
    func expect(_ name: String, _ status: Cell.Status, _ message: String?) throws {
      let cells = record.cells.filter { $0.variant == name }
      expectEqual(cells.count, 2)
      for cell in cells {
        expectEqual(cell.status, status, "\(name): \(cell.message ?? "")")
        #expect(cell.samples.isEmpty == (status != .measured), "\(name)")
        if let message {
          expectEqual(cell.message?.contains(message), true, "\(name): \(cell.message ?? "")")
        }
      }
    }
    try expect("naive", .measured, nil)
    try expect(
      "nan", .failedCheck,
      "tiny-synthetic: p0 position 0: the logit of token 0 is nan, expected a finite number")
    try expect("narrow", .failedCheck, "p0: found logits of a vocabulary of 511, expected 512")
    try expect("flat", .failedCheck, "p0 position 0: the largest logit is token 0's, expected 274's")
    try expect("fewer", .failedCheck, "p0: found logits of 1 positions, expected 2, as answered")
    try expect("nothing", .failedCheck, "no such file")
    try expect("unwilling", .skipped, "unwilling t1: load: this model is none of mine")
    try expect("unsure", .skipped, "unsure t1: logits: none")
    try expect("crash", .died, "exited with code 3 before it answered: out of luck")
    try expect("mute", .hung, "mute t1: run: no answer within 3")
    try expect("liar", .rejected, "liar t1: run: tokenNanoseconds: found [2500], expected ascending times")
    try expect("crowd", .rejected, "crowd t1: load: threads: found 8, expected 1, as asked")
    try expect("stray", .failedCheck, "of 5 tokens are the same, expected all")
    try expect("rounded", .measured, nil)
    // Its weights are others, so its tokens may be.
    try expect("coarse", .measured, nil)
    #expect(record.cells.filter { $0.variant == "rounded" }.allSatisfy { $0.weights == "q8_0" })
    expectContains(result.output, "q8_0")
    try expectEqual(CSVRows(sandbox.text("o/results.csv")).count, 30)
    let report = try sandbox.text("o/report.md")
    for name in ["nan", "unwilling", "crash", "mute", "liar", "stray"] {
      expectContains(report, "`\(name)`")
    }
  }

  /// Alone, with nobody's tokens to be held to.
  @Test func anAnswerThatCannotBeTrueRejectsAProgramThatIsAlone() throws {
    let (record, _) = try run(
      5, variants: "none",
      [
        try fakes.worker("negative", sed: #"s/"ids":\[\[[0-9]+/"ids":[[-1/"#),
        try fakes.worker("beyond", sed: #"s/"ids":\[\[[0-9]+/"ids":[[512/"#),
        try fakes.worker("endless", sed: #"s/"peakBytes":[0-9]+/"peakBytes":9223372036854775807/"#),
        try fakes.worker("below", sed: #"s/"peakBytes":[0-9]+/"peakBytes":-1/"#),
      ])
    func expect(_ name: String, _ message: String) {
      let cells = record.cells.filter { $0.variant == name }
      expectEqual(cells.count, 2)
      for cell in cells {
        #expect(cell.status == .rejected && cell.samples.isEmpty && cell.peakMemoryBytes == nil)
        expectEqual(cell.message?.contains(message), true, "\(name): \(cell.message ?? "")")
      }
    }
    expect("negative", "negative t1: run: ids: found -1, expected ids from 0 to 511")
    expect("beyond", "beyond t1: run: ids: found 512, expected ids from 0 to 511")
    expect(
      "endless", "endless t1: memory: peakBytes: found 9223372036854775807, expected a size above 0 within")
    expect("below", "below t1: memory: peakBytes: found -1, expected a size above 0 within")
    // What is no number of this machine's is no answer.
    let (other, _) = try run(
      1, variants: "none",
      [try fakes.worker("huge", sed: #"s/"peakBytes":[0-9]+/"peakBytes":9223372036854775808/"#)])
    #expect(other.cells.allSatisfy { $0.samples.isEmpty && $0.message?.contains("malformed answer") == true })
  }

  @Test func whatCannotBeStartedIsAMistakeOfTheCommandLine() throws {
    func message(_ arguments: String...) throws -> String {
      let result = try BuiltCommand.run(
        ["run", "-p", "8", "--model", "synthetic:tiny", "--out", "never"] + arguments, in: sandbox)
      expectEqual(result.status, 2)
      expectEqual(result.errorLines.count, 1)
      #expect(!sandbox.exists("never"))
      return result.error
    }
    try expectEqual(
      message("--contestant", "sh"),
      "gpt2-bench: run: --contestant: found 'sh', expected NAME=COMMAND, for example "
        + "llama='python3 llama.py'\n")
    try expectEqual(
      message("--contestant", "a=no-such-program x"),
      "gpt2-bench: run: --contestant: a: found no program 'no-such-program', expected one in PATH, or a "
        + "path from this folder\n")
    try expectContains(
      message("--contestant", "a=sh", "--contestant", "a=cat"), "that no other contestant has")
    try expectContains(message("--contestant", "naive=sh"), "a name that no variant has")
    try expectContains(message("--contestant-tolerance", "2"), "expected --contestant with it")
    for factor in ["0.5", "1e7", "x"] {
      try expectContains(
        message("--contestant", "a=sh", "--contestant-tolerance", factor), "found '\(factor)'")
    }
    try expectContains(message("--variants", "none"), "--variants: found 'none'")
  }

  @Test func aWorkerServesTheVariantThatItWasStartedFor() throws {
    let load =
      #"{"id":1,"operation":"load","payload":{"variant":"anything","threads":2,"cold":false,"model":"synthetic:tiny"}}"#
    let logits = #"{"id":2,"operation":"logits","payload":{"ids":[1,2,3],"out":"\#(sandbox.path("l.npy"))"}}"#
    let result = try BuiltCommand.run(
      ["worker", "--variant", "naive"], in: sandbox, input: "\(load)\n\(logits)\n")
    let answers = result.output.split(separator: "\n")
    expectEqual(answers.count, 2)
    #expect(answers[0].contains(#""decoding":"recompute""#) && answers[0].contains(#""threads":1"#))
    expectEqual(answers[1], #"{"id":2,"ok":true,"result":{"positions":3}}"#)
    try expectEqual(
      BuiltCommand.run(
        ["logits", "--variant", "naive", "--model", "synthetic:tiny", "--ids", "1 2 3", "--out", "m.npy"],
        in: sandbox
      ).status, 0)
    try expectEqual(NPY(path: sandbox.path("l.npy")), NPY(path: sandbox.path("m.npy")))
    try expectEqual(BuiltCommand.run(["worker", "--variant", "fast"], in: sandbox).status, 2)
  }
}
