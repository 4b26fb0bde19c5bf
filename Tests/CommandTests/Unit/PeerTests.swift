import Foundation
import GPT2Kernels
import TestSupport
import Testing

@testable import gpt2_bench

struct PeerTests {
  private func message(_ texts: String...) throws -> String {
    try #require(throws: UsageError.self) { try Peer.all(texts) }.description
  }

  @Test func aCommandIsAProgramAndItsArguments() throws {
    let peer = try Peer("py-2.0=sh -c 'a=b c' \"\"")
    expectEqual(peer.name, "py-2.0")
    expectEqual(peer.command, "sh -c 'a=b c' \"\"")
    expectEqual(peer.executable, "sh")
    expectEqual(peer.arguments, ["-c", "a=b c", ""])
    try expectEqual(Peer("a=/bin/sh").executable, "/bin/sh")
  }

  @Test func mistakesNameWhatWasFoundAndWhatWasExpected() throws {
    #expect(
      try message("sh").hasSuffix("found 'sh', expected NAME=COMMAND, for example llama='python3 llama.py'"))
    try expectContains(message("=sh"), "expected a name of letters, digits")
    try expectContains(message("a b=sh"), "expected a name of letters, digits")
    try expectContains(message("a|b=sh"), "expected a name of letters, digits")
    for variant in ["kv-cache", "blas"] {
      #expect(try message("\(variant)=sh").hasSuffix("expected a name that no variant has"))
    }
    #expect(
      try message("a=sh", "b=sh", "a=cat").hasSuffix(
        "found 'a=cat', expected a name that no other contestant has"))
    #expect(try message("a=").hasSuffix("expected a command after the '='"))
    #expect(try message("a=''").hasSuffix("expected a command after the '='"))
    #expect(try message("a=sh 'x").hasSuffix("expected a single quote that is closed"))
    try expectContains(message("a=./none x"), "a: found no program './none', expected one in PATH")
    try expectContains(message("a=/"), "a: found no program '/'")
  }

  @Test func programsRunOnceForEachThreadCountBehindTheVariants() throws {
    let plans = Contestant.all([.oracle], peers: try Peer.all(["a=sh", "b=cat"]), threads: [1, 2])
    expectEqual(plans.map(\.name), ["naive", "a t1", "a t2", "b t1", "b t2"])
    expectEqual(plans.map(\.label), ["naive", "a", "a", "b", "b"])
    expectEqual(plans.map(\.decoding), [.recompute, .cache, .cache, .cache, .cache])
    expectEqual(plans.map(\.weights), ["f32", "", "", "", ""])
    #expect(plans[1] != plans[2])
  }
}

struct AnswerRulesTests {
  private let plan = Contestant(kind: .variant(.oracle), threads: 1)
  private let request = RunRequest(prompts: [[1, 2], [3, 4]], tokens: 2)

  private func load(
    nanoseconds: Int? = 5, threads: Int = 1, baseline: Int? = 7, decoding: String? = nil
  ) -> LoadAnswer {
    LoadAnswer(
      loadNanoseconds: nanoseconds, wasCold: nil, threads: threads, weights: nil, version: nil,
      baselineBytes: baseline, decoding: decoding)
  }

  private func answer(
    elapsed: Double = 100, iterations: Int = 1, prefill: Int? = 40, times: [Int] = [50, 90],
    ids: [[Int]] = [[1, 2], [3, 4]]
  ) -> RunAnswer {
    RunAnswer(
      elapsedNanoseconds: elapsed, iterations: iterations, prefillNanoseconds: prefill,
      tokenNanoseconds: times, ids: ids)
  }

  private func field(_ answer: RunAnswer) throws -> String? {
    do {
      try answer.check(against: request, vocabulary: 9, of: "x")
      return nil
    } catch let error as InvalidAnswer {
      return error.description.split(separator: ":")[2].trimmingCharacters(in: .whitespaces)
    }
  }

  @Test func loadsThatCannotBeAreRefused() throws {
    try expectEqual(load().checked(against: plan), .recompute)
    try expectEqual(load(nanoseconds: nil, baseline: nil).checked(against: plan), .recompute)
    try expectEqual(load(decoding: "cache").checked(against: plan), .cache)
    for wrong in [
      load(nanoseconds: 0), load(nanoseconds: .max), load(threads: 2), load(baseline: -1),
      load(baseline: .max),
      load(decoding: "guess"),
    ] {
      #expect(throws: InvalidAnswer.self) { try wrong.checked(against: plan) }
    }
  }

  @Test func memoryThatCannotBeIsRefused() throws {
    for bytes in [nil, 1, 1 << 20] { try MemoryAnswer(peakBytes: bytes).check(of: "x") }
    for bytes in [0, -1, .max, .min] {
      let error = #expect(throws: InvalidAnswer.self) { try MemoryAnswer(peakBytes: bytes).check(of: "x") }
      expectEqual(error?.description.hasPrefix("x: memory: peakBytes: found \(bytes), expected a size"), true)
    }
  }

  @Test func runsThatCannotBeAreRefused() throws {
    try expectNil(field(answer()))
    try expectNil(field(answer(prefill: nil)))
    try expectNil(field(answer(times: [50, 50])))
    for elapsed in [0, -1, Double.nan, .infinity, 1e300] {
      try expectEqual(field(answer(elapsed: elapsed)), "elapsedNanoseconds")
    }
    try expectEqual(field(answer(iterations: 0)), "iterations")
    for prefill in [0, -1, 101, .max] {
      try expectEqual(field(answer(prefill: prefill)), "prefillNanoseconds")
    }
    for times in [[], [50], [50, 90, 95], [0, 90], [-5, 90], [90, 50], [50, 101], [50, .max]] {
      try expectEqual(field(answer(times: times)), "tokenNanoseconds")
    }
    var counted = answer()
    counted.counters = ["instructions": 0, "somethingElse": 7]
    counted.countersShare = 1
    try expectNil(field(counted))
    counted.counters?["cycles"] = -1
    try expectEqual(field(counted), "counters.cycles")
    counted.counters = nil
    for share in [0, -1, 1.1, Double.nan] {
      counted.countersShare = share
      try expectEqual(field(counted), "countersShare")
    }
    for ids in [
      [], [[1, 2]], [[1, 2], [3]], [[1, 2], [3, 4], [5, 6]], [[1, 2], [3, -1]], [[1, 9], [3, 4]],
      [[.max, 2], [3, 4]],
    ] {
      try expectEqual(field(answer(ids: ids)), "ids")
    }
  }
}
