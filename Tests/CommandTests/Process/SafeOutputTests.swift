import Files
import Foundation
import Record
import TestSupport
import Testing

/// What an argument or a file holds reaches a terminal as text of one line.
struct SafeOutputTests {
  private let sandbox: Sandbox

  init() throws { sandbox = try Sandbox() }

  /// - Parameter parts: what the line must hold.
  private func expectLine(
    _ status: Int32, _ arguments: [String], _ parts: String..., location: SourceLocation = #_sourceLocation
  ) throws {
    let result = try BuiltCommand.run(arguments, in: sandbox)
    #expect(result.status == status, sourceLocation: location)
    #expect(result.output == "", sourceLocation: location)
    #expect(result.error.unicodeScalars.dropLast().allSatisfy { $0.isSafe }, sourceLocation: location)
    #expect(result.error.hasSuffix("\n") && result.error.utf8.count <= 4000, sourceLocation: location)
    for part in parts { #expect(result.error.contains(part), "\(result.error)", sourceLocation: location) }
  }

  @Test func echoedArguments() throws {
    try expectLine(2, ["list", "a\nb"], "found 'a b'")
    try expectLine(2, ["compare", "--max-regres\u{1}"], "'--max-regres\\u{1}'")
    try expectLine(2, ["check", "\u{1B};j"], "'\\u{1B};j'")
    try expectLine(2, ["\u{202E}all"], "'\\u{202E}all'", "did you mean 'all'?")
    try expectLine(2, ["all", "--suite", "\u{85}\u{2028}s\u{9B}"], "expected one of")
    let long = String(repeating: "x", count: 5000)
    for arguments in [
      [long], ["--" + long], ["list", long], ["all", "--" + long], ["all", "--model", long], ["check", long],
      ["explain", long, "packed"], ["compare", "a", "b", "--max-regression", long],
    ] {
      try expectLine(2, arguments, "xxx…", "expected")
    }
    try expectLine(1, ["report", long], "xxx")
  }

  @Test func stringsOfRecords() throws {
    try sandbox.copy(Sandbox.project + "/Tests/CommandTests/Goldens/inputs/whole.json", to: "whole.json")
    let text = try sandbox.text("whole.json")
    func change(_ old: String, to new: String, in name: String) throws {
      let place = try #require(text.range(of: old))
      try sandbox.file(name, text.replacingCharacters(in: place, with: new))
    }
    try change("\"end-to-end\"", to: "\"\u{202E}\\u001b[2J\\n\"", in: "kind.json")
    try expectLine(
      1, ["report", "kind.json"], "kind.json: kind: found \"\\u{202E}\\u{1B}[2J", "expected one of")
    try change(
      "{", to: "{\"findings\": [{\"severity\": \"\u{202E}\", \"check\": \"\", \"text\": \"\"}],",
      in: "severity.json")
    try expectLine(1, ["report", "severity.json"], "severity: found \"\\u{202E}\"")
  }

  @Test func stringsOfAModel() throws {
    try sandbox.copy(sandbox.tinyModel, to: "m")
    let text = try sandbox.text("m/config.json")
    try sandbox.file(
      "m/config.json",
      text.replacingOccurrences(of: "gelu_new", with: "\u{202E}\\u001b[31m\\n\u{85}x"))
    try expectLine(
      1, ["logits", "--ids", "1", "--out", "l.npy", "--model", "m"],
      "m/config.json: activation_function: found \\u{202E}\\u{1B}[31m x, expected gelu_new")
  }

  /// The name of a model that is a path, and what another program says of itself.
  @Test func whatARunTellsOfOthers() throws {
    let peer = FakePeer(sandbox: sandbox)
    let load = FakePeer.goodLoad.replacingOccurrences(of: "f32", with: #"\u001b[31m\u202e=f32"#)
    let result = try BuiltCommand.run(
      [
        "run", "-p", "4", "--model", "synthetic:tiny", "--variants", "none", "--contestant",
        peer.script("p", load: "answer '\(load)'", logits: #"refuse '\u001b]0;owned\u0007'"#), "-t", "1",
        "-r", "1",
        "--out", "o",
      ], in: sandbox)
    expectEqual(result.status, 1, Comment(rawValue: result.error))
    for text in [
      result.output, result.error, try sandbox.text("o/report.md"), try sandbox.text("o/results.csv"),
    ] {
      #expect(text.unicodeScalars.allSatisfy { $0.isSafe || $0 == "\n" })
    }
    expectContains(result.error, "\\u{1B}]0;owned\\u{7}")
  }
}
