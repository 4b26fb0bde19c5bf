import Foundation
import Record
import Reporting
import TestSupport
import Testing

/// `explain`: what it refuses, and what it says of stored profiles. Profiling itself is measured where a model runs.
struct ExplainTests {
  private let sandbox: Sandbox

  init() throws { sandbox = try Sandbox() }

  private func expectRefusal(
    _ status: Int32, _ arguments: [String], _ parts: String..., location: SourceLocation = #_sourceLocation
  ) throws {
    let result = try BuiltCommand.run(["explain"] + arguments, in: sandbox)
    let call = Comment(rawValue: arguments.joined(separator: " "))
    #expect(result.status == status, call, sourceLocation: location)
    #expect(result.output == "", call, sourceLocation: location)
    #expect(result.errorLines.count == 1, call, sourceLocation: location)
    for part in parts {
      #expect(result.error.contains(part), "\(call): \(result.error)", sourceLocation: location)
    }
  }

  /// A record with decode profiles of two variants: `slow` takes `factor` times as long in its MLP.
  private func record(factor: Double, model: String = "tiny", channels: Int = 64) throws -> Record {
    let text = """
      {"schema": 1, "kind": "end-to-end", "command": ["gpt2-bench"], "started": "2026-01-02T03:04:05Z",
       "isComplete": true, "warnings": [], "correctness": [], "cells": [],
       "model": {"name": "\(model)", "layers": 1, "heads": 4, "channels": \(channels), "vocabulary": 512,
        "context": 128, "parameters": 1000, "weightBytes": 4000, "hasTokenizer": false},
       "machine": {"cpu": "CPU", "flags": [], "logicalCores": 2, "caches": [], "system": "Linux"},
       "build": {"version": "0.1.0", "compiler": "Swift", "configuration": "release", "cpuFlag": "-march=native",
        "vectorBits": 256},
       "settings": {"repetitions": 1, "cellBudgetSeconds": 1, "seed": 1},
       "ceilings": [{"threads": 1, "fmaGFLOPS": 100, "dramGBPerSecond": 10}],
       "profiles": [\(profile("fast", 1)), \(profile("slow", factor))]}
      """
    try sandbox.file("made.json", text)
    return try Record.read(path: sandbox.path("made.json"))
  }

  private func profile(_ variant: String, _ factor: Double) -> String {
    let passes = (0..<5).map { "\((900 + 100 * factor) * (1 + 0.001 * Double($0)) * 1000)" }
    return """
      {"variant": "\(variant)", "weights": "f32", "threads": 1, "stage": "decode", "tokens": 16,
       "passNanoseconds": [\(passes.joined(separator: ", "))], "keptPasses": 3,
       "wallNanoseconds": \((900 + 100 * factor) * 3000), "threadTimes": [],
       "entries": [
        {"phase": "qkv", "layer": 0, "calls": 3, "nanoseconds": 2700000, "waitNanoseconds": 0, "flops": 3000000,
         "streamedBytes": 6000000, "activationBytes": 3000},
        {"phase": "mlp-up", "layer": 0, "calls": 3, "nanoseconds": \(300_000 * factor), "waitNanoseconds": 0,
         "flops": 3000000, "streamedBytes": 600000, "activationBytes": 3000}]}
      """
  }

  @Test func operandsThatAreNone() throws {
    try expectRefusal(2, ["packed"], "operand is missing", "explain A B")
    try expectRefusal(2, ["packed", "packed"], "found packed twice, expected two things to tell apart")
    try expectRefusal(2, ["packed", "fast"], "found 'fast'", "naive, unrolled8", "RECORD:VARIANT")
    try expectRefusal(2, ["packed", "niave"], "found 'niave'", "did you mean 'naive'?")
    try expectRefusal(2, ["none.json", "packed"], "found 'none.json'", "gpt2-bench, or a record.json")
    try expectRefusal(2, ["none.json:packed", "packed"], "found 'none.json:packed'")
    try expectRefusal(
      2, ["naive", "packed", "--stage", "train"], "--stage: found 'train'", "prefill, decode")
    try expectRefusal(
      2, ["naive", "packed", "--format", "xml"], "--format: found 'xml'", "text, md, csv, json, html")
    try expectRefusal(2, ["naive", "packed", "-t", "0"], "-t: found '0'")
    try expectRefusal(
      2, ["naive", "packed", "--variant", "packed"], "--variant: found 'packed'", "a build or a record")
    let tiny = ["naive", "packed", "--model", "synthetic:tiny"]
    try expectRefusal(2, tiny + ["-n", "1"], "-n: found '1'", "from 2 to 128")
    try expectRefusal(2, tiny + ["-d", "129"], "-d: found '129'", "from 1 to 128")
    try expectRefusal(2, tiny + ["-d", "120", "-n", "16"], "tg16 @ d120", "at most 129")
    try expectRefusal(1, tiny + ["--out", "no/folder.md"], "no/folder.md", "there is no folder")
  }

  @Test func recordsThatDoNotFit() throws {
    try sandbox.file("bad.json", "{")
    try expectRefusal(1, ["bad.json", "packed"], "bad.json: not JSON")
    var record = try record(factor: 2)
    try record.write(to: sandbox.path("a.json"))
    try expectRefusal(2, ["a.json:fast", "./a.json:fast"], "found a.json:fast twice")
    try expectRefusal(2, ["a.json", "a.json:slow"], "a.json: found no variant", "a.json:fast with -t 1")
    try expectRefusal(2, ["a.json:packed", "a.json:slow"], "a.json: found 'packed'", "a.json:slow with -t 1")
    try expectRefusal(2, ["a.json:fast", "a.json:slow", "-d", "16"], "-d: found two records")
    try expectRefusal(
      1, ["a.json:fast", "a.json:slow", "--stage", "prefill"], "decode after 16 tokens", "of prefill")
    try expectRefusal(
      1, ["a.json:fast", "packed", "--model", "synthetic:tiny"], "a.json: found profiles of tiny")
    record.model?.channels = 128
    try record.write(to: sandbox.path("b.json"))
    try expectRefusal(1, ["a.json:fast", "b.json:slow"], "b.json: found profiles of tiny", "as in a.json")
    record.profiles = nil
    try record.write(to: sandbox.path("c.json"))
    try expectRefusal(1, ["a.json:fast", "c.json"], "c.json: holds no profiles")
  }

  @Test func storedProfilesAreExplained() throws {
    try record(factor: 11).write(to: sandbox.path("a.json"))
    let text = try BuiltCommand.run(["explain", "a.json:fast", "a.json:slow"], in: sandbox)
    expectEqual(text.status, 0)
    #expect(
      text.output.hasPrefix("a.json:slow takes 2.00 × as long as a.json:fast at decode after 16 tokens"))
    expectContains(text.output, "100 % from slower work in MLP")
    #expect(text.output.split(separator: "\n").allSatisfy { $0.count <= 100 })
    let csv = try BuiltCommand.run(
      ["explain", "a.json:fast", "a.json:slow", "--format", "csv", "--out", "e.csv"], in: sandbox)
    expectEqual(csv.status, 0)
    let rows = try CSVRows(try sandbox.text("e.csv"))
    #expect(rows.columns.contains("by_rate_ns_per_pass"))
    expectEqual(rows.count, 5)
    let json = try BuiltCommand.run(
      ["explain", "a.json:slow", "a.json:fast", "--format", "json"], in: sandbox)
    expectContains(json.output, "\"outcome\" : \"faster\"")
  }

  @Test func whatIsWithinTheNoiseIsInconclusive() throws {
    try record(factor: 1).write(to: sandbox.path("a.json"))
    let result = try BuiltCommand.run(["explain", "a.json:fast", "a.json:slow"], in: sandbox)
    expectEqual(result.status, 5)
    expectContains(result.output, "cannot be told apart")
    #expect(!result.output.contains("by rate"))
  }
}
