import Foundation
import GPT2Model
import Record
import Reporting
import TestSupport
import Testing

@testable import gpt2_bench

struct SuiteTests {
  private let sandbox: Sandbox
  private let project: gpt2_bench.Project

  init() throws {
    sandbox = try Sandbox()
    project = try Project()
  }

  private func suite(_ json: String) throws -> gpt2_bench.Suite {
    try gpt2_bench.Suite(sandbox.file("mine.json", json), in: project)
  }

  @Test func aSuiteIsItsFile() throws {
    let suite = try suite(
      """
      {"summary": "s", "prefill": [8, 16], "decode": [{"tokens": 4, "depth": 2}], "repetitions": 3,
       "cellBudgetSeconds": 1.5}
      """)
    #expect(suite.name == "mine")
    #expect(suite.repetitions == 3)
    #expect(suite.cellBudgetSeconds == 1.5)
    #expect(
      suite.tests == [
        .prefill(tokens: 8, batch: 1), .prefill(tokens: 16, batch: 1), .decode(tokens: 4, depth: 2, batch: 1),
      ])
  }

  @Test func theProjectsSuitesCanBeRead() throws {
    let suites = gpt2_bench.Suite.all(in: project)
    #expect(suites.map(\.name).contains("quick"))
    #expect(suites.map(\.name).contains("full"))
    try expectEqual(gpt2_bench.Suite("quick", in: project), suites.first { $0.name == "quick" })
  }

  @Test func anUnknownNameNamesTheKnownOnes() throws {
    let error = try #require(throws: UsageError.self) { try gpt2_bench.Suite("quik", in: project) }
    expectEqual(
      error.description,
      "--suite: found 'quik', expected one of compare, full, quick, or a suite's file; did you mean 'quick'?"
    )
  }

  @Test(
    arguments: [
      ("zzz", "not valid JSON at the file"),
      ("{}", "summary: found nothing, expected a value"),
      (
        #"{"summary": "s", "prefill": ["a"], "decode": [], "repetitions": 1, "cellBudgetSeconds": 1}"#,
        "prefill[0]: found another type, expected Int"
      ),
      (
        #"{"summary": "s", "prefill": [], "decode": [{"tokens": 2}], "repetitions": 1, "cellBudgetSeconds": 1}"#,
        "decode[0].depth: found nothing, expected a value"
      ),
      (
        #"{"summary": "s", "prefill": null, "decode": [], "repetitions": 1, "cellBudgetSeconds": 1}"#,
        "prefill: found null, expected Array<Any>"
      ),
    ])
  func malformedFilesNameTheField(_ json: String, _ problem: String) throws {
    let error = try #require(throws: ModelError.self) { try suite(json) }
    expectEqual(error.description, "\(sandbox.path("mine.json")): \(problem)")
  }

  @Test(
    arguments: [
      ("[0]", "[]", "1", "1"), ("[-8]", "[]", "1", "1"), ("[]", "[]", "1", "1"), ("[8]", "[]", "0", "1"),
      ("[8]", "[]", "1", "0"), ("[8]", "[]", "1", "-1"), ("[8]", "[]", "1", "1e300"),
      ("[]", #"[{"tokens": 1, "depth": 4}]"#, "1", "1"), ("[]", #"[{"tokens": 4, "depth": 0}]"#, "1", "1"),
    ])
  func sizesThatMeanNothingAreRefused(
    _ prefill: String, _ decode: String, _ repetitions: String, _ budget: String
  ) throws {
    let error = try #require(throws: RunError.self) {
      try suite(
        #"{"summary": "s", "prefill": \#(prefill), "decode": \#(decode), "repetitions": \#(repetitions), "#
          + #""cellBudgetSeconds": \#(budget)}"#)
    }
    expectContains(
      error.description, "mine.json: found a size that is not positive",
      "expected positive sizes, at least one cell")
  }
}
