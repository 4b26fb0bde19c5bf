import Foundation
import TestSupport
import Testing

/// What the command writes is what the files in `Goldens/expected` hold, byte by byte.
///
/// `scripts/goldens.sh` runs the cases of `Goldens/cases.sh`, so that they can be held against any build. With
/// `GPT2_BENCH_GOLDENS=write` in the environment the files are made anew, and the change is reviewed as a diff.
struct GoldenTests {
  #if os(Linux)
    @Test func theCommandWritesTheCommittedFiles() throws {
      let sandbox = try Sandbox()
      let output = sandbox.path("output")
      try sandbox.file("output", "")
      let process = Process()
      process.executableURL = URL(fileURLWithPath: Sandbox.project + "/scripts/goldens.sh")
      process.arguments = [try BuiltCommand.executable()] + (Goldens.writes ? ["--write"] : [])
      process.standardOutput = FileHandle(forWritingAtPath: output)
      process.standardError = process.standardOutput
      try process.run()
      process.waitUntilExit()
      let found = try sandbox.text("output")
      expectEqual(process.terminationStatus, 0, Comment(rawValue: found))
    }
  #endif
}

/// The committed files that outputs are held against.
enum Goldens {
  static let folder = Sandbox.project + "/Tests/CommandTests/Goldens"

  static let writes = ProcessInfo.processInfo.environment["GPT2_BENCH_GOLDENS"] == "write"

  /// Holds a text against the file of this name in `Goldens/rendered`, or writes the file anew.
  static func expect(_ text: String, _ name: String) throws {
    let path = "\(folder)/rendered/\(name)"
    if writes { return try Data(text.utf8).write(to: URL(fileURLWithPath: path)) }
    let wanted = String(decoding: FileManager.default.contents(atPath: path) ?? Data(), as: UTF8.self)
    guard text != wanted else { return }
    let lines = [text, wanted].map { $0.split(separator: "\n", omittingEmptySubsequences: false) }
    let place = zip(lines[0], lines[1]).prefix { $0 == $1 }.count
    let found = lines.map { place < $0.count ? String($0[place]) : "the end" }
    Issue.record("\(name), line \(place + 1): found\n\(found[0])\nexpected\n\(found[1])")
  }
}
