import Foundation
import Record
import TestSupport
import Testing

@testable import gpt2_bench

/// `--format` on the commands that have results: then nothing else is on standard output. Records come from a run's
/// folder, a file or a pipe.
struct FormatTests {
  private let sandbox: Sandbox

  init() throws {
    sandbox = try Sandbox()
    for name in ["base", "head"] {
      try sandbox.copy(
        "\(Sandbox.project)/Tests/CommandTests/Goldens/inputs/\(name).json", to: "\(name).json")
    }
    try FileManager.default.createDirectory(
      atPath: sandbox.path("run"), withIntermediateDirectories: false)
    try sandbox.copy(sandbox.path("head.json"), to: "run/record.json")
  }

  private func run(_ arguments: String..., input: String = "", status: Int32 = 0) throws
    -> BuiltCommand.Result
  {
    let result = try BuiltCommand.run(arguments, in: sandbox, input: input)
    expectEqual(result.status, status, Comment(rawValue: result.error))
    return result
  }

  private func json(_ text: String) throws -> [String: Any] {
    try #require(JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
  }

  @Test func aRecordMayBeAFolderOrComeThroughAPipe() throws {
    let expected = try run("report", "head.json").output
    try expectEqual(run("report", "run").output, expected)
    try expectEqual(run("report", "run/").output, expected)
    let text = try sandbox.text("head.json")
    try expectEqual(run("report", "-", input: text).output, expected)
    try expectEqual(run("report", "/dev/stdin", input: text).output, expected)
    // The files' names are part of a comparison.
    func comparison(with head: String, input: String = "") throws -> [Substring] {
      try run("compare", "base.json", head, input: input, status: 3).output.split(separator: "\n")
        .filter { !$0.hasPrefix("- Head") }
    }
    let known = try comparison(with: "head.json")
    try expectEqual(comparison(with: "run"), known)
    try expectEqual(comparison(with: "-", input: text), known)
  }

  @Test func whatIsNoRecordIsRefusedByItsName() throws {
    try expectContains(
      run("report", "-", input: "", status: 1).error,
      "standard input: not JSON (the file is empty)")
    try expectContains(run("report", ".", status: 1).error, ".: is a folder, expected a record.json")
    try expectContains(run("compare", "-", "-", status: 2).error, "found standard input for both records")
  }

  @Test func checkSaysItsResultsInEveryFormat() throws {
    func check(_ format: String) throws -> String {
      try run(
        "check", "--model", sandbox.tinyModel, "--variants", "packed", "-t", "1", "--reference",
        "\(Sandbox.project)/Benchmarks/reference/tiny-trained", "--format", format
      ).output
    }
    let checks = try #require(try json(check("json"))["checks"] as? [[String: Any]])
    expectEqual(checks.count, 2)
    #expect(checks.allSatisfy { $0["variant"] as? String == "packed" && $0["check"] as? String == "pass" })
    #expect(
      try check("csv").hasPrefix("variant,threads,reference,max_abs_error,tolerance,nmse,argmax,check\n"))
    #expect(try check("md").hasPrefix("| variant "))
  }

  @Test func infoSaysTheMachineInEveryFormat() throws {
    let document = try json(try run("info", "-t", "1", "--format", "json").output)
    #expect((document["machine"] as? [String: Any])?["cpu"] is String)
    #expect((document["ceilings"] as? [Any])?.count == 1)
    let csv = try run("info", "-t", "1", "--format", "csv").output
    #expect(csv.hasPrefix("name,value\ncpu,") && csv.contains("\nfma_gflops_t1,"))
    try expectContains(run("info", "-t", "1", "--format", "md").output, "| FMA, float32 ")
  }

  @Test func generateSaysIdsTextAndTimesInEveryFormat() throws {
    let words = ["generate", "ROMEO:", "--model", sandbox.tinyModel, "-n", "8", "-t", "1"]
    func generate(_ more: String...) throws -> String {
      let result = try BuiltCommand.run(words + more, in: sandbox)
      expectEqual(result.status, 0, Comment(rawValue: result.error))
      return result.output
    }
    let plain = try generate()
    let document = try json(try generate("--format", "json"))
    let results = try #require(document["results"] as? [[String: Any]])
    expectEqual(results.count, 1)
    let text = try #require(results[0]["text"] as? String)
    expectEqual("ROMEO:\(text)\n", plain)
    #expect((results[0]["ids"] as? [Int])?.count == 8)
    expectNil(document["seed"])
    let several = try json(try generate("--variants", "naive,packed", "--format", "json"))
    #expect(
      (several["results"] as? [[String: Any]])?.compactMap { $0["variant"] as? String } == [
        "naive", "packed",
      ])
    #expect(
      try generate("--format", "csv").hasPrefix(
        "variant,weights,threads,new_tokens,ttft_ms,tok_per_s,ids,text\n"))
    try expectContains(generate("--format", "md"), "| packed ")
  }

  @Test func aRunMayPrintItsRecordAlone() throws {
    let result = try run(
      "run", "-p", "8", "--model", "synthetic:tiny", "--variants", "kv-cache", "-t", "1", "-r", "3",
      "--budget",
      "0.1", "--reference", "\(Sandbox.project)/Benchmarks/reference/tiny-synthetic", "--out", "o",
      "--format", "json")
    try expectEqual(sandbox.text("o/record.json"), result.output)
    #expect(result.error.hasSuffix("report: o/report.html\n"))
    #expect(
      try run("report", "o", "--format", "csv").output == (try sandbox.text("o/results.csv")))
  }
}
