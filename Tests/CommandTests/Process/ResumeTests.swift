import Foundation
import Record
import Testing

/// `run --resume`: what an incomplete record lacks is measured, and nothing else.
@Suite struct ResumeTests {
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
    #expect(result.status == 0, Comment(rawValue: result.error))
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
    #expect(result.status == 0, Comment(rawValue: result.error))
    let program = try BuiltCommand.executable()
    #expect(BuiltCommand.joined(result.output).contains("o/report.html\nnext: \(program) "))
    let record = try Record.read(path: path)
    #expect(record.isComplete)
    #expect(record.command == whole.command && record.started == whole.started)
    for index in 0..<3 {
      #expect(record.cells[index].samples == early.cells[index].samples)
      #expect(record.cells[index].status == .measured)
    }
    let (cell, kept) = (record.cells[3], early.cells[..<3].flatMap(\.samples))
    #expect(cell.status == .measured && cell.samples.count == 3)
    let (round, sequence) = (kept.map(\.round).max() ?? 0, kept.map(\.sequence).max() ?? 0)
    #expect(cell.samples.map(\.round) == [round + 1, round + 2, round + 3])
    #expect(cell.samples.map(\.sequence) == [sequence + 1, sequence + 2, sequence + 3])
    #expect(Set(record.profiles?.map(\.variant) ?? []) == ["naive", "kv-cache"])
    #expect(Set(record.correctness.map(\.variant)) == ["naive", "kv-cache"])
    #expect(record.resumed?.count == 1)
    #expect(try sandbox.text("o/report.md").contains(": 3 of 4 cells were measured before that; "))
    let again = try run(["run", "--resume", "o/record.json"])
    #expect(again.status == 1)
    #expect(again.error.contains("o/record.json: isComplete: found true, expected false"))
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
      #expect(result.status == 1)
      #expect(result.error.contains("o/record.json: \(field)"), Comment(rawValue: result.error))
      #expect(try Record.read(path: path) == other)
    }
    try early.write(to: path)
    let result = try run(["run", "--resume", "o/record.json", "-p", "4"])
    #expect(result.status == 2)
    #expect(result.error.contains("-p: found --resume too"))
  }
}
