import Foundation
import Record
import TestSupport
import Testing

/// A wrong number never becomes an answer: whoever meets a logit that is not finite says where, in one line, and ends
/// with 1, or with 4 where it checks.
struct NonFiniteLogitsTests {
  private static let words = "position 5: the logit of token 0 is nan, expected a finite number"
  private let sandbox: Sandbox

  init() throws {
    sandbox = try Sandbox()
    try makeModelThatBreaksAtPositionFive(sandbox.path("m"))
  }

  private func run(_ arguments: String..., input: String = "") throws -> BuiltCommand.Result {
    try BuiltCommand.run(arguments + ["--model", "m", "--quiet"], in: sandbox, input: input)
  }

  @Test(arguments: [[], ["--temperature", "0.8"], ["--top-k", "5"], ["--repetition-penalty", "1.3"]])
  func generateEndsAfterTheLastTokenThatWasOne(_ options: [String]) throws {
    let arguments =
      ["generate", "--ids", "1 2 3", "--print-ids", "--ignore-eos", "--model", "m", "--quiet"] + options
    let result = try BuiltCommand.run(arguments + ["-n", "9"], in: sandbox)
    expectEqual(result.status, 1)
    expectEqual(result.error, "gpt2-bench: generate: \(Self.words)\n")
    expectEqual(result.output.split(separator: " ").count, 3)
    let whole = try BuiltCommand.run(arguments + ["-n", "3"], in: sandbox)
    expectEqual(whole.status, 0)
    if options.isEmpty { expectEqual(whole.output, result.output) }
  }

  /// It is the first variant's end: none is compared.
  @Test func variantsAreNotCalledEqual() throws {
    let result = try run("generate", "--ids", "1 2 3", "--print-ids", "--variants", "naive,packed")
    expectEqual(result.status, 1)
    expectEqual(result.error, "gpt2-bench: generate: \(Self.words)\n")
    #expect(!result.output.contains("equal"))
  }

  @Test func chatEnds() throws {
    let result = try run("chat", "--temperature", "0", "-n", "9", input: "To be\nor not\n/status\n")
    expectEqual(result.status, 1)
    expectEqual(result.errorLines.last, "gpt2-bench: chat: \(Self.words)")
    #expect(!result.output.contains("turns"))
  }

  @Test func perplexityNamesTheTokensOfTheText() throws {
    let text = Sandbox.project + "/Benchmarks/reference/excerpt.txt"
    let result = try run("perplexity", text, "--variants", "naive,packed")
    expectEqual(result.status, 1)
    expectEqual(result.output, "")
    expectEqual(
      result.error, "gpt2-bench: perplexity: naive: tokens 1 to 256 of the text: \(Self.words)\n")
    let short = try run("perplexity", text, "--context", "5", "--variant", "packed", "--format", "csv")
    expectEqual(short.status, 0, Comment(rawValue: short.error))
  }

  @Test func logitsAreNotWritten() throws {
    let whole = try run("logits", "--ids", "1 2 3 4 5 6 7", "--variant", "naive", "--out", "x.npy")
    expectEqual(whole.status, 1)
    expectEqual(whole.error, "gpt2-bench: logits: \(Self.words)\n")
    let last = try run("logits", "--ids", "1 2 3 4 5 6 7", "--out", "x.npy", "--last")
    #expect(last.status == 1 && last.error.contains("position 6: the logit of token 0 is nan"))
    #expect(!sandbox.exists("x.npy"))
    try expectEqual(run("logits", "--ids", "1 2 3 4 5", "--out", "x.npy").status, 0)
  }

  @Test func aCheckFails() throws {
    let oracle = try run("check", "--variants", "naive,packed")
    expectEqual(oracle.status, 4)
    let lines = oracle.output.split(separator: "\n").dropFirst()
    #expect(lines.allSatisfy { $0.contains("FAIL: ") && $0.hasSuffix(Self.words) }, "\(oracle.output)")
    expectEqual(lines.count { $0.contains("naive on this model") && $0.contains("FAIL: naive: ") }, 2)
    // Against logits that are known, and greedy continuations.
    try sandbox.copy(Sandbox.project + "/Benchmarks/reference/tiny-trained", to: "r")
    let path = "r/reference.json"
    let text = try sandbox.text(path)
    let changed = text.replacingOccurrences(
      of: "\"model\": \"weights/tiny\"", with: "\"model\": \"\(sandbox.path("m"))\"")
    #expect(changed != text)
    try sandbox.file(path, changed)
    let known = try run("check", "--variants", "naive,kv-cache", "--reference", "r")
    expectEqual(known.status, 4, Comment(rawValue: known.output + known.error))
    expectContains(known.output, "position 5: the logit of token 0 is nan, expected a finite number")
  }

  @Test func aRunHasNoFigure() throws {
    let result = try BuiltCommand.run(
      [
        "run", "--model", "m", "-p", "8", "-n", "2", "-r", "1", "--budget", "0.2", "--variants", "packed",
        "-t", "1", "--out", "o", "--quiet",
      ], in: sandbox)
    expectEqual(result.status, 1, Comment(rawValue: result.error))
    let record = try Record.read(path: sandbox.path("o/record.json"))
    expectEqual(record.cells.count, 2)
    for cell in record.cells {
      #expect(cell.status == .skipped && cell.samples.isEmpty)
      expectEqual(cell.message?.hasSuffix("the logit of token 0 is nan, expected a finite number"), true)
    }
  }

  @Test func aProfileEnds() throws {
    let result = try run("profile", "-p", "8", "-n", "2", "--variant", "packed", "-t", "1")
    expectEqual(result.status, 1, Comment(rawValue: result.output))
    expectContains(result.error, "position 7: the logit of token 0 is nan")
  }
}
