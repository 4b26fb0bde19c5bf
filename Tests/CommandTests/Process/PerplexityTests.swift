import Foundation
import GPT2Kernels
import Record
import Reporting
import TestSupport
import Testing

@testable import gpt2_bench

/// `perplexity` as people call it, on the tiny model.
struct PerplexityTests {
  private let sandbox: Sandbox
  private static let excerpt = Sandbox.project + "/Benchmarks/reference/excerpt.txt"

  init() throws { sandbox = try Sandbox() }

  private func run(_ arguments: String..., input: String = "") throws -> BuiltCommand.Result {
    try BuiltCommand.run(["perplexity"] + arguments, in: sandbox, input: input)
  }

  private func report(_ result: BuiltCommand.Result) throws -> PerplexityReport {
    expectEqual(result.status, 0, Comment(rawValue: result.error))
    return try JSONDecoder().decode(PerplexityReport.self, from: Data(result.output.utf8))
  }

  @Test func theDefaultsAreTheWholeContextAndHalfOfItAsStride() throws {
    let result = try run(Self.excerpt)
    expectEqual(result.status, 0, Comment(rawValue: result.error))
    expectContains(
      result.output, "2107 tokens, 4895 bytes, 1 not scored; windows of 256, a new one every 128")
    #expect(result.output.contains("3.0650") && result.output.contains("1.9034"))
    #expect(result.errorLines.count == 1 && result.error.contains("tiny model"))
  }

  @Test func severalVariantsAgreeAndStandardInputIsReadOnce() throws {
    let text = try String(contentsOfFile: Self.excerpt, encoding: .utf8)
    let found = try report(
      run(
        "-", "--variants", "simd8,packed,kv-cache", "--stride", "256", "--whole-windows", "--format", "json",
        "--model", sandbox.tinyModel, "--quiet", input: text))
    #expect(found.text == "standard input" && found.stride == 256 && found.wholeWindows)
    expectEqual(found.tokens, 2108)
    expectEqual(found.scoredTokens, 2048)
    expectEqual(found.scoredBytes, 4755)
    expectEqual(found.results.map(\.variant), ["simd8", "kv-cache", "packed"])
    for result in found.results {
      #expect(abs(result.natsPerToken - 3.087725282) < 1e-6)
      #expect(abs(result.perplexity - exp(result.natsPerToken)) < 1e-9 && result.tokensPerSecond > 0)
    }
    try expectEqual(report(run("--format", "json", input: "To be")).text, "standard input")
  }

  /// Through several blocks of the reader.
  @Test func aTextOfManyBlocksIsScoredWhole() throws {
    let line = "First Citizen: we are accounted poor citizens.\n"
    try sandbox.file("long.txt", String(repeating: line, count: 800))
    let found = try report(
      run("long.txt", "--stride", "256", "--format", "json", "--model", sandbox.tinyModel))
    expectEqual(found.scoredTokens, found.tokens - 1)
    expectEqual(found.scoredBytes, line.utf8.count * 800 - "First".utf8.count)
  }

  @Test func whatCannotBeScoredIsNamed() throws {
    func expectError(_ says: String, _ arguments: String..., input: String = "") throws {
      let result = try BuiltCommand.run(["perplexity", "--quiet"] + arguments, in: sandbox, input: input)
      expectEqual(result.status, 1)
      expectEqual(result.output, "")
      #expect(result.error.contains(says) && result.errorLines.count == 1, Comment(rawValue: result.error))
    }
    try sandbox.file("empty.txt", "")
    try Data([0x61, 0x62, 0xFF, 0x63]).write(to: URL(fileURLWithPath: sandbox.path("bytes")))
    try expectError("empty.txt: found 0 tokens, expected at least 2", "empty.txt")
    try expectError("standard input: found 1 token, expected at least 2", input: "a")
    try expectError(
      "standard input: found 3 tokens, expected at least 257 for a whole window", "--whole-windows",
      input: "a b c")
    try expectError("bytes: found byte 0xFF at offset 2, expected UTF-8 text", "bytes")
    try expectError("none.txt: no such file", "none.txt")
    try expectError("\(sandbox.work): is a folder", sandbox.work)
    try expectError("there is no folder", "empty.txt", "--out", "none/x.md")
  }

  @Test func wrongArgumentsAreUsageErrors() throws {
    for (arguments, says) in [
      (["--context", "257"], "--context: found '257'"),
      (["--context", "8", "--stride", "9"], "--stride: found '9'"),
      (["--stride", "0"], "--stride: found '0'"), (["--format", "xml"], "--format: found 'xml'"),
      (["--variants", "naive", "--variant", "naive"], "--variants: found --variant too"),
      (["--model", "synthetic:tiny"], "has no tokenizer"),
    ] {
      let result = try BuiltCommand.run(["perplexity", Self.excerpt] + arguments, in: sandbox)
      #expect(result.status == 2 && result.error.contains(says), Comment(rawValue: result.error))
    }
  }
}
