import Foundation
import GPT2Kernels
import TestSupport
import Testing

@testable import gpt2_bench

struct GenerateCommandTests {
  private let sandbox: Sandbox

  init() throws { sandbox = try Sandbox() }

  private func run(_ words: [String], input: String = "") throws -> BuiltCommand.Result {
    try BuiltCommand.run(["generate", "--model", sandbox.tinyModel] + words, in: sandbox, input: input)
  }

  @Test func aStopEndsTheTextAndIsNotPrinted() throws {
    let free = try run(["ROMEO:", "-n", "60"])
    let shown = free.output.dropFirst("ROMEO:".count)
    let end = try #require(shown.range(of: "\n\n"))
    let stopped = try run(["ROMEO:", "-n", "60", "--stop", "nowhere", "--stop", #"\n\n"#])
    expectEqual(stopped.status, 0)
    expectEqual(stopped.output, "ROMEO:" + shown[..<end.lowerBound] + "\n")
    expectContains(stopped.error, #", ended by --stop "\n\n""#)
  }

  @Test func aPromptComesFromStandardInput() throws {
    try expectEqual(run(["-", "-n", "5"], input: "KING\n").output, run(["KING\n", "-n", "5"]).output)
    try expectContains(run(["-"], input: "").error, "the prompt is empty")
  }

  @Test func aPromptComesFromAFile() throws {
    try sandbox.file("prompt.txt", "KING\n")
    try expectEqual(run(["-f", "prompt.txt", "-n", "5"]).output, run(["KING\n", "-n", "5"]).output)
    let both = try run(["-f", "prompt.txt", "KING"])
    #expect(
      both.status == 2 && both.error.contains("-f: found a prompt beside prompt.txt, expected one of the two")
    )
    let none = try run(["--file", "none.txt"])
    #expect(none.status == 1 && none.error.contains("none.txt: cannot be read: no such file"))
  }

  @Test func whatCannotBeIsRefused() throws {
    let refusals: [([String], [String])] = [
      (["a", "--stop", #"\d"#], [#"--stop: found '\d', expected \n, \r, \t or \\"#]),
      (["a", "--stop", ""], ["a stop sequence is empty"]),
      (["a", "--min-p", "2"], ["--min-p: found '2', expected 0 (off) to 1"]),
      (["a", "--repetition-penalty", "0"], ["--repetition-penalty: found '0', expected a positive number"]),
      (["a", "--variant", "naive", "--variants", "all"], ["--variant: found 'naive'", "--variants"]),
    ]
    for (words, parts) in refusals {
      let result = try run(words)
      #expect(result.status == 2 && result.output.isEmpty)
      for part in parts { expectContains(result.error, part) }
    }
    let stop = ["generate", "--ids", "1", "--print-ids", "--stop", "a", "--model", "synthetic:tiny"]
    let result = try BuiltCommand.run(stop, in: sandbox)
    #expect(result.status == 2 && result.error.contains("--stop: synthetic:tiny has no tokenizer"))
  }

  /// A copy of the tiny model.
  private func tinyCopy() throws -> String {
    try sandbox.copy(sandbox.tinyModel, to: "model")
    return sandbox.path("model")
  }

  @Test func idsNeedNoText() throws {
    let words = ["generate", "--model", try tinyCopy(), "--ids", "371", "-n", "9"]
    let free = try BuiltCommand.run(words + ["--print-ids"], in: sandbox)
    let ids = free.output.split { $0 == " " || $0 == "\n" }
    expectEqual(free.status, 0)
    expectEqual(ids.count, 9)
    _ = try sandbox.file("model/generation_config.json", "{\"eos_token_id\": [\(ids[4])]}")
    _ = try sandbox.file("model/tokenizer_config.json", "{\"tokenizer_class\": \"LlamaTokenizer\"}")
    let ended = try BuiltCommand.run(words + ["--print-ids"], in: sandbox)
    let first = try #require(ids.firstIndex(of: ids[4]))
    expectEqual(ended.status, 0)
    expectEqual(ended.output, ids[..<first].joined(separator: " ") + "\n")
    #expect(
      ended.error.contains("no text: ") && ended.error.contains("tokenizer_class: found LlamaTokenizer"))
    expectContains(ended.error, ", ended by token \(ids[4])")
    let text = try BuiltCommand.run(words, in: sandbox)
    #expect(
      text.status == 1 && text.error.contains("tokenizer_class: found LlamaTokenizer, expected GPT2Tokenizer")
    )
  }

  /// What the folder puts before a text, and what it takes as whole.
  @Test func theFolderSaysWhatATextIs() throws {
    let model = try tinyCopy()
    _ = try sandbox.file(
      "model/tokenizer_config.json",
      """
      {"add_bos_token": true, "bos_token": "!", "add_prefix_space": true,
       "added_tokens_decoder": {"1023": {"content": "<|endoftext|>", "special": true}}}
      """)
    let ids = try BuiltCommand.run(["tokenize", "--model", model, "hi<|endoftext|>"], in: sandbox)
    let plain = try BuiltCommand.run(["tokenize", "--model", sandbox.tinyModel, " hi"], in: sandbox)
    expectEqual(ids.output, "0 " + plain.output.dropLast() + " 1023\n")
    let prompt = try BuiltCommand.run(["generate", "--model", model, "hi", "-n", "1"], in: sandbox)
    let count = plain.output.split(separator: " ").count + 1
    #expect(prompt.error.contains("\n\(count) + 1 tokens") || prompt.error.hasPrefix("\(count) + 1 tokens"))
    let exported = sandbox.path("exported")
    let export = ["export", "--model", model, "--format", "safetensors", "--out", exported]
    try expectEqual(BuiltCommand.run(export, in: sandbox).status, 0)
    try expectEqual(
      BuiltCommand.run(["tokenize", "--model", exported, "hi<|endoftext|>"], in: sandbox).output,
      ids.output)
    #expect(sandbox.exists("exported/tokenizer_config.json"))
    try expectContains(sandbox.text("exported/config.json"), "\"eos_token_id\" : 1023")
  }

  @Test func variantsRunSideBySide() throws {
    let single = try run(["ROMEO:", "-n", "12"])
    let both = try run(["ROMEO:", "-n", "12", "--variants", "naive,packed", "-t", "2"])
    expectEqual(both.status, 0)
    let text = single.output
    #expect(
      both.output.hasPrefix("== naive\n\(text)\n== packed\n\(text)\npacked: ids equal to naive's\n\nvariant"))
    let table = both.output.split(separator: "\n").suffix(3).map { $0.split(separator: " ") }
    expectEqual(table[0], ["variant", "threads", "TTFT", "ms", "tok/s", "×", "naive"])
    expectEqual(table[1].prefix(2), ["naive", "1"])
    expectEqual(table[1].last, "1.00")
    expectEqual(table[2].prefix(2), ["packed", "2"])
    expectEqual(table[2].count, 5)
    #expect(both.error.contains("12 tokens, naive, 1 thread") && both.error.contains("12 tokens, packed"))
    let ids = try run(["--ids", "3 4", "--print-ids", "-n", "3", "--variants", "simd8,kv-cache"])
    expectEqual(ids.status, 0)
    let lines = ids.output.split(separator: "\n")
    expectEqual(lines[0], "== simd8")
    expectEqual(lines[2], "== kv-cache")
    expectEqual(lines[1], lines[3])
    let drawn = try run(["ROMEO:", "-n", "6", "--variants", "tiled,packed", "--seed", "3"])
    #expect(drawn.status == 0 && drawn.output.contains("\ndrawn at random: "))
  }

  /// `head -c 10`: the reader closes the pipe, whether SIGPIPE is ignored or not.
  @Test(arguments: ["", "trap '' PIPE; "])
  func aReaderThatLeavesEndsItQuietly(_ before: String) throws {
    let shell = Process()
    let (output, error) = (Pipe(), Pipe())
    shell.executableURL = URL(fileURLWithPath: "/bin/sh")
    let program = try BuiltCommand.executable()
    shell.arguments = [
      "-c",
      "\(before){ \"$0\" generate ROMEO: --model \"$1\" -n 200 --quiet; echo \"ended with $?\" >&2; } | head -c 10",
      program, sandbox.tinyModel,
    ]
    shell.environment = ProcessInfo.processInfo.environment.merging(["GPT2_BENCH_HOME": sandbox.home]) { $1 }
    shell.standardOutput = output
    shell.standardError = error
    try shell.run()
    let text = try output.fileHandleForReading.readToEnd() ?? Data()
    let remarks = try error.fileHandleForReading.readToEnd() ?? Data()
    shell.waitUntilExit()
    #expect(text.count == 10 && text.starts(with: Data("ROMEO:".utf8)))
    expectEqual(String(decoding: remarks, as: UTF8.self), "ended with 0\n")
  }

  @Test func controlCEndsWithTheStatistics() throws {
    let output = try sandbox.file("output", "")
    let running = try RunningCommand(
      [
        "generate", "--ids", "1", "--print-ids", "--variant", "naive", "--model",
        "synthetic:2,2,64,4096,1024",
        "-n", "1000",
      ],
      in: sandbox, output: output)
    let hasBegun = try poll { try sandbox.text("output").split(separator: " ").count > 3 }
    #expect(hasBegun)
    running.send(SIGINT)
    let result = try running.result(within: 30)
    expectEqual(result.status, ExitCode.interrupted.rawValue)
    let count = try sandbox.text("output").split(separator: " ").count
    expectContains(result.error, "1 + \(count) tokens, naive, 1 thread, TTFT ")
    expectEqual(result.errorLines.last?.hasSuffix(", interrupted"), true)
  }
}

struct GenerateTests {
  private func comparison(_ outputs: [(String, [Int])], isDrawn: Bool = false) -> IDComparison {
    IDComparison(
      outputs.map { name, ids in
        VariantOutput(
          variant: name, weights: name.hasPrefix("int8") ? "int8" : "f32",
          cache: name.hasSuffix("bf16") ? "bf16" : "f32", ids: ids)
      }, isDrawn: isDrawn, quoted: { "<\($0)>" })
  }

  @Test func equalIDsAreSaidToBeEqual() {
    let equal = comparison([("naive", [1, 2]), ("packed", [1, 2])])
    #expect(equal.lines == ["packed: ids equal to naive's"] && !equal.hasFailed)
    let alone = comparison([("naive", [1])])
    #expect(alone.lines == ["naive: no other variant to compare its ids with"] && !alone.hasFailed)
  }

  /// With a cache of fewer bits texts may part, and must not where both have it.
  @Test func idsOfAnotherCacheMayPart() {
    let parted = comparison([("packed", [1, 2, 3]), ("packed+kv-bf16", [1, 4, 3])])
    #expect(
      parted.lines == ["packed+kv-bf16: parts from packed at new token 2: <4>, packed has <2>"]
        && !parted.hasFailed)
    #expect(comparison([("packed", [1]), ("a+kv-bf16", [2]), ("b+kv-bf16", [1])]).hasFailed)
  }

  @Test func otherIDsFailWhereTheyMustBeEqual() {
    let parted = comparison([("naive", [1, 2, 3]), ("simd8", [1, 2, 3]), ("packed", [1, 4, 3])])
    expectEqual(
      parted.lines, ["simd8: ids equal to naive's", "packed: ids differ from naive's at new token 2"])
    #expect(parted.hasFailed)
    expectEqual(
      comparison([("naive", [1, 2]), ("packed", [1])]).lines.last?.hasSuffix("at new token 2"), true)
    // A draw may choose otherwise.
    let drawn = comparison([("naive", [1, 2]), ("packed", [2, 2])], isDrawn: true)
    #expect(!drawn.hasFailed)
    expectEqual(drawn.lines.last?.contains("ids may differ"), true)
  }

  @Test func whereTextsOfOtherWeightsPartIsSaid() {
    let parted = comparison([("naive", [1, 2, 3]), ("int8", [1, 2, 4]), ("int8-again", [1, 2, 4])])
    expectEqual(
      parted.lines,
      [
        "int8: parts from naive at new token 3: <4>, naive has <3>", "int8-again: ids equal to int8's",
      ])
    #expect(!parted.hasFailed)
    let shorter = comparison([("naive", [1, 2]), ("int8", [1])])
    expectEqual(shorter.lines, ["int8: parts from naive at new token 2: the end, naive has <2>"])
    let other = comparison([("naive", [1, 2]), ("int8", [1, 3]), ("int8-again", [1, 2])])
    #expect(other.hasFailed && other.lines[1] == "int8-again: ids differ from int8's at new token 2")
  }
}
