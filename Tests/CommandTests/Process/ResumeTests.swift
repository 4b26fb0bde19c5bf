import Foundation
import Record
import TestSupport
import Testing

/// `run --resume`: what an incomplete record lacks is measured, and nothing else.
struct ResumeTests {
  private let sandbox: Sandbox

  init() throws { sandbox = try Sandbox() }

  private var path: String { sandbox.path("o/record.json") }

  private func run(_ arguments: [String]) throws -> BuiltCommand.Result {
    try BuiltCommand.run(arguments, in: sandbox)
  }

  /// A whole run of two variants and two tests.
  private func measured(_ command: String = "run") throws -> Record {
    try sandbox.file("tiny.json", Suites.tiny)
    let cells =
      command == "run"
      ? ["-p", "8", "-n", "4", "-d", "2", "-r", "3", "--budget", "1"] : ["--suite", "tiny.json"]
    let result = try run(
      [
        command, "--model", "synthetic:tiny", "--variants", "naive,kv-cache", "-t", "1", "--out", "o",
        "--reference",
        Sandbox.project + "/Benchmarks/reference/tiny-synthetic",
      ] + cells)
    expectEqual(result.status, 0, Comment(rawValue: result.error))
    return try Record.read(path: path)
  }

  /// As if it had been killed when the second variant's second test was under way.
  private func endEarly(_ record: Record) throws -> Record {
    var record = record
    record.isComplete = false
    (record.finished, record.profiles, record.findings) = (nil, nil, nil)
    record.cells[3].status = .pending
    record.cells[3].samples.removeLast()
    try record.write(to: path)
    return record
  }

  @Test(arguments: ["run", "all"])
  func whatIsMissingIsMeasured(_ command: String) throws {
    let whole = try measured(command)
    let early = try endEarly(whole)
    let result = try run(["run", "--resume", "o/record.json"])
    expectEqual(result.status, 0, Comment(rawValue: result.error))
    let program = try BuiltCommand.executable()
    expectContains(BuiltCommand.joined(result.output), "o/report.html\nnext: \(program) ")
    let record = try Record.read(path: path)
    #expect(record.isComplete)
    expectEqual(record.command, whole.command)
    expectEqual(record.started, whole.started)
    for index in 0..<3 {
      expectEqual(record.cells[index].samples, early.cells[index].samples)
      expectEqual(record.cells[index].status, .measured)
    }
    let (cell, kept) = (record.cells[3], early.cells[..<3].flatMap(\.samples))
    expectEqual(cell.status, .measured)
    expectEqual(cell.samples.count, 3)
    let (round, sequence) = (kept.map(\.round).max() ?? 0, kept.map(\.sequence).max() ?? 0)
    expectEqual(cell.samples.map(\.round), [round + 1, round + 2, round + 3])
    expectEqual(cell.samples.map(\.sequence), [sequence + 1, sequence + 2, sequence + 3])
    expectEqual(Set(record.profiles?.map(\.variant) ?? []), ["naive", "kv-cache"])
    expectEqual(Set(record.correctness.map(\.variant)), ["naive", "kv-cache"])
    expectEqual(record.resumed?.count, 1)
    try expectContains(sandbox.text("o/report.md"), ": 3 of 4 cells were measured before that; ")
    let again = try run(["run", "--resume", "o/record.json"])
    expectEqual(again.status, 1)
    expectContains(again.error, "o/record.json: isComplete: found true, expected false")
  }

  @Test func anotherRunIsRefusedByField() throws {
    let early = try endEarly(try measured())
    let changes: [(field: String, change: (inout Record) -> Void)] = [
      ("machine.cpu: found Another", { $0.machine.cpu = "Another" }),
      ("build.version: found 9", { $0.build.version = "9" }),
      ("build.commit: found abc", { $0.build.commit = "abc" }),
      ("settings.seed: found 7", { $0.settings.seed = 7 }),
      ("model.parameters: found 5", { $0.model?.parameters = 5 }),
      ("cells: found naive t1 pp8, ", { $0.cells.removeLast() }),
      ("command: found matmul, expected all or run", { $0.command[1] = "matmul" }),
    ]
    for (field, change) in changes {
      var other = early
      change(&other)
      try other.write(to: path)
      let result = try run(["run", "--resume", "o/record.json"])
      expectEqual(result.status, 1)
      expectContains(result.error, "o/record.json: \(field)", comment: Comment(rawValue: result.error))
      try expectEqual(Record.read(path: path), other)
    }
    try early.write(to: path)
    let result = try run(["run", "--resume", "o/record.json", "-p", "4"])
    expectEqual(result.status, 2)
    expectContains(result.error, "-p: found --resume too")
  }
}
