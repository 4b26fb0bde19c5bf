import Files
import Foundation
import Record
import Reporting
import TestSupport
import Testing

@testable import gpt2_bench

/// `--kv bf16` from the command line to the record, on the tiny trained model.
struct NarrowCacheTests {
  private let sandbox: Sandbox

  init() throws { sandbox = try Sandbox() }

  private func run(_ arguments: String...) throws -> BuiltCommand.Result {
    try BuiltCommand.run(arguments + ["--model", sandbox.tinyModel], in: sandbox)
  }

  private func done(_ result: BuiltCommand.Result) -> BuiltCommand.Result {
    expectEqual(result.status, 0, Comment(rawValue: result.error))
    return result
  }

  /// A row of its own beside float32's, under its own name, with half the bytes of keys and values.
  @Test func aRunMeasuresBothCaches() throws {
    _ = done(
      try run(
        "run", "-p", "9", "-n", "4", "-d", "5", "--variants", "packed,packed+kv-bf16", "-t", "1,2", "-r",
        "1", "--out", "o"))
    let record = try Record.read(path: sandbox.path("o/record.json"))
    let cells = Dictionary(grouping: record.cells, by: \.variant)
    expectEqual(cells.keys.sorted(), ["packed", "packed+kv-bf16"])
    let (wide, narrow) = try (#require(cells["packed"]), #require(cells["packed+kv-bf16"]))
    #expect(narrow.count == 4 && narrow.allSatisfy { $0.status == .measured && $0.weights == "f32" })
    #expect(narrow.allSatisfy { $0.cache == "bf16" } && wide.allSatisfy { $0.cache == nil })
    for (a, b) in zip(wide, narrow) {
      expectEqual(a.test, b.test)
      expectEqual(a.flops, b.flops)
      try expectEqual(#require(a.cacheBytes), 2 * #require(b.cacheBytes))
      #expect(try #require(a.bytes) > #require(b.bytes))
    }
    // It is held to limits of quality, and its tokens to its own on the other number of threads.
    let rows = record.correctness.filter { $0.variant == "packed+kv-bf16" }
    #expect(rows.allSatisfy { $0.passed })
    #expect(try #require(rows.compactMap(\.kl).max()) > 0)
    #expect(record.correctness.filter { $0.variant == "packed" }.allSatisfy { $0.kl == nil })
    #expect(rows.contains { $0.reference == "timed tokens, as packed+kv-bf16 t1's" })
    let profiles = try #require(record.profiles).filter { $0.variant == "packed+kv-bf16" }
    #expect(!profiles.isEmpty && profiles.allSatisfy { $0.cache == "bf16" })

    let llama = done(
      try BuiltCommand.run(["report", "o/record.json", "--format", "llama-bench"], in: sandbox))
    // `type_k` and `type_v`
    #expect(llama.output.contains(#","f32","f32","#) && llama.output.contains(#","bf16","bf16","#))
    let page = done(try BuiltCommand.run(["report", "o/record.json", "--format", "html"], in: sandbox))
    #expect(page.output.contains("Speed against quality") && page.output.contains("packed+kv-bf16"))
  }

  @Test func theCheckHoldsItToTheLimitsOfBF16() throws {
    let result = done(try run("check", "--variants", "packed,int8", "--kv", "bf16", "-t", "1"))
    let rows = result.output.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
    #expect(rows[0].contains("KL") && rows[0].contains("Δppl"))
    expectEqual(Set(rows.dropFirst().map { $0[0] }), ["packed+kv-bf16", "int8+kv-bf16"])
    #expect(rows.dropFirst().allSatisfy { $0.last == "pass" })
    let text = try #require(rows.first { $0[0] == "packed+kv-bf16" && $0[1] == "text" })
    #expect(abs(try #require(Double(text[3]))) < 0.1)
  }

  @Test func textAndPerplexityAndProfileTakeIt() throws {
    let both = done(
      try run("generate", "ROMEO:", "-n", "24", "--variants", "packed,packed+kv-bf16", "-t", "1"))
    #expect(both.output.contains("== packed\n") && both.output.contains("== packed+kv-bf16\n"))
    let alone = done(
      try run("generate", "ROMEO:", "-n", "24", "--kv", "bf16", "--format", "json", "-t", "1"))
    expectContains(alone.output, "\"packed+kv-bf16\"")

    let excerpt = Sandbox.project + "/Benchmarks/reference/excerpt.txt"
    func nats(_ cache: String, of variant: String) throws -> Double {
      let read = done(
        try run("perplexity", excerpt, "--kv", cache, "--stride", "256", "--format", "json", "--quiet"))
      let found = try JSONDecoder().decode(PerplexityReport.self, from: Data(read.output.utf8)).results[0]
      expectEqual(found.variant, variant)
      return found.natsPerToken
    }
    let (exact, narrow) = (try nats("f32", of: "packed"), try nats("bf16", of: "packed+kv-bf16"))
    #expect(abs(exact - 3.09196478) < 1e-6)
    #expect(narrow != exact && (1e-9..<1e-3).contains(abs(narrow - 3.09196478)))

    let profile = done(
      try run(
        "profile", "--kv", "bf16", "-p", "9", "-n", "2", "--budget", "0.2", "-t", "1", "--format", "json"))
    expectContains(profile.output, "\"packed+kv-bf16\"")
  }

  @Test func whatHasNoSuchCacheIsRefused() throws {
    for (arguments, text) in [
      (["generate", "a", "--variant", "naive", "--kv", "bf16"], "expected f32 with naive: only packed, "),
      (["run", "-p", "8", "--variants", "packed,kv-cache", "--kv", "bf16"], "expected f32 with kv-cache"),
      (["check", "--kv", "int8"], "--kv: found 'int8', expected one of f32, bf16"),
      (["profile", "--variant", "naive+kv-bf16"], "'naive+kv-bf16'"),
    ] {
      let result = try BuiltCommand.run(arguments, in: sandbox)
      expectEqual(result.status, 2)
      expectEqual(result.errorLines.count, 1)
      expectContains(result.error, text, comment: Comment(rawValue: result.error))
    }
    let list = done(try BuiltCommand.run(["list", "variants"], in: sandbox)).output
    #expect(list.contains("; with --kv bf16: packed+kv-bf16") && !list.contains("\npacked+kv"))
  }

  /// The registry resolves the name, so a worker needs no word for the cache.
  @Test func aWorkerTakesTheName() throws {
    let load =
      #"{"id":1,"operation":"load","payload":{"variant":"packed+kv-bf16","threads":2,"cold":false,"model":"synthetic:tiny"}}"#
    let result = try BuiltCommand.run(["worker"], in: sandbox, input: load + "\n")
    expectContains(result.output, ", packed+kv-bf16\"")
    let fixed = try BuiltCommand.run(
      ["worker", "--kv", "bf16"], in: sandbox,
      input: load.replacing("packed+kv-bf16", with: "naive") + "\n")
    expectContains(fixed.output, ", packed+kv-bf16\"")
  }
}
