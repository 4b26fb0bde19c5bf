import Foundation
import Record
import Reporting
import TestSupport
import Testing

@testable import gpt2_bench

/// Records that are kept by name, and what reads them.
struct BaselineTests {
  private let sandbox: Sandbox

  init() throws {
    sandbox = try Sandbox()
    try sandbox.file("tiny.json", Suites.tiny)
  }

  private func run(_ command: String, _ more: String...) throws -> BuiltCommand.Result {
    let common = ["--model", "synthetic:tiny", "--variants", "naive", "-t", "1", "--out", "o"]
    let suite = command == "all" ? ["--suite", "tiny.json"] : []
    let reference = ["--reference", Sandbox.project + "/Benchmarks/reference/tiny-synthetic"]
    return try BuiltCommand.run([command] + common + suite + reference + more, in: sandbox)
  }

  private func baseline(_ name: String) -> String { "\(sandbox.home)/Benchmarks/baselines/\(name).json" }

  @Test func aBaselineIsTheRecordAndIsFoundByItsName() throws {
    try expectEqual(BuiltCommand.run(["list", "baselines"], in: sandbox).output, "")
    let saved = try run("all", "--save-baseline", "first-1")
    expectEqual(saved.status, 0, Comment(rawValue: saved.error))
    expectContains(saved.error, "baselines/first-1.json: written\n")
    try expectEqual(Record.read(path: baseline("first-1")), Record.read(path: sandbox.path("o/record.json")))
    let list = try BuiltCommand.run(["list", "baselines"], in: sandbox).output
    #expect(list.hasPrefix("first-1  synthetic:tiny, 20"))

    let result = try run("all", "--baseline", "first-1")
    #expect([0, 3, 5].contains(result.status), Comment(rawValue: result.error))
    expectContains(result.output, "# Comparison of two")
  }

  /// A worker that is lost leaves the run without its figures.
  @Test func aRunThatIsNotWholeIsNotKept() throws {
    let result = try run("all", "--contestant", "lost=false", "--save-baseline", "lost")
    #expect(result.status != 0)
    expectContains(
      result.error, "baseline lost: not saved, because the run is incomplete or a check failed")
    #expect(!FileManager.default.fileExists(atPath: baseline("lost")))
  }

  @Test func runSavesToo() throws {
    let result = try run("run", "-p", "8", "-r", "1", "--save-baseline", "prompt")
    expectEqual(result.status, 0, Comment(rawValue: result.error))
    try expectEqual(Record.read(path: baseline("prompt")).cells.count, 1)
  }

  @Test func namesAreRefusedBeforeAnythingIsMeasured() throws {
    for name in ["../up", "a/b", ".hidden"] {
      let result = try run("all", "--save-baseline", name)
      expectEqual(result.status, 2)
      expectContains(
        result.error, "--save-baseline: found '\(name)', expected a name of at most 64 letters")
    }
    let result = try run("all", "--baseline", "nothing")
    expectEqual(result.status, 1)
    expectEqual(
      result.error,
      "gpt2-bench: all: --baseline: found 'nothing', expected a record's file; there are no baselines\n")
    #expect(!sandbox.exists("o"))
  }

  @Test func aFileGoesBeforeABaselineOfItsName() throws {
    _ = try run("run", "-p", "9", "-r", "1", "--save-baseline", "same")
    _ = try sandbox.folder("same")
    // A folder is no record: the baseline is read, and has nothing in common with the suite.
    try expectContains(run("all", "--baseline", "same").error, "baselines/same.json: found no figure")
    try FileManager.default.removeItem(atPath: sandbox.path("same"))
    try sandbox.file("same", "no record")
    try expectContains(run("all", "--baseline", "same").error, "all: same: not JSON")
  }
}

struct BaselineNameTests {
  @Test(arguments: ["tiny", "gpt2-124M", "a", "2026.11_x", String(repeating: "n", count: 64)])
  func accepted(_ text: String) {
    expectEqual(Baselines.Name(text)?.text, text)
  }

  @Test(
    arguments: [
      "", ".", "..", ".hidden", "-r", "_x", "a/b", "../tiny", "a b", "naïve", "a\0", "a\n", "tiny.json",
      String(repeating: "n", count: 65),
    ])
  func refused(_ text: String) {
    expectNil(Baselines.Name(text))
  }
}
