import Record
import TestSupport
import Testing

@testable import gpt2_bench

struct DefaultsFileTests {
  private let sandbox: Sandbox

  init() throws { sandbox = try Sandbox() }

  private func generate(_ more: String...) throws -> BuiltCommand.Result {
    try BuiltCommand.run(["generate", "ROMEO:", "--model", sandbox.tinyModel] + more, in: sandbox)
  }

  @Test func theCommandLineComesFirst() throws {
    let text = #"{"generate": {"n": 3, "print-ids": true, "stop": ["nowhere", "never"]}, "run": {"n": 5}}"#
    try sandbox.file("own.json", text)
    try expectEqual(generate("--config", "own.json").output, generate("-n", "3", "--print-ids").output)
    try expectEqual(
      generate("--config", "own.json", "-n", "2").output, generate("-n", "2", "--print-ids").output)
  }

  @Test func theProjectsFileIsReadUnlessNoneIsWanted() throws {
    try sandbox.file("../home/\(DefaultsFile.name)", #"{"generate": {"n": 3}}"#)
    try expectEqual(generate().output, generate("-n", "3").output)
    #expect(try generate("--config", "none", "-n", "4").output != generate().output)
  }

  @Test func aRecordsCommandHoldsThem() throws {
    try sandbox.file("own.json", #"{"matmul": {"size": "5x7", "r": 2, "t": [1, 2], "budget": 0.2}}"#)
    let words = [
      "matmul", "--variants", "threaded", "--config", "own.json", "--format", "json", "--out", "r.json",
    ]
    let result = try BuiltCommand.run(words, in: sandbox)
    expectEqual(result.status, 0, Comment(rawValue: result.error))
    let record = try Record.read(path: sandbox.path("r.json"))
    expectEqual(Set(record.cells.map(\.threads)), [1, 2])
    expectEqual(
      record.command,
      ["gpt2-bench", "matmul", "--budget=0.2", "-r=2", "--size=5x7", "-t=1,2"] + words.dropFirst())
  }

  @Test(arguments: [
    ("{", 1, "own.json: expected an object for each subcommand"),
    (#"{"generate": 3}"#, 1, "own.json: generate: expected an object for each subcommand"),
    (#"{"generate": {"n": {}}}"#, 1, "own.json: generate.n: expected an object for each subcommand"),
    (#"{"genrate": {}}"#, 1, "own.json: genrate: no such subcommand, expected one of all, chat"),
    (#"{"generate": {"tokens": 3}}"#, 1, "own.json: generate.tokens: no such option"),
    (#"{"generate": {"n": true}}"#, 1, "own.json: generate.n: found true, expected N"),
    (#"{"generate": {"print-ids": 1}}"#, 1, "own.json: generate.print-ids: found 1, expected true or false"),
    (#"{"generate": {"n": "many"}}"#, 2, "-n: found 'many', expected a whole number"),
    (#"{"generate": {"n": "many"}}"#, 2, "(with -n=many of own.json)"),
  ])
  func whatIsWrongIsNamed(_ text: String, _ status: Int32, _ message: String) throws {
    try sandbox.file("own.json", text)
    let result = try generate("--config", "own.json")
    #expect(result.status == status && result.output.isEmpty)
    expectContains(result.error, message)
  }
}
