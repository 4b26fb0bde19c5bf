import Foundation
import TestSupport
import Testing

/// Files that are not what they were: weights that are cut short while they are mapped, and names that are no text.
struct LostFileTests {
  private let sandbox: Sandbox

  init() throws {
    sandbox = try Sandbox()
    try sandbox.copy(sandbox.tinyModel, to: "m")
  }

  private var weights: String { sandbox.path("m/model.safetensors") }

  /// What is said once the file is gone.
  private func loss() throws -> String {
    let size = try #require(FileManager.default.attributesOfItem(atPath: weights)[.size] as? Int)
    return
      "gpt2-bench: \(weights): the file was cut short while it was in use, expected its \(size) bytes to stay"
  }

  private func expectLoss(
    _ arguments: [String], first: String, isUnderWay: (RunningCommand) -> Bool, second: String
  ) throws {
    let loss = try loss()
    let input = Pipe()
    let running = try RunningCommand(arguments, in: sandbox, pipe: input)
    try input.fileHandleForWriting.write(contentsOf: Data(first.utf8))
    #expect(poll { isUnderWay(running) }, Comment(rawValue: running.error))
    expectEqual(truncate(weights, 0), 0)
    try input.fileHandleForWriting.write(contentsOf: Data(second.utf8))
    let result = try running.result(within: 30)
    expectEqual(result.status, 1)
    expectEqual(result.errorLines.last.map { String($0) }, loss)
  }

  @Test func aWorkerSaysThatItsWeightsWereCutShort() throws {
    let run = #"{"id":2,"operation":"run","payload":{"generation":{"prompts":[[1,2]],"tokens":2}}}"#
    let load =
      #"{"id":1,"operation":"load","payload":{"model":"\#(sandbox.path("m"))","variant":"packed","threads":1,"cold":false}}"#
    try expectLoss(
      ["worker", "packed"], first: load + "\n", isUnderWay: { $0.output.contains(#""ok":true"#) },
      second: run + "\n")
  }

  @Test func aChatSaysSoToo() throws {
    try expectLoss(
      ["chat", "--model", sandbox.path("m"), "-n", "4", "-t", "1"], first: "To be\n",
      isUnderWay: { $0.error.contains("tok/s") }, second: "or not\n")
  }

  @Test func anotherBusErrorEndsAsEver() throws {
    let input = Pipe()
    let running = try RunningCommand(
      ["worker", "packed"], in: sandbox, pipe: input, environment: ["SWIFT_BACKTRACE": "enable=no"])
    try input.fileHandleForWriting.write(contentsOf: Data("{}\n".utf8))
    #expect(poll { running.output.contains("malformed request") })
    running.send(SIGBUS)
    let result = try running.result(within: 30)
    #expect(result.status == SIGBUS && !result.error.contains("cut short"))
  }

  /// As text such a name would be another file's.
  @Test(
    arguments: [
      (#"logits --model synthetic:tiny --ids 1 --out "$(printf 'a\377.npy')""#, 7, "a\u{FFFD}.npy"),
      (#"info "$(printf '\300\257')""#, 2, "\u{FFFD}\u{FFFD}"),
      (#"train --data "$(printf 'a\377')" --out o"#, 3, "a\u{FFFD}"),
      (#"train --data a --out "$(printf 'o\377')""#, 5, "o\u{FFFD}"),
      (#"train --resume "$(printf '\377')""#, 3, "\u{FFFD}"),
    ])
  func aNameThatIsNotUTF8IsRefusedByItsPlace(_ words: String, _ place: Int, _ text: String) throws {
    let before = sandbox.contents
    let (status, error) = try shell("exec \(command) \(words)")
    expectEqual(status, 2)
    expectEqual(error, "gpt2-bench: argument \(place): found '\(text)', expected UTF-8 text\n")
    expectEqual(sandbox.contents, before)
  }

  @Test func aPromptThatIsNotUTF8IsRefused() throws {
    let (status, said) = try shell(#"printf 'To be\377' | "# + "\(command) generate - --model m --quiet")
    expectEqual(status, 1)
    expectEqual(
      said, "gpt2-bench: generate: standard input: found byte 0xFF at offset 5, expected UTF-8 text\n")
  }

  private var command: String {
    get throws { "'\(try BuiltCommand.executable())'" }
  }

  private func shell(_ script: String) throws -> (status: Int32, error: String) {
    let (process, error) = (Process(), Pipe())
    process.executableURL = URL(fileURLWithPath: "/bin/sh")
    process.arguments = ["-c", script]
    process.currentDirectoryURL = URL(fileURLWithPath: sandbox.work)
    process.standardError = error
    try process.run()
    let said = String(decoding: error.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    return (process.terminationStatus, said)
  }
}
