import Foundation
import GPT2Engine
import GPT2Kernels
import GPT2Model
import TestSupport
import Testing

@testable import Chat
@testable import gpt2_bench

/// The chat as a pipe has it: a line a turn or a command, answers on standard output.
struct ChatProcessTests {
  private let sandbox: Sandbox

  init() throws { sandbox = try Sandbox() }

  private func chat(_ options: String..., lines: [String]) throws -> BuiltCommand.Result {
    try BuiltCommand.run(
      ["chat"] + options, in: sandbox, input: lines.map { $0 + "\n" }.joined(),
      environment: ["HOME": sandbox.folder])
  }

  @Test func turnsGoOnWithOneText() throws {
    let model = sandbox.tinyModel
    let result = try chat(
      "--model", model, "--temperature", "0", "-n", "10",
      lines: ["ROMEO:", "", "/mode", "// said he", "/status"])
    expectEqual(result.status, 0)
    // The empty line goes on where the answer ended: together they are one text of twenty tokens.
    let whole = try BuiltCommand.run(
      ["generate", "ROMEO:", "--model", model, "-n", "20"], in: sandbox)
    let text = whole.output.dropFirst("ROMEO:".count)
    let answers = result.output.components(separatedBy: "mode complete\n")
    expectEqual(answers[0].filter { $0 != "\n" }, text.filter { $0 != "\n" })
    #expect(result.output.contains("turns        3\n") && result.output.contains("of 256 tokens\n"))
    expectEqual(
      result.errorLines.filter { $0.contains("+ 10 tokens, ") && $0.contains("tok/s, TTFT ") }.count, 3)
    #expect(!result.output.contains("tok/s,") && !result.output.contains("\u{1B}"))
  }

  @Test func everyCommandWorksAndABadOneEndsNothing() throws {
    let model = sandbox.tinyModel
    let result = try chat(
      "--model", model, "--temperature", "0", "-n", "4", "--seed", "3",
      lines: [
        "/help", "/help set", "/settings", "/set seed 5", "/set seed", "/set top-k many", "/set temprature 1",
        "/reset",
        "/set seed", "KING", "/variant naive", "/variant fast", "/load no/such/model", "/load \(model)",
        "/info", "/hlep",
        "/nothing-like-it", "/clear now", "/status", "/mode dialogue", "Who is there?", "/mode poem",
        "/clear", "/status",
        "/quit", "/help",
      ])
    expectEqual(result.status, 0)
    let output = result.output
    expectEqual(output.components(separatedBy: "GPT-2 is a base model").count, 2)
    for command in ChatCommand.all { expectContains(output, "/\(command.name) ") }
    for setting in ChatSetting.all { expectContains(output, "\(setting.name) ") }
    #expect(output.contains("\nseed 5\n") && output.contains("\nseed 3\n"))
    #expect(output.contains("variant     naive, ") && output.contains("model       \(model)\n"))
    #expect(output.contains("turns        1\n") && output.contains("turns        0\n"))
    expectContains(output, "context      0 of 256 tokens\n")
    for complaint in [
      "top-k: found 'many', expected a whole number of at least 1",
      "unknown setting 'temprature', did you mean 'temperature'?",
      "variant: found 'fast', expected one of naive, ",
      "no/such/model: cannot be read: no such file or folder",
      "unknown command '/hlep', did you mean '/help'?",
      "unknown command '/nothing-like-it', expected one of /help, /settings, ",
      "/clear: found 'now', expected nothing after it",
      "mode: found 'poem', expected one of complete, dialogue",
    ] {
      #expect(
        result.errorLines.contains { $0.hasPrefix("gpt2-bench: chat: \(complaint)") },
        Comment(rawValue: complaint))
    }
    expectEqual(result.errorLines.filter { $0.hasPrefix("gpt2-bench: chat:") }.count, 8)
    expectContains(result.error, "naive, the conversation goes on\n")
  }

  /// Without a tokenizer lines are ids. The context of 128 slides, and each id is the one that the window before it gives.
  @Test func idsSlideThroughTheContext() throws {
    let long = (0..<150).map { String($0) }.joined(separator: " ")
    let result = try chat(
      "--model", "synthetic:tiny", "--temperature", "0", "-n", "150",
      lines: ["1 2 3", "x", "512", "/mode dialogue", long, "/set max-tokens 3", "7", "/status"])
    expectEqual(result.status, 0)
    var answers = result.output.split(separator: "\n").map(String.init)
    let status = answers.suffix(from: 3)
    answers = Array(answers.prefix(3))
    var window: [Int] = []
    let engine = try Engine(
      ModelSource("synthetic:tiny").open(cacheFolder: sandbox.home), variant: .preferred, threads: 1)
    for (line, answer) in zip(["1 2 3", long, "7"], answers) {
      let new = line.split(separator: " ").compactMap { Int($0) }
      let room = 128 - window.count
      window = Array((window + new).suffix(new.count <= room ? 128 : min(max(64, new.count), 128)))
      for id in answer.split(separator: " ") {
        let sequence = try engine.makeSequence()
        try sequence.append(window)
        let logits = try engine.step([sequence])
        let expected = try argmax(
          UnsafeBufferPointer(start: logits.row(0), count: logits.columns), position: window.count - 1)
        #expect(String(expected) == id)
        window.append(expected)
        if window.count > 128 { window.removeFirst(window.count - 64) }
      }
    }
    expectEqual(answers.map { $0.split(separator: " ").count }, [150, 150, 3])
    #expect(status.contains("context      \(window.count) of 128 tokens"))
    expectContains(
      result.error, "150 tokens are more than the context holds: the first 22 are left out\n",
      "found 'x', expected token ids", "token id 512 is outside the vocabulary, expected 0 to 511",
      "mode: synthetic:tiny has no tokenizer, expected one for mode dialogue")
  }

  @Test func aSeedGivesTheSameChatAgain() throws {
    let lines = ["ROMEO:", "/set stop \"\\n\"", "JULIET:", "/set seed 4", "Exit"]
    let options = ["--model", sandbox.tinyModel, "--seed", "4", "-n", "12", "--quiet"]
    func chat() throws -> BuiltCommand.Result {
      try BuiltCommand.run(["chat"] + options, in: sandbox, input: lines.joined(separator: "\n"))
    }
    let first = try chat()
    expectEqual(first.status, 0)
    expectEqual(first.error, "")
    try expectEqual(chat().output, first.output)
  }

  @Test func theCommandLineIsChecked() {
    expectEqual(Main.run(["chat", "--mode", "poem"]), .usage)
    expectEqual(Main.run(["chat", "--temperature", "-1"]), .usage)
    expectEqual(Main.run(["chat", "--stop", ""]), .usage)
    expectEqual(Main.run(["chat", "operand"]), .usage)
    expectEqual(Main.run(["chat", "--model", "no/such/model"]), .error)
  }

  @Test func theCommandLineSetsWhatSetSets() throws {
    func settings(_ words: String...) throws -> ChatSettings {
      let description = CommandDescription(name: "chat", summary: "", options: Chat.description.options)
      return try ChatSettings(try Arguments(words, of: description))
    }
    let standard = try settings("--seed", "7")
    expectEqual(standard.sampling.temperature, 0.8)
    expectEqual(standard.sampling.topK, 40)
    expectEqual(standard.sampling.seed, 7)
    let other = try settings("--temperature", "0", "--top-k", "0", "-n", "5", "--stop", "a\\n", "--stop", "b")
    expectEqual(other.sampling.temperature, 0)
    expectNil(other.sampling.topK)
    expectEqual(other.maximumNewTokens, 5)
    expectEqual(other.stops.texts, ["a\n", "b"])
  }
}
