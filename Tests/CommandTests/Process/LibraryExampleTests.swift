import Foundation
import TestSupport
import Testing

/// The example in the library's README is the file that is compiled, and it runs.
struct LibraryExampleTests {
  @Test func theReadmeHasItWordForWord() throws {
    let example = try String(contentsOfFile: Project.file("Tests/LibraryExample/main.swift"), encoding: .utf8)
    let readme = try String(contentsOfFile: Project.file("Sources/GPT2Engine/README.md"), encoding: .utf8)
    expectContains(readme, "```swift\n\(example)```\n")
  }

  @Test func itRuns() throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: try BuiltCommand.executable("library-example"))
    process.currentDirectoryURL = URL(fileURLWithPath: Project.root)
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    let text = String(decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
    process.waitUntilExit()
    expectEqual(process.terminationStatus, 0)
    // Two completions that end by their number of tokens, and the shape of the logits at the end.
    expectEqual(text.components(separatedBy: " count\n").count, 3)
    expectEqual(text.split(separator: "\n").last?.contains(/^[0-9]+ [0-9]+ -?[0-9.]+$/), true)
  }
}
