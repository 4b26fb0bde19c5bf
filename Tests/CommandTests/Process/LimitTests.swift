import Foundation
import TestSupport
import Testing

/// A system that gives no more: an error in a line, nothing left half-made.
struct LimitTests {
  private let sandbox: Sandbox

  init() throws { sandbox = try Sandbox() }

  private func run(_ arguments: [String], limit: String) throws -> BuiltCommand.Result {
    try BuiltCommand.run(
      arguments, in: sandbox, environment: ["TMPDIR": sandbox.folder("tmp"), "SWIFT_BACKTRACE": "enable=no"],
      limit: limit)
  }

  private var measuring: [String] {
    [
      "run", "-p", "4", "--model", sandbox.tinyModel, "--variants", "naive,packed", "-t", "1", "-r", "2",
      "--budget",
      "0.1", "--out", "o",
    ]
  }

  private func expectOneError(_ result: BuiltCommand.Result, _ reason: String? = nil) {
    expectEqual(result.status, 1, Comment(rawValue: result.error))
    let errors = result.errorLines.filter { $0.hasPrefix("gpt2-bench: ") }
    #expect(errors.count <= 1)
    if let reason { expectContains(errors.joined(), reason) }
    #expect(!sandbox.contents.contains { $0.split(separator: "/").last?.hasPrefix(".") == true })
  }

  @Test func filesThatMayNotGrow() throws {
    let result = try run(measuring, limit: "-f 1")
    expectOneError(result, "o/record.json: cannot be written: file too large; the record is lost: ")
    expectEqual(sandbox.contents, ["o", "tmp"])
    for arguments in [
      ["logits", "--ids", "1 2 3", "--model", sandbox.tinyModel, "--out", "l.npy"],
      ["export", "--model", sandbox.tinyModel, "--format", "seed", "--out", "m.bin"],
    ] {
      expectOneError(try run(arguments, limit: "-f 1"), "cannot be written: file too large")
    }
    expectEqual(sandbox.contents, ["o", "tmp"])
  }

  /// Enough to start with, and for no worker, or for some.
  @Test(arguments: [4, 5, 7, 9, 12])
  func fewFilesMayBeOpen(_ count: Int) throws {
    expectOneError(try run(measuring, limit: "-n \(count)"))
    try expectEqual(BuiltCommand.run(["list", "suites"], in: sandbox, limit: "-n \(count)").status, 0)
  }
}
