import Foundation
import TestSupport
import Testing

/// Nothing that a worker is asked for ends it: what cannot be is refused in a line, and the next request is served.
struct WorkerRequestTests {
  /// Asks a worker that has loaded `synthetic:tiny`: a context of 128, a vocabulary of 512.
  private func answers(to payloads: [(operation: String, payload: String)]) throws -> [String] {
    let load = ("load", #"{"model":"synthetic:tiny","variant":"packed","threads":1,"cold":false}"#)
    let lines = ([load] + payloads).enumerated().map { number, request in
      #"{"id":\#(number),"operation":"\#(request.0)","payload":\#(request.1)}"# + "\n"
    }
    let result = try BuiltCommand.run(["worker", "packed"], in: Sandbox(), input: lines.joined())
    expectEqual(result.status, 0, Comment(rawValue: result.error))
    return result.output.split(separator: "\n").dropFirst().map(String.init)
  }

  private func expectRefusals(_ operation: String, _ cases: [(payload: String, says: String)]) throws {
    let good = (
      operation: "run", payload: #"{"generation":{"prompts":[[1,2]],"tokens":2}}"#
    )
    let found = try answers(to: cases.map { (operation, $0.payload) } + [good])
    try #require(found.count == cases.count + 1)
    for (answer, wanted) in zip(found, cases) {
      expectContains(answer, #""ok":false"#, comment: "\(wanted.payload)")
      expectContains(answer, wanted.says, comment: "\(wanted.payload): \(answer)")
    }
    expectEqual(found.last?.contains(#""ok":true"#), true)
  }

  private static let sizes = "expected an integer in 1...2147483647"

  @Test func sizesOfOperationsHaveRanges() throws {
    let least = Int.min
    var cases = [
      (#"{"gemm":{"m":2,"k":0,"n":16}}"#, "request: gemm.k: found 0, \(Self.sizes)"),
      (#"{"gemm":{"m":-1,"k":8,"n":16}}"#, "request: gemm.m: found -1, \(Self.sizes)"),
      (#"{"gemm":{"m":1,"k":8,"n":2147483648}}"#, "request: gemm.n: found 2147483648, \(Self.sizes)"),
      (#"{"gemm":{"m":1,"k":8,"n":9223372036854775808}}"#, "not JSON"),
      (
        #"{"operation":{"attention":{"rows":2,"heads":2,"headSize":4,"depth":\#(least)}}}"#,
        "request: operation.attention.depth: found \(least), expected an integer in 0...2147483647"
      ),
    ]
    for (name, fields) in [
      ("layerNorm", ["rows", "channels"]), ("gelu", ["rows", "channels"]), ("softmax", ["rows", "heads"]),
      ("attention", ["rows", "heads", "headSize"]), ("embedding", ["rows", "channels", "vocabulary"]),
      ("sampling", ["vocabulary"]),
    ] {
      for field in fields {
        for value in [0, -1, .max, .min] {
          let others = ["rows", "heads", "headSize", "channels", "vocabulary"].filter { $0 != field }
            .map { "\"\($0)\":2" }
          let all = (others + ["\"depth\":2", "\"choice\":\"greedy\"", "\"\(field)\":\(value)"]).joined(
            separator: ",")
          cases.append(
            (
              "{\"operation\":{\"\(name)\":{\(all)}}}",
              "request: operation.\(name).\(field): found \(value), \(Self.sizes)"
            ))
        }
      }
    }
    try expectRefusals("run", cases)
    let checks = cases.map { payload, says in
      (
        payload.dropLast()
          + #","references":[],"scope":{"longestPrompt":1,"greedySteps":1},"oraclePrompts":[]}"#, says
      )
    }
    try expectRefusals("check", checks.map { (String($0.0), $0.1) })
  }

  /// Each size is one, and all of them together are more than any machine has.
  @Test func whatOutgrowsTheMachineIsRefused() throws {
    let most = Int32.max
    try expectRefusals(
      "run",
      [
        (#"{"gemm":{"m":\#(most),"k":\#(most),"n":\#(most)}}"#, "MiB, expected at most"),
        (
          #"{"operation":{"attention":{"rows":\#(most),"heads":\#(most),"headSize":\#(most),"depth":\#(most)}}}"#,
          "MiB, expected at most"
        ),
        (#"{"operation":{"softmax":{"rows":\#(most),"heads":\#(most),"depth":0}}}"#, "MiB, expected at most"),
        (#"{"operation":{"gelu":{"rows":\#(most),"channels":\#(most)}}}"#, "MiB, expected at most"),
        (#"{"operation":{"layerNorm":{"rows":\#(most),"channels":\#(most)}}}"#, "MiB, expected at most"),
        (
          #"{"operation":{"embedding":{"rows":\#(most),"channels":\#(most),"vocabulary":9}}}"#,
          "MiB, expected at most"
        ),
      ])
  }

  @Test func generationsHaveRanges() throws {
    let long = (0..<129).map { "\($0)" }.joined(separator: ",")
    try expectRefusals(
      "run",
      [
        (
          #"{"generation":{"prompts":[[1,2]],"tokens":-1}}"#,
          "request: generation.tokens: found -1, expected an integer in 1...127"
        ),
        (#"{"generation":{"prompts":[[1,2]],"tokens":0}}"#, "generation.tokens: found 0"),
        (#"{"generation":{"prompts":[[1,2]],"tokens":128}}"#, "generation.tokens: found 128"),
        (#"{"generation":{"prompts":[[1,2]],"tokens":\#(Int.max)}}"#, "generation.tokens: found \(Int.max)"),
        (#"{"generation":{"prompts":[],"tokens":1}}"#, "generation.prompts: found none"),
        (
          #"{"generation":{"prompts":[[1],[]],"tokens":1}}"#,
          "generation.prompts[1]: found 0 ids, expected 1 to 128"
        ),
        (#"{"generation":{"prompts":[[\#(long)]],"tokens":1}}"#, "generation.prompts[0]: found 129 ids"),
        (
          #"{"generation":{"prompts":[[1,-1]],"tokens":1}}"#,
          "generation.prompts[0][1]: found -1, expected an integer in 0...511"
        ),
        (#"{"generation":{"prompts":[[512]],"tokens":1}}"#, "generation.prompts[0][0]: found 512"),
      ])
  }

  @Test func allOtherNumbersHaveRanges() throws {
    func check(_ fields: String, scope: String = #"{"longestPrompt":1,"greedySteps":1}"#) -> String {
      #"{"references":[],"scope":\#(scope),"oraclePrompts":[]\#(fields)}"#
    }
    try expectRefusals(
      "check",
      [
        (check(#","batch":0"#), "request: batch: found 0"),
        (check(#","batch":-3"#), "request: batch: found -3"),
        (check(#","batch":2000000000"#), "sequences together need"),
        (check("", scope: #"{"longestPrompt":1,"greedySteps":-1}"#), "scope.greedySteps: found -1"),
        (check("", scope: #"{"longestPrompt":-1,"greedySteps":1}"#), "scope.longestPrompt: found -1"),
      ])
    try expectRefusals(
      "logits",
      [(#"{"ids":[],"out":"x.npy"}"#, "ids: found 0 ids"), (#"{"ids":[900],"out":"x.npy"}"#, "ids[0]")])
    func profile(_ ids: String, _ tokens: Int) -> String {
      #"{"promptTokens":\#(ids),"newTokens":\#(tokens),"measuresOverhead":false,"coversAllPositions":false}"#
    }
    try expectRefusals(
      "profile",
      [
        (profile("[]", 1), "promptTokens: found 0 ids"), (profile("[1]", 0), "newTokens: found 0"),
        (profile("[1]", 999), "newTokens: found 999, expected an integer in 1...128"),
      ])
    let loads = [0, -1, 257, Int.max].map { threads in
      (
        #"{"model":null,"variant":"packed","threads":\#(threads),"cold":false}"#,
        "request: threads: found \(threads), expected an integer in 1...256"
      )
    }
    try expectRefusals("load", loads)
  }
}
